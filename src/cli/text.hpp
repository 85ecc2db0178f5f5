// Answers as text for people.
#pragma once

#include <string>
#include <string_view>

#include "cli/answer.hpp"
#include "cli/palette.hpp"

namespace freshet::cli {

// Whole lines, with their ends.
[[nodiscard]] std::string render_text(const Answer& answer, const Palette& palette);

// The answer's warnings, which belong on standard error.
[[nodiscard]] std::vector<std::string> warnings_of(const Answer& answer);

// `text` with whatever a terminal would obey (or could not decode) written as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace freshet::cli
