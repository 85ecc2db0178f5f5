// The two clocks: the machine's own, and the one that moves only when it is waited on.
#include "freshet/clock.hpp"

#include <algorithm>
#include <thread>

namespace freshet {

Instant SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

Timestamp SystemClock::wall_time() const {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

void SystemClock::sleep_until(Instant deadline) {
  std::this_thread::sleep_until(deadline);
}

void SystemClock::wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) {
  condition.wait_until(lock, deadline);
}

Timestamp VirtualClock::wall_time() const {
  return start_ + std::chrono::floor<Duration>(now_.time_since_epoch());
}

void VirtualClock::sleep_until(Instant deadline) {
  now_ = std::max(now_, deadline);
}

void VirtualClock::wait_until(std::condition_variable& /*condition*/, std::unique_lock<std::mutex>& /*lock*/,
                              Instant deadline) {
  sleep_until(deadline);
}

}  // namespace freshet
