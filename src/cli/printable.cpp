// Escapes what a terminal would obey.
#include "cli/printable.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace freshet::cli {

std::string printable(std::string_view text) {
  if (is_utf8(text) && !has_control_character(text)) return std::string{text};
  std::string escaped;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool is_plain = byte >= 0x20U && byte < 0x7FU;
    escaped += is_plain ? std::string(1, letter) : fmt::format("\\x{:02x}", byte);
  }
  return escaped;
}

}  // namespace freshet::cli
