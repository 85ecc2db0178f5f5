// Fuzz target: a line of the shell, split, completed, and understood by the grammar of the command line. Words that
// make no sense as a line are given to the process's own grammar as well, as arguments may hold any bytes.
#include <string>
#include <variant>

#include "cli/parser.hpp"
#include "cli/printable.hpp"
#include "cli/shell_words.hpp"
#include "fuzz/fuzz.hpp"

namespace freshet::fuzz {
namespace {

using namespace cli;

void check_outcome(const Parsed& parsed) {
  if (const auto* error = std::get_if<UsageError>(&parsed.outcome)) {
    ensure_shown(printable(error->message));
  } else if (const auto* help = std::get_if<HelpWanted>(&parsed.outcome)) {
    ensure(!help->text.empty() && is_utf8(help->text), "help is a text");
  }
}

void check_line(const std::string& line) {
  const auto split = split_words(line);
  if (const auto* error = std::get_if<UsageError>(&split)) return ensure_shown(error->message);
  const auto& words = std::get<std::vector<std::string>>(split);
  if (!words.empty()) check_outcome(parse_line(words, Settings{}));
}

void check_arguments(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view line : lines_of(text)) words.emplace_back(line);
  // A file that is named is read, and nobody knows which one that is here.
  if (text.find("--config") == std::string_view::npos) check_outcome(parse(words, Settings{}));
}

void check_completion(std::string_view line) {
  const std::string begun{line.substr(line.find_last_of(' ') + 1)};
  const auto ids = [](const std::string& start) { return std::vector{start + "7", start + " 7"}; };
  for (const std::string& word : complete(line, ids)) {
    ensure(word.starts_with(begun), "a word is completed to what it begins");
  }
}

}  // namespace

void check(std::string_view text) {
  if (text.find('\n') == std::string_view::npos) {
    check_line(std::string{text});
    check_completion(text);
  } else {
    check_arguments(text);
  }
}

}  // namespace freshet::fuzz
