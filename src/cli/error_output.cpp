// Writes lines and the bar to standard error.
#include "cli/error_output.hpp"

#include <unistd.h>

#include <cerrno>

namespace freshet::cli {
namespace {

// Back to the line's start, and nothing behind it.
constexpr std::string_view erase_line = "\r\x1b[K";

}  // namespace

ErrorOutput::ErrorOutput() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

ErrorOutput::~ErrorOutput() {
  clear_bar();
}

void ErrorOutput::line(std::string_view text) {
  const std::lock_guard lock{mutex_};
  std::string whole = bar_.empty() ? "" : std::string{erase_line};
  whole += text;
  whole += '\n';
  // One write, so that lines of several processes do not mix.
  write(whole + bar_);
}

void ErrorOutput::show_bar(std::string_view bar) {
  if (!is_terminal_) return;
  const std::lock_guard lock{mutex_};
  bar_ = bar;
  write(std::string{erase_line} + bar_);
}

void ErrorOutput::clear_bar() {
  const std::lock_guard lock{mutex_};
  if (bar_.empty()) return;
  bar_.clear();
  write(erase_line);
}

void ErrorOutput::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace freshet::cli
