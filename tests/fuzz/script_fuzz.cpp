// Fuzz target: a script for `freshet run`, taken apart into words and steps. Commands stand for themselves here;
// the grammar of the command line is the target shell_line.
#include <string>

#include "fuzz/fuzz.hpp"
#include "scenario/script.hpp"
#include "scenario/steps.hpp"

namespace freshet::fuzz {
namespace {

using namespace scenario;

class AnyCommand final : public CommandLine {
 public:
  [[nodiscard]] std::vector<std::string> groups() const override { return {"order", "log", "projection"}; }
  [[nodiscard]] RunCommand command(const std::vector<std::string>& words) const override {
    if (words.size() == 1) throw BadWords("a command is missing");
    return [](Stage& /*stage*/) { return Reply{}; };
  }
  [[nodiscard]] BusOptions bus(const std::vector<std::string>& /*words*/, const BusOptions& current) const override {
    return current;
  }
};

std::string in_quotes(std::string_view word) {
  std::string text = "\"";
  for (const char letter : word) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + '"';
}

// The line as somebody would write it who quotes everything.
std::string written(const ScriptLine& line) {
  std::string text;
  if (!line.client.empty()) text = "client " + in_quotes(line.client + ":") + ' ';
  text += in_quotes(line.words.front());
  if (line.words.front() == "echo") return text + ' ' + line.rest;
  for (std::size_t index = 1; index < line.words.size(); ++index) text += ' ' + in_quotes(line.words[index]);
  return text;
}

void check_line(const ScriptLine& line) {
  const auto again = read_script(written(line));
  ensure(again.size() == 1, "a line is read as one line");
  ensure(again.front().words == line.words && again.front().client == line.client,
         "words are read as they were written");
  if (line.words.front() == "echo") ensure(again.front().rest == line.rest, "what is said is read as it was written");
}

}  // namespace

void check(std::string_view text) {
  try {
    for (const auto& line : scenario::read_script(text)) check_line(line);
    static_cast<void>(scenario::understand(text, AnyCommand{}));
  } catch (const scenario::ScriptError& error) {
    ensure(error.line() >= 1, "an error names its line");
    ensure_shown(error.what());
  }
}

}  // namespace freshet::fuzz
