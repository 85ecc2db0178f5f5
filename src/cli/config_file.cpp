// Reads TOML, from its beginning to its end.
#include "cli/config_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/line_reader.hpp"
#include "base/utf8.hpp"
#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

using Path = std::vector<std::string>;

constexpr std::string_view blanks = " \t";
constexpr std::string_view bare_key_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
// What ends a value without quotes, or makes it something else than one.
constexpr std::string_view no_bare_value = " \t\n#,]['\"={}";

[[noreturn]] void fail(std::int64_t line, const std::string& why) {
  throw ConfigError(line, why);
}

// The lines, each of them checked, with one kind of end.
std::string text_of(std::istream& stream) {
  std::string text;
  LineReader lines{stream, config_line_bytes_max};
  while (auto line = lines.next()) {
    const std::int64_t number = lines.number();
    if (lines.is_too_long()) fail(number, fmt::format("longer than {} bytes", config_line_bytes_max));
    if (number > static_cast<std::int64_t>(config_lines_max)) fail(number, "the file is too long");
    if (line->ends_with('\r')) line->remove_suffix(1);
    std::string plain{*line};
    std::ranges::replace(plain, '\t', ' ');
    if (!is_utf8(plain)) fail(number, "the text is not UTF-8");
    if (has_control_character(plain)) fail(number, "there is a control character in the text");
    text.append(*line) += '\n';
  }
  return text;
}

class ConfigReader {
 public:
  explicit ConfigReader(std::string_view text) : rest_(text) {}

  std::vector<ConfigEntry> read() {
    std::vector<ConfigEntry> entries;
    Path section;
    for (skip_to_text(); !rest_.empty(); skip_to_text()) {
      if (rest_.front() == '[') {
        section = take_section();
      } else {
        entries.push_back(take_entry(section));
      }
      check_end_of_line();
    }
    return entries;
  }

 private:
  [[nodiscard]] bool is_next(char letter) const { return !rest_.empty() && rest_.front() == letter; }

  char take() {
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    if (letter == '\n') ++line_;
    return letter;
  }

  // The letters up to the first of `ends`, which are not an end of a line.
  std::string take_until(std::string_view ends) {
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(taken.size());
    return std::string{taken};
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size())); }

  void skip_comment() {
    skip_blanks();
    if (is_next('#')) rest_.remove_prefix(rest_.find('\n'));
  }

  // Over empty lines and comments.
  void skip_to_text() {
    for (skip_comment(); is_next('\n'); skip_comment()) take();
  }

  void check_end_of_line() {
    skip_comment();
    if (!is_next('\n')) fail(line_, fmt::format("'{}' was not expected here", take_until("\n")));
  }

  Path take_section() {
    take();
    if (is_next('[')) fail(line_, "a section stands in one pair of brackets");
    Path section = take_key();
    if (!is_next(']')) fail(line_, "the section is not closed: ] is missing");
    take();
    return section;
  }

  ConfigEntry take_entry(const Path& section) {
    ConfigEntry entry{.line = line_, .path = section, .values = {}};
    const Path key = take_key();
    entry.path.insert(entry.path.end(), key.begin(), key.end());
    if (!is_next('=')) fail(line_, fmt::format("there is no '=' behind '{}'", fmt::join(key, ".")));
    if (!known_.insert(entry.path).second) fail(line_, fmt::format("'{}' was given before", fmt::join(key, ".")));
    take();
    skip_blanks();
    if (is_next('[')) {
      entry.values = take_list();
    } else {
      entry.values.push_back(take_value());
    }
    return entry;
  }

  // "order.place", and the blanks behind it.
  Path take_key() {
    Path key;
    while (true) {
      skip_blanks();
      key.push_back(take_key_part());
      skip_blanks();
      if (!is_next('.')) return key;
      take();
    }
  }

  std::string take_key_part() {
    if (is_next('"') || is_next('\'')) return take_quoted();
    const auto end = std::min(rest_.find_first_not_of(bare_key_letters), rest_.size());
    if (end == 0) fail(line_, fmt::format("a name was expected, not '{}'", take_until("\n")));
    std::string part{rest_.substr(0, end)};
    rest_.remove_prefix(end);
    return part;
  }

  std::vector<std::string> take_list() {
    const std::int64_t first_line = line_;
    take();
    std::vector<std::string> values;
    for (skip_to_text(); !is_next(']'); skip_to_text()) {
      if (rest_.empty()) fail(first_line, "the list is not closed: ] is missing");
      values.push_back(take_value());
      skip_to_text();
      if (is_next(',')) {
        take();
      } else if (!is_next(']')) {
        fail(rest_.empty() ? first_line : line_, "the list is not closed: ] is missing, or a comma");
      }
    }
    take();
    return values;
  }

  std::string take_value() {
    if (is_next('"') || is_next('\'')) return take_quoted();
    std::string value = take_until(no_bare_value);
    if (value.empty()) fail(line_, "a value was expected: a text in quotes, a number, true, false or a list of them");
    return value;
  }

  // In '...' a backslash is a letter as any other.
  std::string take_quoted() {
    const char quote = take();
    std::string text;
    while (!is_next(quote)) {
      if (is_next('\n') || rest_.empty()) fail(line_, fmt::format("the quote {} is not closed", quote));
      const char letter = take();
      text += letter == '\\' && quote == '"' ? take_escaped() : letter;
    }
    take();
    return text;
  }

  // What is meant by the letter behind a backslash.
  char take_escaped() {
    constexpr std::string_view letters = "\"\\btnfr";
    constexpr std::string_view meant = "\"\\\b\t\n\f\r";
    const char letter = take();
    const auto place = letters.find(letter);
    if (place == std::string_view::npos) fail(line_, "a backslash stands before \" \\ b t n f or r: write it twice");
    return meant[place];
  }

  std::string_view rest_;  // Every line has its end.
  std::int64_t line_ = 1;
  std::set<Path> known_;
};

}  // namespace

ConfigError::ConfigError(std::int64_t line, const std::string& why)
    : std::runtime_error(fmt::format("line {}: {}", line, why)) {}

std::vector<ConfigEntry> read_config(std::istream& stream) {
  try {
    const std::string text = text_of(stream);
    return ConfigReader{text}.read();
  } catch (const Error& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace freshet::cli
