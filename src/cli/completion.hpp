// What may follow words of the command line, read off its grammar.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/outline.hpp"
#include "cli/parser.hpp"

namespace freshet::cli {

// The values of "full|normal"; none of "N", which stands for many.
[[nodiscard]] std::vector<std::string> choices_of(const CLI::Option& option);

[[nodiscard]] CommandOutline outline_of(const CLI::App& app);

[[nodiscard]] NextWords next_words_of(const CLI::App& root, const std::vector<std::string>& words);

}  // namespace freshet::cli
