// Answers as text for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/answer.hpp"
#include "cli/palette.hpp"

namespace freshet::cli {

// "1 order", "2 orders"
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun);

// Whole lines, with their ends.
[[nodiscard]] std::string render_text(const Answer& answer, const Palette& palette);

// The answer's warnings, which belong on standard error.
[[nodiscard]] std::vector<std::string> warnings_of(const Answer& answer);

}  // namespace freshet::cli
