// A progress bar, drawn often enough for a person and no more often.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cli/error_output.hpp"
#include "freshet/clock.hpp"

namespace freshet::cli {

class ProgressBar {
 public:
  ProgressBar(ErrorOutput& output, const Clock& clock) : output_(output), clock_(clock) {}

  // `total` 0: not known, and the bar is a counter. The bar goes away once all is done.
  void show(std::string_view what, std::int64_t done, std::int64_t total);

 private:
  ErrorOutput& output_;
  const Clock& clock_;
  std::optional<Instant> drawn_;
};

}  // namespace freshet::cli
