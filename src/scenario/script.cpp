// Splits a script into lines and words.
#include "scenario/script.hpp"

#include <algorithm>
#include <optional>

#include "base/utf8.hpp"

namespace freshet::scenario {
namespace {

constexpr std::string_view blanks = " \t";

// Takes words from the beginning of a line, one after the other.
class Words {
 public:
  Words(std::string_view text, int line) : rest_(text), line_(line) {}

  // Nothing at the end of the line or at a comment.
  std::optional<std::string> next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
    if (rest_.empty() || rest_.front() == '#') return std::nullopt;
    std::string word;
    while (!rest_.empty() && blanks.find(rest_.front()) == std::string_view::npos) word += piece();
    return word;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  // One letter, or what stands in one pair of quotes.
  std::string piece() {
    const char letter = take();
    if (letter == '\\') {
      if (rest_.empty()) throw ScriptError(line_, "nothing follows the backslash at the end of the line");
      return {take()};
    }
    return letter == '"' || letter == '\'' ? quoted(letter) : std::string(1, letter);
  }

  std::string quoted(char quote) {
    std::string text;
    while (!rest_.empty() && rest_.front() != quote) {
      const bool escapes = quote == '"' && rest_.front() == '\\' && rest_.size() > 1;
      if (escapes) rest_.remove_prefix(1);
      text += take();
    }
    if (rest_.empty()) throw ScriptError(line_, std::string{"the quote "} + quote + " is not closed");
    rest_.remove_prefix(1);
    return text;
  }

  char take() {
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    return letter;
  }

  std::string_view rest_;
  int line_;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// "client alice: order get 123": the name, and leaves the rest.
std::string take_client(std::string_view& text, int number) {
  Words words{text, number};
  if (words.next() != "client") return {};
  std::string name = words.next().value_or("");
  if (name.size() < 2 || name.back() != ':') {
    throw ScriptError(number, "a client's line begins with 'client NAME:', such as 'client alice: order get 123'");
  }
  name.pop_back();
  text = trimmed(words.rest());
  if (text.empty()) throw ScriptError(number, "client " + name + " does nothing: write a command behind the colon");
  return name;
}

// Nothing for an empty line.
std::optional<ScriptLine> read_line(std::string_view text, int number) {
  if (text.size() > script_line_bytes_max) {
    throw ScriptError(number, "longer than " + std::to_string(script_line_bytes_max) + " bytes");
  }
  std::string plain{text};
  std::ranges::replace(plain, '\t', ' ');
  if (!is_utf8(plain)) throw ScriptError(number, "the text is not UTF-8");
  if (has_control_character(plain)) throw ScriptError(number, "there is a control character in the text");

  std::string_view line = trimmed(plain);
  ScriptLine read{.number = number, .client = take_client(line, number)};
  Words words{line, number};
  const auto first = words.next();
  if (!first) return std::nullopt;
  read.words.push_back(*first);
  read.rest = trimmed(words.rest());
  // What is said is for people, who use quotes as they please.
  if (*first == "echo") return read;
  while (auto word = words.next()) read.words.push_back(*std::move(word));
  return read;
}

}  // namespace

std::vector<ScriptLine> read_script(std::string_view text) {
  std::vector<ScriptLine> lines;
  int number = 0;
  const bool is_too_long = text.size() > script_bytes_max;
  text = text.substr(0, script_bytes_max);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (auto read = read_line(line, ++number)) lines.push_back(*std::move(read));
    if (lines.size() > script_lines_max) throw ScriptError(number, "the script is too long");
  }
  if (is_too_long) {
    throw ScriptError(number, "the script is longer than " + std::to_string(script_bytes_max) + " bytes");
  }
  return lines;
}

}  // namespace freshet::scenario
