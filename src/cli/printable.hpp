// Texts of any origin, made fit for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace freshet::cli {

// `text` with whatever a terminal would obey, hide or put elsewhere written as \xNN or \u{NNNN}, and so what is no
// UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace freshet::cli
