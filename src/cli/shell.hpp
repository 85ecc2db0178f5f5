// The shell: one command after the other against one open store with a live engine, from a person at a
// terminal or from a pipe.
#pragma once

#include "cli/error_output.hpp"
#include "cli/output.hpp"
#include "cli/request.hpp"

namespace freshet::cli {

// Returns the exit code. At a terminal that is 0, whatever the commands came to; with input from elsewhere
// it is that of the first line that failed. A signal that ended the shell is 128 and its number.
[[nodiscard]] int run_shell(const Settings& settings, Output& output, ErrorOutput& errors);

}  // namespace freshet::cli
