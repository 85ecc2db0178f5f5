// Texts as they come from outside: are they UTF-8, and can they stand on one line?
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace freshet {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. An empty text is.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// For texts that are UTF-8. Control characters are U+0000 to U+001F and U+007F to U+009F: line ends, and
// what a terminal obeys instead of showing it.
[[nodiscard]] bool has_control_character(std::string_view text) noexcept;

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  // That it takes.
};

// What the text begins with; nothing where that is no character of UTF-8.
[[nodiscard]] std::optional<Character> first_character(std::string_view text) noexcept;

// What nobody sees, or what makes others stand elsewhere than they do: the order of writing, joiners and spaces
// without a width, separators of lines, tags; and what means something to few, as characters of private use. Control
// characters are meant as well. Variation selectors are not: half of all emoji have one.
[[nodiscard]] bool is_hidden(char32_t code) noexcept;

}  // namespace freshet
