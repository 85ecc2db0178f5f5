// Escapes character by character.
#include "cli/printable.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "base/utf8.hpp"

namespace freshet::cli {

std::string printable(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const auto character = first_character(text);
    const std::size_t bytes = character ? character->bytes : 1;
    if (character && !is_hidden(character->code)) {
      escaped += text.substr(0, bytes);
    } else if (bytes == 1) {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      escaped += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(character->code));
    }
    text.remove_prefix(bytes);
  }
  return escaped;
}

}  // namespace freshet::cli
