// Standard error: whole lines and, on a terminal, one progress bar below them.
//
// Threads: every method from any thread.
// Failure: none; there is nowhere left to complain to.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace freshet::cli {

class ErrorOutput {
 public:
  ErrorOutput();
  ErrorOutput(const ErrorOutput&) = delete;
  ErrorOutput& operator=(const ErrorOutput&) = delete;
  // Takes the bar away.
  ~ErrorOutput();

  // Writes `text` and an end of line, above the bar.
  void line(std::string_view text);

  // Draws the bar anew; nothing is drawn where standard error is no terminal.
  void show_bar(std::string_view bar);
  void clear_bar();
  [[nodiscard]] bool shows_bars() const { return is_terminal_; }

 private:
  void write(std::string_view text) const;

  bool is_terminal_;
  std::mutex mutex_;  // Guards the rest, and the order of what is written.
  std::string bar_;
};

}  // namespace freshet::cli
