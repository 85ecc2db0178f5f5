// Draws the progress bar.
#include "cli/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace freshet::cli {
namespace {

// Ten times a second looks alive, and costs the work nothing.
constexpr Duration redraw_interval = std::chrono::milliseconds{100};

// With its text the bar stays below 80 columns.
constexpr std::int64_t bar_width = 30;

std::string draw(std::string_view what, std::int64_t done, std::int64_t total) {
  if (total <= 0) return fmt::format("{}: {}", what, done);
  const std::int64_t filled = std::clamp<std::int64_t>(done * bar_width / total, 0, bar_width);
  const std::int64_t percent = std::clamp<std::int64_t>(done * 100 / total, 0, 100);
  return fmt::format("{}: [{:#<{}}{:.<{}}] {:>3}% {}", what, "", filled, "", bar_width - filled, percent, done);
}

}  // namespace

void ProgressBar::show(std::string_view what, std::int64_t done, std::int64_t total) {
  if (!output_.shows_bars()) return;
  const Instant now = clock_.now();
  if (!drawn_) began_ = now;
  if (total > 0 && done >= total) {
    output_.clear_bar();
    drawn_.reset();
  } else if (!drawn_ || now - *drawn_ >= redraw_interval) {
    output_.show_bar(draw(what, done, total) + time_left(done, total, now));
    drawn_ = now;
  }
}

std::string ProgressBar::time_left(std::int64_t done, std::int64_t total, Instant now) const {
  const double so_far = std::chrono::duration<double>(now - began_).count();
  if (total <= 0 || done <= 0 || so_far < 1.0) return {};
  const auto seconds = std::llround(so_far * static_cast<double>(total - done) / static_cast<double>(done));
  return fmt::format(", {}:{:02} left", seconds / 60, seconds % 60);
}

}  // namespace freshet::cli
