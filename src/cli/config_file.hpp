// The configuration file: the part of TOML that options need, and no line passed over that is not understood.
// These are comments, sections, keys (with points, and in quotes), texts, numbers, true and false, and lists
// of them. The quotes of a text that is one plain word may be left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <stdexcept>
#include <string>
#include <vector>

namespace freshet::cli {

// A configuration is written by a person; a longer one is probably some other file.
inline constexpr std::size_t config_line_bytes_max = std::size_t{64} << 10U;
inline constexpr std::size_t config_lines_max = 10'000;

// What is written there is no configuration. what() says in which line, and why.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ConfigError(std::int64_t line, const std::string& why);
};

struct ConfigEntry {
  std::int64_t line = 0;
  std::vector<std::string> path;    // The sections that it stands in, and its name.
  std::vector<std::string> values;  // One, or those of a list.
};

// Throws ConfigError.
[[nodiscard]] std::vector<ConfigEntry> read_config(std::istream& stream);

}  // namespace freshet::cli
