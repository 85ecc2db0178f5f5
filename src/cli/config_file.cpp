// Reads TOML. The only place that knows toml++, which takes seconds to compile.
#include "cli/config_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string_view>

namespace freshet::cli {
namespace {

std::size_t line_of(const toml::node& node) {
  return node.source().begin.line;
}

// Up to the end, or far enough to know that it is too long.
std::string text_of(std::istream& stream) {
  std::string text(config_bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) throw ConfigError(1, "it cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > config_bytes_max) {
    throw ConfigError(1, fmt::format("the file is longer than {} bytes", config_bytes_max));
  }
  return text;
}

// toml++ up to 3.4 takes it for granted that a section has a name, and aborts on "[ =" and "[[=".
void check_sections(const std::string& text) {
  constexpr std::string_view blanks = " \t";
  constexpr std::string_view name_beginnings = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_\"'";
  std::istringstream lines{text};
  std::size_t number = 1;
  for (std::string line; std::getline(lines, line); ++number) {
    const std::size_t begin = line.find_first_not_of(" \t\xEF\xBB\xBF");  // The last three: a byte order mark.
    if (begin == std::string::npos || line[begin] != '[') continue;
    const std::size_t name = line.find_first_not_of(blanks, begin + 1);
    if (name != std::string::npos && name_beginnings.find(line[name]) != std::string_view::npos) continue;
    throw ConfigError(number, "a section has a name in one pair of brackets, as in [order.place]");
  }
}

// "Error while parsing array: expected ..."
std::string why(std::string_view description) {
  constexpr std::string_view beginning = "Error ";
  if (description.starts_with(beginning)) description.remove_prefix(beginning.size());
  std::string text{description};
  // As in "delay = 50ms" and "log-level = debug".
  for (const std::string_view sign : {"integer", "could not determine value type"}) {
    if (description.find(sign) == std::string_view::npos) continue;
    return text + "; a text stands in quotes, as in delay = \"50ms\"";
  }
  return text;
}

std::string value_of(const toml::value<std::string>& text) {
  if (text->find('\0') != std::string::npos) throw ConfigError(line_of(text), "there is a U+0000 in the text");
  return *text;
}

std::string value_of(const toml::value<bool>& truth) {
  return *truth ? "true" : "false";
}

std::string value_of(const toml::value<std::int64_t>& number) {
  return fmt::format("{}", *number);
}

// With so few digits, and a point, it comes out as it went in.
std::string value_of(const toml::value<double>& number) {
  constexpr unsigned length_max = std::numeric_limits<double>::digits10 + 1;
  const toml::source_region& place = number.source();
  if (place.end.line != place.begin.line || place.end.column - place.begin.column > length_max) {
    throw ConfigError(line_of(number), "the number has too many digits to be exact: put it in quotes");
  }
  return fmt::format("{}", *number);
}

// A date, a time or both, as TOML writes them.
template <typename Moment>
std::string value_of(const toml::value<Moment>& moment) {
  std::ostringstream text;
  text << *moment;
  return text.str();
}

class ConfigReader {
 public:
  // The tables hold their entries in the order of their names.
  std::vector<ConfigEntry> read(const toml::table& table) {
    add_all(table);
    std::ranges::sort(entries_, {}, &ConfigEntry::line);
    return std::move(entries_);
  }

 private:
  void add_all(const toml::table& table) {
    for (const auto& [key, node] : table) {
      path_.emplace_back(key.str());
      node.visit([this, line = key.source().begin.line](const auto& entry) { add(entry, line); });
      path_.pop_back();
    }
  }

  void add(const toml::table& section, std::size_t /*line*/) { add_all(section); }

  void add(const toml::array& list, std::size_t line) {
    ConfigEntry entry{.line = line, .path = path_, .values = {}};
    for (const toml::node& element : list) {
      element.visit([&entry]<typename Element>(const Element& value) {
        if constexpr (toml::is_value<Element>) {
          entry.values.push_back(value_of(value));
        } else {
          throw ConfigError(line_of(value), "a list holds texts and numbers, and neither lists nor sections");
        }
      });
    }
    entries_.push_back(std::move(entry));
  }

  template <typename Value>
  void add(const toml::value<Value>& value, std::size_t line) {
    entries_.push_back({.line = line, .path = path_, .values = {value_of(value)}});
  }

  std::vector<std::string> path_;
  std::vector<ConfigEntry> entries_;
};

}  // namespace

ConfigError::ConfigError(std::size_t line, const std::string& why)
    : std::runtime_error(fmt::format("line {}: {}", line, why)) {}

std::vector<ConfigEntry> read_config(std::istream& stream) {
  const std::string text = text_of(stream);
  check_sections(text);
  try {
    return ConfigReader{}.read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    throw ConfigError(error.source().begin.line, why(error.description()));
  }
}

}  // namespace freshet::cli
