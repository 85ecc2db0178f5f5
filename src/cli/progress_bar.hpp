// A progress bar, drawn often enough for a person and no more often.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/error_output.hpp"
#include "freshet/clock.hpp"

namespace freshet::cli {

class ProgressBar {
 public:
  ProgressBar(ErrorOutput& output, const Clock& clock) : output_(output), clock_(clock) {}

  // `total` 0: not known, and the bar is a counter. The bar says how long the rest will take, at the pace so far, and
  // goes away once all is done.
  void show(std::string_view what, std::int64_t done, std::int64_t total);

 private:
  ErrorOutput& output_;
  const Clock& clock_;
  [[nodiscard]] std::string time_left(std::int64_t done, std::int64_t total, Instant now) const;

  std::optional<Instant> drawn_;
  Instant began_;  // When the bar was first drawn.
};

}  // namespace freshet::cli
