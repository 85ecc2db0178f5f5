// Writes the completions of shells. Each script finds the place of the cursor, such as "order place", in the words
// before it, and knows what may stand there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/documentation/manual.hpp"

namespace freshet::cli {
namespace {

// A command or a group, and the words that lead there: "", "order", "order place".
struct Place {
  std::string path;
  const CommandOutline* command;
};

void add_places(const CommandOutline& command, const std::string& path, std::vector<Place>& places) {
  places.push_back({path, &command});
  for (const CommandOutline& inner : command.commands) {
    add_places(inner, path.empty() ? inner.name : path + " " + inner.name, places);
  }
}

std::vector<Place> places_of(const CommandOutline& program) {
  std::vector<Place> places;
  add_places(program, "", places);
  return places;
}

// In single quotes, with a quote in them written as `quote`.
std::string in_quotes(const std::string& text, const char* quote) {
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? quote : std::string(1, letter);
  return quoted + "'";
}

std::string in_shell_quotes(const std::string& text) {
  return in_quotes(text, R"('\'')");
}

bool is_file(const OptionOutline& option) {
  return option.value == "FILE" || option.value == "DIR";
}

// The options of the place and, below the program, those of every command.
std::vector<OptionOutline> options_at(const Place& place, const CommandOutline& program) {
  std::vector<OptionOutline> options = place.command->options;
  if (place.path.empty()) return options;
  for (const OptionOutline& option : program.options) {
    const bool is_own = option.name == "--help" || option.name == "--version";
    if (!is_own) options.push_back(option);
  }
  return options;
}

// The lines of a `case` that moves from place to place, word by word.
std::string steps(const std::vector<Place>& places) {
  std::vector<std::string> patterns;
  for (const Place& place : places) {
    if (!place.path.empty()) patterns.push_back("' " + place.path + "'");
  }
  return fmt::format("{}", fmt::join(patterns, "|"));
}

// One branch of a `case` for each option that takes a value.
std::string value_branches(const CommandOutline& program, const std::vector<Place>& places,
                           std::string (*complete)(const OptionOutline&)) {
  std::string text;
  for (const Place& place : places) {
    for (const OptionOutline& option : place.command->options) {
      if (option.value.empty()) continue;
      const std::string anywhere = place.command == &program ? "*" : "";
      const std::string path = place.path.empty() ? "" : " " + place.path;
      text += fmt::format("    {}'{} {}') {}; return ;;\n", anywhere, path, option.name, complete(option));
    }
  }
  return text;
}

std::string bash_values(const OptionOutline& option) {
  if (is_file(option)) return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))";
  return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", fmt::join(option.choices, " "));
}

std::string zsh_values(const OptionOutline& option) {
  if (is_file(option)) return "_files";
  if (option.choices.empty()) return fmt::format("_message {}", in_shell_quotes(option.value));
  return fmt::format("compadd -- {}", fmt::join(option.choices, " "));
}

std::string fish_quoted(const std::string& text) {
  return in_quotes(text, "\\'");
}

std::string fish_option(const OptionOutline& option) {
  std::string text = fmt::format(" -l {}", option.name.substr(2));
  if (!option.letter.empty()) text += fmt::format(" -s {}", option.letter.substr(1));
  if (is_file(option)) {
    text += " -r -F";
  } else if (!option.choices.empty()) {
    text += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
  } else if (!option.value.empty()) {
    text += " -x";
  }
  return text + fmt::format(" -d {}\n", fish_quoted(brief(option.meaning)));
}

}  // namespace

