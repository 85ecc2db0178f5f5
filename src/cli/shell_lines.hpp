// Where the lines of a shell come from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/line_editor.hpp"

namespace freshet::cli {

class ShellLines {
 public:
  ShellLines() = default;
  ShellLines(const ShellLines&) = delete;
  ShellLines& operator=(const ShellLines&) = delete;
  virtual ~ShellLines() = default;

  // A whole command: a line that ends in a backslash is continued by the next one. Nothing at the end, or
  // when a signal came.
  [[nodiscard]] std::optional<std::string> next();

  // Of the last line of the command that was read, from 1.
  [[nodiscard]] std::int64_t number() const { return number_; }

  // A person is there, who sees a prompt and reads what went wrong.
  [[nodiscard]] virtual bool is_interactive() const = 0;

 protected:
  enum class Place { begin, continuation };

 private:
  [[nodiscard]] virtual std::optional<std::string> read(Place place) = 0;

  // A command was read in whole.
  virtual void keep(const std::string& /*command*/) {}

  std::int64_t number_ = 0;
};

// Typed at a terminal, with a history that outlives the session.
[[nodiscard]] std::unique_ptr<ShellLines> typed_lines(LineEditor::Complete complete);

// From standard input, whatever it is.
[[nodiscard]] std::unique_ptr<ShellLines> piped_lines();

}  // namespace freshet::cli
