// A virtual clock on which others may act while somebody sleeps: another thread, another process.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "freshet/clock.hpp"

namespace freshet::simulation {

class SimulatedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] Timestamp wall_time() const override {
    return Timestamp{std::chrono::days{20'000}} + std::chrono::floor<Duration>(now_.time_since_epoch()) + setting_;
  }

  void sleep_until(Instant deadline) override {
    if (deadline <= now_) return;
    if (meanwhile_ && !disturbed_) {
      disturbed_ = true;
      meanwhile_(deadline);
      disturbed_ = false;
    }
    move_to(deadline);
  }

  void wait_until(std::condition_variable& /*condition*/, std::unique_lock<std::mutex>& /*lock*/,
                  Instant deadline) override {
    sleep_until(deadline);
  }

  // Time passes, and nobody acts.
  void move_to(Instant time) { now_ = std::max(now_, time); }

  // Somebody sets the system's clock.
  void set_wall_time_by(Duration difference) { setting_ += difference; }

  // Called when somebody falls asleep; may move the clock up to the time of waking.
  void on_sleep(std::function<void(Instant waking)> meanwhile) { meanwhile_ = std::move(meanwhile); }

 private:
  Instant now_{};
  Duration setting_{};
  std::function<void(Instant)> meanwhile_;
  bool disturbed_ = false;
};

}  // namespace freshet::simulation
