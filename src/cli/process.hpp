// The program as a process: words in, answers on standard output, failures on standard error, and an exit
// code.
#pragma once

#include <string>
#include <vector>

namespace freshet::cli {

// `words` are the arguments without the program's name. Returns the exit code.
[[nodiscard]] int run_process(const std::vector<std::string>& words);

}  // namespace freshet::cli
