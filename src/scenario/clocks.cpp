// Scaled and stepped time.
#include "scenario/clocks.hpp"

#include <chrono>

namespace freshet::scenario {
namespace {

// The speed may make any number out of a time; it is cut to whole ticks, and to a year, which none outlasts.
Instant::duration scaled(Instant::duration duration, double factor) {
  constexpr Instant::duration longest = std::chrono::hours{24 * 365};
  const auto ticks = static_cast<double>(duration.count()) * factor;
  if (ticks >= static_cast<double>(longest.count())) return longest;
  return Instant::duration{static_cast<Instant::rep>(ticks)};
}

}  // namespace

ScaledClock::ScaledClock(double speed) : speed_(speed), start_(machine_.now()), wall_start_(machine_.wall_time()) {}

Instant ScaledClock::now() const {
  return start_ + scaled(machine_.now() - start_, speed_);
}

Timestamp ScaledClock::wall_time() const {
  return wall_start_ + std::chrono::floor<Duration>(now() - start_);
}

void ScaledClock::sleep_until(Instant deadline) {
  machine_.sleep_until(machine_time(deadline));
}

void ScaledClock::wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) {
  machine_.wait_until(condition, lock, machine_time(deadline));
}

Instant ScaledClock::machine_time(Instant time) const {
  return start_ + scaled(time - start_, 1 / speed_);
}

void SteppedClock::sleep_until(Instant deadline) {
  for (auto next = next_act_(); next && *next <= deadline; next = next_act_()) {
    clock_.sleep_until(*next);
    act_();
  }
  clock_.sleep_until(deadline);
}

void SteppedClock::wait_until(std::condition_variable& /*condition*/, std::unique_lock<std::mutex>& /*lock*/,
                              Instant deadline) {
  sleep_until(deadline);
}

}  // namespace freshet::scenario
