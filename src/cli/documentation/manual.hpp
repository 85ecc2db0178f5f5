// The manual page and the completions of shells, made of the outline of the grammar.
#pragma once

#include <string>

#include "cli/outline.hpp"

namespace freshet::cli {

// freshet(1), for man. `version` is a text such as "freshet 0.1.0".
[[nodiscard]] std::string manual_page(const CommandOutline& program, const std::string& version);

[[nodiscard]] std::string bash_completions(const CommandOutline& program);
[[nodiscard]] std::string fish_completions(const CommandOutline& program);
[[nodiscard]] std::string zsh_completions(const CommandOutline& program);

}  // namespace freshet::cli
