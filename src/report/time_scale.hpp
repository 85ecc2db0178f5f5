// Where a time stands on the axis of a drawing.
#pragma once

#include <string>
#include <vector>

#include "freshet/types.hpp"

namespace freshet::report {

// Straight between its anchors, so that a drawing can give room to moments where much happens.
class TimeScale {
 public:
  struct Anchor {
    Duration at;
    double x;
  };
  struct Tick {
    double x;
    std::string text;  // Milliseconds, "0.5".
  };

  TimeScale() = default;

  // Anchors by time and by place, at least one.
  explicit TimeScale(std::vector<Anchor> anchors) : anchors_(std::move(anchors)) {}

  [[nodiscard]] Duration first() const { return anchors_.front().at; }
  [[nodiscard]] Duration last() const { return anchors_.back().at; }

  // A time outside the anchors stands at the nearest of them.
  [[nodiscard]] double x(Duration at) const;

  // Round times, far enough apart for their texts.
  [[nodiscard]] std::vector<Tick> ticks() const;

 private:
  [[nodiscard]] std::vector<Duration> round_times(Duration first, Duration last, Duration step, double free_from) const;
  void refine(std::vector<Duration>& times, Duration step) const;

  std::vector<Anchor> anchors_;
};

// The smallest of 1, 2, 5, 10, 20, ... that is not below `least`.
[[nodiscard]] double round_step(double least);

}  // namespace freshet::report
