// Writes the manual page in the language of man.
#include "cli/documentation/manual.hpp"

#include <fmt/format.h>

#include <map>

namespace freshet::cli {
namespace {

// A text that means itself: '-' would be a hyphen, and a '.' that begins a line a command.
std::string literal(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    const bool is_first = escaped.empty() || escaped.back() == '\n';
    if (is_first && (letter == '.' || letter == '\'')) escaped += "\\&";
    if (letter == '-') escaped += '\\';
    escaped += letter == '\\' ? "\\e" : std::string(1, letter);
  }
  return escaped;
}

std::string entry(const OptionOutline& option) {
  std::string heading = fmt::format("\\fB{}\\fR", literal(option.name));
  if (!option.letter.empty()) heading = fmt::format("\\fB{}\\fR, {}", literal(option.letter), heading);
  const bool is_argument = !option.name.starts_with("-");
  if (!option.value.empty() && !is_argument) heading += fmt::format(" \\fI{}\\fR", literal(option.value));
  return fmt::format(".TP\n{}\n{}\n", heading, literal(option.meaning));
}

std::string entries(const std::vector<OptionOutline>& options) {
  std::string text;
  for (const OptionOutline& option : options) text += entry(option);
  return text;
}

std::string example(const CommandOutline& command) {
  return command.example.empty() ? "" : fmt::format(".PP\n.EX\n{}\n.EE\n", literal(command.example));
}

std::string command_text(const CommandOutline& command, const std::string& before) {
  const std::string path = before + " " + command.name;
  if (!command.commands.empty()) {
    std::string text;
    for (const CommandOutline& inner : command.commands) text += command_text(inner, path);
    return text;
  }
  std::string heading = path;
  for (const OptionOutline& argument : command.arguments) heading += " " + argument.name;
  // The options that every command has are told once.
  std::vector<OptionOutline> own = command.options;
  std::erase_if(own, [](const OptionOutline& option) { return option.name == "--help"; });
  return fmt::format(".SS \"{}\"\n{}\n", literal(heading), literal(command.meaning)) + entries(command.arguments) +
         entries(own) + example(command);
}

std::string settings_text(const CommandOutline& program) {
  std::map<std::string, std::string> sections;
  for (const OptionOutline& option : program.options) sections[option.section] += entry(option);
  std::string text;
  for (const auto& [name, texts] : sections) text += fmt::format(".SS \"{}\"\n", literal(name)) + texts;
  return text;
}

std::string environment_text(const CommandOutline& program) {
  std::string text;
  for (const OptionOutline& option : program.options) {
    if (option.environment.empty()) continue;
    text += fmt::format(
        ".TP\n\\fB{}\\fR\nThe value of \\fB{}\\fR where neither the command line nor a file that "
        "\\fB\\-\\-config\\fR names gives one.\n",
        literal(option.environment), literal(option.name));
  }
  return text.empty() ? "" : ".SH ENVIRONMENT\n" + text;
}

constexpr const char* exit_statuses =
    ".SH EXIT STATUS\n"
    "0 success; 1 the file or the disk; 2 usage; 3 the rules of the order forbid it; 4 the expected version does not "
    "match; 5 there is no such order or projection; 6 stale, and a fresh answer was required; 7 the file is corrupt; "
    "8 other processes kept the file busy; 130 and 143 after SIGINT and SIGTERM.\n";

}  // namespace

std::string manual_page(const CommandOutline& program, const std::string& version) {
  std::string text = ".\\\" Made from the program's own grammar.\n";
  text += fmt::format(".TH FRESHET 1 \"\" \"{}\" \"User Commands\"\n", literal(version));
  text += ".ad l\n";  // In a narrow terminal a long word leaves a line that cannot be filled out to its end.
  text += ".SH NAME\nfreshet \\- an event store whose every read says how fresh it is\n";
  text += ".SH SYNOPSIS\n\\fBfreshet\\fR \\fIGROUP\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  text += fmt::format(".SH DESCRIPTION\n{}\n", literal(program.meaning)) + example(program);
  text += ".SH COMMANDS\n";
  for (const CommandOutline& command : program.commands) text += command_text(command, program.name);
  text += ".SH OPTIONS OF EVERY COMMAND\n" + settings_text(program);
  return text + environment_text(program) + exit_statuses;
}

}  // namespace freshet::cli
