// Texts as they come from outside: are they UTF-8, and can they stand on one line?
#pragma once

#include <string_view>

namespace freshet {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. An empty text is.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// For texts that are UTF-8. Control characters are U+0000 to U+001F and U+007F to U+009F: line ends, and
// what a terminal obeys instead of showing it.
[[nodiscard]] bool has_control_character(std::string_view text) noexcept;

}  // namespace freshet
