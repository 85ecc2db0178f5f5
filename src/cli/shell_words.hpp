// The words of a line of the shell: split, and completed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/parser.hpp"

namespace freshet::cli {

// Split as a script's line is: quotes, backslashes, comments. None for an empty line. The program's name in
// front, as commands are written elsewhere, is left out.
[[nodiscard]] std::variant<std::vector<std::string>, UsageError> split_words(const std::string& line);

// What is the shell's own word is no command of the grammar.
[[nodiscard]] bool leaves(const std::vector<std::string>& words);
[[nodiscard]] bool asks_for_help(const std::vector<std::string>& words);

// The help that `help COMMAND...` asks for.
[[nodiscard]] std::variant<HelpWanted, UsageError> help_for(const std::vector<std::string>& words,
                                                            const Settings& settings);

// Ids of orders that begin with a text.
using FindOrderIds = std::function<std::vector<std::string>(const std::string& start)>;

// What the last, begun word of `line` can become.
[[nodiscard]] std::vector<std::string> complete(std::string_view line, const FindOrderIds& find_order_ids);

}  // namespace freshet::cli
