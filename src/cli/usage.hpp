// How the command line explains itself: help texts, and errors in words that help.
//
// With parser.cpp the only place that knows CLI11, which takes ten seconds to compile.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/config_file.hpp"

namespace freshet::cli {

// The help of a command, a group or the whole program.
[[nodiscard]] std::string help_text(const CLI::App& app);

// The command, or the group where there is none, that the words named.
[[nodiscard]] const CLI::App& selected(const CLI::App& root);

// Why the entry of a configuration is none of the program's; nothing if it is.
[[nodiscard]] std::optional<std::string> config_problem(const ConfigEntry& entry, const CLI::App& root);

// One line, lower case, that says what is wrong and what to do.
[[nodiscard]] std::string usage_message(const CLI::ParseError& error, const CLI::App& root);

}  // namespace freshet::cli
