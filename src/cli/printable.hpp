// Texts of any origin, made fit for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace freshet::cli {

// `text` with whatever a terminal would obey (or could not decode) written as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace freshet::cli
