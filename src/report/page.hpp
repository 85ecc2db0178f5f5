// What every page has: a head, the style, the script for details, and no way to the network.
#pragma once

#include <string>
#include <string_view>

#include "freshet/types.hpp"

namespace freshet::report {

// Embedded from page.css and page.js.
extern const char* const style_text;
extern const char* const script_text;

// `body` is finished markup.
[[nodiscard]] std::string page(std::string_view title, std::string_view body);

// "50.11 ms"
[[nodiscard]] std::string milliseconds(Duration duration);

// The number alone, "50.11".
[[nodiscard]] std::string milliseconds_number(Duration duration);

// The beginning of a text, with an ellipsis if it has more characters than that.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t characters_max);

// Characters of a UTF-8 text.
[[nodiscard]] std::size_t characters(std::string_view text);

// How wide a text of the drawings is at most, near enough to keep labels apart: no font is asked.
[[nodiscard]] double width_of(std::string_view text);
[[nodiscard]] double bold_width_of(std::string_view text);

}  // namespace freshet::report
