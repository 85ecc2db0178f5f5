// The clocks that scripts are played on, besides the machine's own.
#pragma once

#include <functional>
#include <optional>

#include "freshet/clock.hpp"

namespace freshet::scenario {

// The machine's time, passing faster or slower. Delays, sleeps and timeouts shrink or grow alike.
//
// Threads: any.
class ScaledClock final : public Clock {
 public:
  // `speed` above 1 is faster.
  explicit ScaledClock(double speed);

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] Timestamp wall_time() const override;
  void sleep_until(Instant deadline) override;
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override;

 private:
  [[nodiscard]] Instant machine_time(Instant time) const;

  SystemClock machine_;
  double speed_;
  Instant start_;
  Timestamp wall_start_;
};

// A virtual clock beside whose sleeper others act, each when its time has come.
//
// Threads: one.
class SteppedClock final : public Clock {
 public:
  // When the others have something to do next, and what does it then.
  using NextAct = std::function<std::optional<Instant>()>;
  using Act = std::function<void()>;

  SteppedClock(Timestamp start, NextAct next_act, Act act)
      : clock_(start), next_act_(std::move(next_act)), act_(std::move(act)) {}

  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] Timestamp wall_time() const override { return clock_.wall_time(); }
  void sleep_until(Instant deadline) override;
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override;

 private:
  VirtualClock clock_;
  NextAct next_act_;
  Act act_;
};

}  // namespace freshet::scenario
