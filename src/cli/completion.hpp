// What may follow words of the command line, read off its grammar.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/parser.hpp"

namespace freshet::cli {

[[nodiscard]] NextWords next_words_of(const CLI::App& root, const std::vector<std::string>& words);

}  // namespace freshet::cli
