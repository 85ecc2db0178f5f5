// The grammar of the command line as data, for the manual page and the completions of shells.
#pragma once

#include <string>
#include <vector>

namespace freshet::cli {

struct OptionOutline {
  std::string name;     // "--delay", or "ID" of an argument.
  std::string letter;   // "-h"; empty for most.
  std::string value;    // What stands for the value in help: "DELAY". Empty for a flag.
  std::string meaning;  // As in help.
  std::string section;  // The heading under which help shows it.
  std::string environment;
  std::vector<std::string> choices;  // Its values, where there are few.
};

// A command, a group, or the whole program, with what is below it.
struct CommandOutline {
  std::string name;
  std::string meaning;
  std::string example;  // Lines of a shell.
  std::vector<OptionOutline> arguments;
  std::vector<OptionOutline> options;
  std::vector<CommandOutline> commands;
};

// Of the program.
[[nodiscard]] CommandOutline outline();

// The beginning of a meaning that can stand alone, for a list.
[[nodiscard]] std::string brief(const std::string& meaning);

}  // namespace freshet::cli
