// Reads the grammar off CLI11's objects.
//
// With parser.cpp, completion.cpp and usage.cpp the only place that knows CLI11.
#include "cli/outline.hpp"

#include <algorithm>

#include "cli/completion.hpp"

namespace freshet::cli {
namespace {

OptionOutline outline_of(const CLI::Option& option) {
  OptionOutline outline{.name = option.get_positional() ? option.get_name(true) : "--" + option.get_lnames().front(),
                        .letter = {},
                        .value = option.get_type_size() == 0 ? "" : option.get_type_name(),
                        .meaning = option.get_description(),
                        .section = option.get_group(),
                        .environment = option.get_envname(),
                        .choices = choices_of(option)};
  if (!option.get_snames().empty()) outline.letter = "-" + option.get_snames().front();
  return outline;
}

}  // namespace

CommandOutline outline_of(const CLI::App& app) {
  CommandOutline outline{.name = app.get_name(),
                         .meaning = app.get_description(),
                         .example = {},
                         .arguments = {},
                         .options = {},
                         .commands = {}};
  // "Example:\n  freshet order pay 7"
  const std::string footer = app.get_footer();
  outline.example = footer.substr(std::min(footer.find('\n') + 1, footer.size()));
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      outline.arguments.push_back(outline_of(*option));
    } else if (!option->get_group().empty() && !option->get_lnames().empty()) {
      outline.options.push_back(outline_of(*option));
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* /*command*/) { return true; })) {
    outline.commands.push_back(outline_of(*command));
  }
  return outline;
}

std::string brief(const std::string& meaning) {
  std::size_t end = meaning.size();
  for (const char* sign : {": ", " (", ". ", "; "}) end = std::min(end, meaning.find(sign));
  return meaning.substr(0, end);
}

}  // namespace freshet::cli
