// A wake-up that is not lost: whoever saw a count waits until it has moved on.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "freshet/clock.hpp"

namespace freshet {

class Signal {
 public:
  Signal() = default;
  // Each notify() is passed on to `beyond`, which outlives this.
  explicit Signal(Signal& beyond) : beyond_(&beyond) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  [[nodiscard]] std::uint64_t count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  void notify() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    moved_.notify_all();
    if (beyond_ != nullptr) beyond_->notify();
  }

  // Returns when the count is above `seen`, or at the deadline.
  void wait(Clock& clock, std::uint64_t seen, Instant deadline) {
    std::unique_lock lock(mutex_);
    while (count_ == seen && clock.now() < deadline) clock.wait_until(moved_, lock, deadline);
  }

 private:
  Signal* const beyond_ = nullptr;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t count_ = 0;
};

}  // namespace freshet
