// Splits and completes the lines of a shell.
#include "cli/shell_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/suggest.hpp"
#include "scenario/script.hpp"

namespace freshet::cli {
namespace {

using Words = std::vector<std::string>;

constexpr const char* own_help =
    "\nWords of the shell:\n"
    "  help [COMMAND]              Show this help, or that of a group or a command\n"
    "  exit                        Leave, as Ctrl-D does\n"
    "\nTab completes commands, options and the ids of orders. Ctrl-C gives up a line, or a command that waits.\n";

// A text that could not be typed as it is would have to be quoted.
bool is_plain(const std::string& word) {
  return word.find_first_of(" \t'\"\\#") == std::string::npos;
}

std::string unknown_topic(const std::string& word, const Words& known) {
  if (const auto close = nearest(word, known)) {
    return fmt::format("there is no help for '{}': did you mean '{}'?", word, *close);
  }
  return fmt::format("there is no help for '{}': 'help' shows what there is", word);
}

// Behind the last blank; quotes are left to whoever types them.
Words words_before(std::string_view line) {
  std::istringstream stream{std::string{line}};
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (!words.empty() && words.front() == "freshet") words.erase(words.begin());
  return words;
}

}  // namespace

std::variant<Words, UsageError> split_words(const std::string& line) {
  try {
    const auto lines = scenario::read_script(line);
    if (lines.empty()) return Words{};
    if (!lines.front().client.empty()) return UsageError{"'client' belongs into a script: see 'freshet run --help'"};
    Words words = lines.front().words;
    if (words.size() > 1 && words.front() == "freshet") words.erase(words.begin());
    return words;
  } catch (const scenario::ScriptError& error) {
    // It counts lines, and knows of this one only.
    const std::string message = error.what();
    return UsageError{message.substr(message.find(": ") + 2)};
  }
}

bool leaves(const Words& words) {
  return words.front() == "exit" || words.front() == "quit";
}

bool asks_for_help(const Words& words) {
  return words.front() == "help";
}

std::variant<HelpWanted, UsageError> help_for(const Words& words, const Settings& settings) {
  Words asked{words.begin() + 1, words.end()};
  for (auto word = asked.begin(); word != asked.end(); ++word) {
    const Words known = next_words({asked.begin(), word}).words;
    if (std::ranges::find(known, *word) == known.end()) return UsageError{unknown_topic(*word, known)};
  }
  asked.emplace_back("--help");
  const Parsed parsed = parse_line(asked, settings);
  if (const auto* help = std::get_if<HelpWanted>(&parsed.outcome)) {
    return HelpWanted{help->text + (asked.size() == 1 ? own_help : "")};
  }
  if (const auto* error = std::get_if<UsageError>(&parsed.outcome)) return *error;
  return UsageError{"'help' takes the name of a command, such as 'help order get'"};
}

Words complete(std::string_view line, const FindOrderIds& find_order_ids) {
  const std::size_t begin = line.find_last_of(' ') + 1;
  const std::string begun{line.substr(begin)};
  Words before = words_before(line.substr(0, begin));
  if (!before.empty() && before.front() == "help") before.erase(before.begin());

  NextWords next = next_words(before);
  if (before.empty()) next.words.insert(next.words.end(), {"help", "exit"});
  Words found;
  for (std::string& word : next.words) {
    // Options are many; they are shown to those who begin one, or where nothing else can stand.
    const bool is_meant = word.starts_with(begun) && (!word.starts_with("-") || begun.starts_with("-") ||
                                                      (begun.empty() && !next.may_be_order_id));
    if (is_meant) found.push_back(std::move(word));
  }
  if (next.may_be_order_id && !begun.starts_with("-")) {
    std::ranges::copy_if(find_order_ids(begun), std::back_inserter(found), is_plain);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace freshet::cli
