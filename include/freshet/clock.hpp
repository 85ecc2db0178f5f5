// Time as a parameter: the engine reads the time and waits only through a Clock.
//
// With a SystemClock the engine runs in threads on real time. With a VirtualClock it runs in one
// thread (see StoreOptions::engine), and a wait moves the clock instead of lasting: the same inputs
// and the same seed then give the same run, however long its delays are.
//
// Threads: SystemClock from any thread; VirtualClock from one.
// Failure: none.
#pragma once

#include <condition_variable>
#include <mutex>

#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// What the engine reads the time from. An application may bring its own; it lives as long as its stores.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  // Never goes back.
  [[nodiscard]] virtual Instant now() const = 0;

  // May be set by the system at any time; good for records, not for measuring.
  [[nodiscard]] virtual Timestamp wall_time() const = 0;

  // Blocks the calling thread until `deadline`; returns at once if that has passed.
  virtual void sleep_until(Instant deadline) = 0;

  // As std::condition_variable::wait_until, on this clock: may wake early, and then the caller tests
  // its condition again.
  virtual void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] Timestamp wall_time() const override;
  void sleep_until(Instant deadline) override;
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override;
};

// A clock that stands still until it is moved. Waiting moves it to the deadline.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Timestamp start) : start_(start) {}

  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] Timestamp wall_time() const override;
  void sleep_until(Instant deadline) override;

  // There is no second thread that could notify, so this is sleep_until().
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override;

 private:
  Timestamp start_;
  Instant now_{};
};

}  // namespace freshet
