// The configuration file: TOML, read with toml++.
#pragma once

#include <cstddef>
#include <istream>
#include <stdexcept>
#include <string>
#include <vector>

namespace freshet::cli {

// A configuration is written by a person; a longer one is probably some other file.
inline constexpr std::size_t config_bytes_max = std::size_t{1} << 20U;

// What is written there is no configuration. what() says in which line, and why.
class ConfigError : public std::runtime_error {
 public:
  ConfigError(std::size_t line, const std::string& why);
};

struct ConfigEntry {
  std::size_t line = 0;
  std::vector<std::string> path;    // The sections that it stands in, and its name.
  std::vector<std::string> values;  // One, or those of a list, as the command line would have them.
};

// In the order of their lines. Throws ConfigError.
[[nodiscard]] std::vector<ConfigEntry> read_config(std::istream& stream);

}  // namespace freshet::cli
