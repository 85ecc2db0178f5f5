// The signs of the drawings: what happened is told by shape, never by colour alone.
#pragma once

#include <string_view>

#include "report/markup.hpp"
#include "scenario/timeline.hpp"

namespace freshet::report {

// What a sign stands for, in the legend's words.
[[nodiscard]] std::string_view meaning(const scenario::Occurrence& occurrence);

// Names the sign: two occurrences with the same name look the same.
[[nodiscard]] std::string_view glyph_name(const scenario::Occurrence& occurrence);

// Draws the sign around (0, 0), some 12 px wide.
void draw_glyph(Markup& markup, const scenario::Occurrence& occurrence);

}  // namespace freshet::report