std::string bash_completions(const CommandOutline& program) {
  const auto places = places_of(program);
  std::string text =
      "# Completions of freshet for bash, made from the program's own grammar.\n"
      "_freshet() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} place= commands= options= index\n"
      "  COMPREPLY=()\n"
      "  for ((index = 1; index < COMP_CWORD; ++index)); do\n"
      "    case \"$place ${COMP_WORDS[index]}\" in\n";
  text += fmt::format("      {}) place+=\" ${{COMP_WORDS[index]}}\" ;;\n", steps(places));
  text += "    esac\n  done\n  case \"$place ${COMP_WORDS[COMP_CWORD-1]}\" in\n";
  text += value_branches(program, places, bash_values) + "  esac\n  case $place in\n";
  for (const Place& place : places) {
    std::vector<std::string> commands;
    std::vector<std::string> options;
    for (const CommandOutline& inner : place.command->commands) commands.push_back(inner.name);
    for (const OptionOutline& option : options_at(place, program)) options.push_back(option.name);
    text += fmt::format("    '{}{}') commands='{}' options='{}' ;;\n", place.path.empty() ? "" : " ", place.path,
                        fmt::join(commands, " "), fmt::join(options, " "));
  }
  return text +
         "  esac\n"
         "  # Options are many; they are shown to those who begin one, or where nothing else can stand.\n"
         "  if [[ $word == -* || -z $commands ]]; then commands=$options; fi\n"
         "  COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
         "}\n"
         "complete -F _freshet freshet\n";
}

std::string zsh_completions(const CommandOutline& program) {
  const auto places = places_of(program);
  std::string text =
      "#compdef freshet\n"
      "# Completions of freshet for zsh, made from the program's own grammar.\n"
      "_freshet() {\n"
      "  local place= word\n"
      "  local -a commands options\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case \"$place $word\" in\n";
  text += fmt::format("      {}) place+=\" $word\" ;;\n", steps(places));
  text += "    esac\n  done\n  case \"$place ${words[CURRENT-1]}\" in\n";
  text += value_branches(program, places, zsh_values) + "  esac\n  case $place in\n";
  for (const Place& place : places) {
    std::vector<std::string> commands;
    std::vector<std::string> options;
    for (const CommandOutline& inner : place.command->commands) {
      commands.push_back(in_shell_quotes(inner.name + ":" + brief(inner.meaning)));
    }
    for (const OptionOutline& option : options_at(place, program)) {
      options.push_back(in_shell_quotes(option.name + ":" + brief(option.meaning)));
    }
    text += fmt::format("    '{}{}')\n      commands=({})\n      options=({}) ;;\n", place.path.empty() ? "" : " ",
                        place.path, fmt::join(commands, "\n        "), fmt::join(options, "\n        "));
  }
  return text +
         "  esac\n"
         "  if [[ $PREFIX == -* || $#commands -eq 0 ]]; then\n"
         "    _describe -o option options\n"
         "  else\n"
         "    _describe command commands\n"
         "  fi\n"
         "}\n"
         "_freshet \"$@\"\n";
}

std::string fish_completions(const CommandOutline& program) {
  const auto places = places_of(program);
  std::vector<std::string> paths;
  for (const Place& place : places) {
    if (!place.path.empty()) paths.push_back(fish_quoted(place.path));
  }
  std::string text =
      "# Completions of freshet for fish, made from the program's own grammar.\n"
      "function __freshet_is_at\n"
      "  set -l place\n"
      "  for word in (commandline -opc)[2..-1]\n";
  text += fmt::format("    if contains -- (string join ' ' -- $place $word) {}\n", fmt::join(paths, " "));
  text +=
      "      set -a place $word\n"
      "    end\n"
      "  end\n"
      "  test \"$place\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c freshet -f\n";
  for (const Place& place : places) {
    const std::string here =
        fmt::format("complete -c freshet -n {}", fish_quoted("__freshet_is_at \"" + place.path + "\""));
    for (const CommandOutline& inner : place.command->commands) {
      text += fmt::format("{} -a {} -d {}\n", here, inner.name, fish_quoted(brief(inner.meaning)));
    }
    const std::string for_option = place.command == &program ? "complete -c freshet" : here;
    for (const OptionOutline& option : place.command->options) text += for_option + fish_option(option);
  }
  return text;
}

}  // namespace freshet::cli
