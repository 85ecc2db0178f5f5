// A script's text, taken apart into lines of words. What the words mean is said in steps.hpp.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::scenario {

// A script is written by a person; a longer one is probably some other file.
inline constexpr std::size_t script_lines_max = 100'000;
inline constexpr std::size_t script_bytes_max = std::size_t{16} << 20U;
// About what a system takes as one command. The lines of a shell have the same bound.
inline constexpr std::size_t script_line_bytes_max = std::size_t{1} << 20U;

// Words that make no sense, found before anything is carried out. what() says where and why.
class ScriptError : public std::runtime_error {
 public:
  ScriptError(int line, const std::string& message)
      : std::runtime_error("line " + std::to_string(line) + ": " + message), line_(line) {}

  [[nodiscard]] int line() const { return line_; }

 private:
  int line_;
};

struct ScriptLine {
  int number = 0;                       // From 1.
  std::string client = {};              // Of "client NAME:"; empty for the only one.
  std::vector<std::string> words = {};  // At least one.
  std::string rest = {};                // What follows the first word, as it was written.
};

// Words are split as a shell does: quotes, backslashes, comments from a '#' that begins a word. Empty lines
// are left out. Throws ScriptError.
[[nodiscard]] std::vector<ScriptLine> read_script(std::string_view text);

}  // namespace freshet::scenario
