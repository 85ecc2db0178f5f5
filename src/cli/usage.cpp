// Writes help texts and usage errors.
#include "cli/usage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

#include "base/suggest.hpp"

namespace freshet::cli {
namespace {

constexpr std::size_t help_width = 100;
constexpr std::size_t name_width = 30;

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* /*command*/) { return true; });
}

// "freshet order place"
std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

// In as many lines as it takes, of which all but the first begin with so many blanks.
std::string wrapped(std::string_view words, std::size_t indent) {
  std::string text;
  std::size_t column = indent;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (column > indent && column + 1 + end > help_width) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      text += ' ';
      ++column;
    }
    text += words.substr(0, end);
    column += end;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return text + "\n";
}

// One entry of a list: the name at the left, what it means at the right.
std::string entry(const std::string& name, std::string_view meaning) {
  std::string text = fmt::format("  {:<{}}", name, name_width - 2);
  if (text.size() > name_width) text += "\n" + std::string(name_width, ' ');
  return text + wrapped(meaning, name_width);
}

std::string option_name(const CLI::Option& option) {
  const std::string type = option.get_type_size() == 0 ? "" : " " + option.get_type_name();
  if (option.get_positional()) return option.get_name(true);
  return (option.get_snames().empty() ? "" : "-" + option.get_snames().front() + ", ") + "--" +
         option.get_lnames().front() + type;
}

std::string options_text(const CLI::App& app, const std::string& group) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() != group || option->get_positional()) continue;
    text += entry(option_name(*option), option->get_description());
  }
  return text.empty() ? "" : "\n" + group + ":\n" + text;
}

std::string arguments_text(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) text += entry(option_name(*option), option->get_description());
  }
  return text.empty() ? "" : "\nArguments:\n" + text;
}

std::string usage_line(const CLI::App& app) {
  std::string line = "Usage: " + path_of(app);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    line += option->get_required() ? fmt::format(" {}", option->get_name(true))
                                   : fmt::format(" [{}]", option->get_name(true));
  }
  if (!commands_of(app).empty()) line += app.get_parent() == nullptr ? " GROUP COMMAND" : " COMMAND";
  return line + " [OPTIONS]\n";
}

// Options that `app` takes, its own and those of the levels above.
std::vector<std::string> known_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string see_help(const CLI::App& app) {
  return fmt::format("see '{} --help'", path_of(app));
}

std::string unknown_option(const std::string& word, const CLI::App& app) {
  const std::string name = word.substr(0, word.find('='));
  const std::vector<std::string> all = known_options(app);
  if (std::ranges::find(all, name) != all.end()) {
    return fmt::format("unexpected argument '{}': options stand before the --", word);
  }
  if (const auto known = nearest(name, all)) {
    return fmt::format("unknown option '{}': did you mean '{}'?", name, *known);
  }
  return fmt::format("unknown option '{}': {}", name, see_help(app));
}

// A command by its own name, when its group was left out.
const CLI::App* find_command(const CLI::App& root, const std::string& name) {
  for (const CLI::App* group : commands_of(root)) {
    for (const CLI::App* command : commands_of(*group)) {
      if (command->get_name() == name) return command;
    }
  }
  return nullptr;
}

std::string unknown_command(const std::string& word, const CLI::App& app, const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  if (const auto known = nearest(word, names)) {
    return fmt::format("unknown command '{}': did you mean '{} {}'?", word, path_of(app), *known);
  }
  if (const CLI::App* elsewhere = find_command(root, word)) {
    return fmt::format("unknown command '{}': did you mean '{}'?", word, path_of(*elsewhere));
  }
  return fmt::format("unknown command '{}': there are {}", word, fmt::join(names, ", "));
}

// The first word that nothing was made of; nothing if each found its place. CLI11 keeps the -- among them.
std::optional<std::string> first_extra(const CLI::App& root) {
  const std::vector<std::string> words = root.remaining(true);
  const auto word = std::ranges::find_if(words, [](const std::string& left) { return left != "--"; });
  if (word != words.end()) return *word;
  return words.size() > 1 ? std::optional{words.back()} : std::nullopt;
}

std::string unexpected(const std::string& word, const CLI::App& app, const CLI::App& root) {
  if (word.size() > 1 && word.front() == '-' && word != "--") return unknown_option(word, app);
  if (!commands_of(app).empty()) return unknown_command(word, app, root);
  return fmt::format("unexpected argument '{}': {}", word, see_help(app));
}

std::string missing(const std::string& message, const CLI::App& app) {
  if (!commands_of(app).empty()) {
    std::vector<std::string> names;
    for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
    return fmt::format("missing command: '{}' takes one of {}", path_of(app), fmt::join(names, ", "));
  }
  return fmt::format("missing {}: {}", message.substr(0, message.find(" is required")), see_help(app));
}

// CLI11 tells the option's name only as the beginning of its message.
std::string mismatch(const std::string& message, const CLI::App& app) {
  const std::string name = message.substr(0, message.find(':'));
  const CLI::Option* option = app.get_option_no_throw(name);
  for (const CLI::App* level = &app; option == nullptr && level != nullptr; level = level->get_parent()) {
    option = level->get_option_no_throw(name);
  }
  if (option != nullptr && option->count() > 1) return fmt::format("{} was given more than once: give it once", name);
  return fmt::format("{} needs a value: {}", name, see_help(app));
}

// Only flags are converted by CLI11: "Could not convert: --sync = maybe".
std::string not_a_flag(const std::string& message, const CLI::App& app) {
  const std::size_t name = message.find("--");
  return fmt::format("{} takes no value: {}", message.substr(name, message.find_first_of(" :", name) - name),
                     see_help(app));
}

std::string exclusion(const std::string& message) {
  constexpr std::string_view between = " excludes ";
  const std::size_t place = message.find(between);
  return fmt::format("{} and {} exclude each other: give one of them", message.substr(0, place),
                     message.substr(place + between.size()));
}

// The names that options have in a configuration, such as "order.place.sync".
std::vector<std::string> names_in_config(const CLI::App& app, const std::string& section) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_configurable()) continue;
    for (const std::string& name : option->get_lnames()) names.push_back(section + name);
  }
  for (const CLI::App* command : commands_of(app)) {
    std::ranges::copy(names_in_config(*command, section + command->get_name() + "."), std::back_inserter(names));
  }
  return names;
}

template <typename Kind>
bool is_a(const CLI::ParseError& error) {
  return dynamic_cast<const Kind*>(&error) != nullptr;
}

}  // namespace

const CLI::App& selected(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return *app;
}

std::string help_text(const CLI::App& app) {
  std::string text = wrapped(app.get_description(), 0) + "\n" + usage_line(app) + arguments_text(app);
  std::string commands;
  for (const CLI::App* command : commands_of(app)) commands += entry(command->get_name(), command->get_description());
  if (!commands.empty()) text += (app.get_parent() == nullptr ? "\nGroups:\n" : "\nCommands:\n") + commands;
  for (const std::string& group : app.get_groups()) {
    if (!group.empty()) text += options_text(app, group);  // What has no group is not shown.
  }
  if (!app.get_footer().empty()) text += "\n" + app.get_footer() + "\n";
  if (app.get_parent() != nullptr) text += "\nThe options of every command, such as --db and --json: freshet --help\n";
  return text;
}

std::optional<std::string> config_problem(const ConfigEntry& entry, const CLI::App& root) {
  const std::string name = fmt::format("{}", fmt::join(entry.path, "."));
  const std::vector<std::string> known = names_in_config(root, "");
  if (std::ranges::find(known, name) == known.end()) {
    const auto meant = nearest(name, known);
    return fmt::format("unknown option '{}': {}", name,
                       meant ? fmt::format("did you mean '{}'?", *meant) : see_help(root));
  }
  const CLI::App* app = &root;
  for (const std::string& section : std::span{entry.path}.first(entry.path.size() - 1))
    app = app->get_subcommand(section);
  const bool is_flag = app->get_option("--" + entry.path.back())->get_expected_max() == 0;
  const bool is_truth =
      entry.values == std::vector<std::string>{"true"} || entry.values == std::vector<std::string>{"false"};
  if (is_flag && !is_truth) return fmt::format("'{}' is true or false", name);
  return std::nullopt;
}

std::string usage_message(const CLI::ParseError& error, const CLI::App& root) {
  const std::string message = error.what();
  const CLI::App& app = selected(root);
  if (is_a<CLI::RequiredError>(error) || is_a<CLI::ExtrasError>(error)) {
    // A misspelt option is the better explanation for one that is missing.
    if (const auto extra = first_extra(root)) return unexpected(*extra, app, root);
    return missing(message, app);
  }
  if (is_a<CLI::ArgumentMismatch>(error)) return mismatch(message, app);
  if (is_a<CLI::ExcludesError>(error)) return exclusion(message);
  if (is_a<CLI::ConversionError>(error)) return not_a_flag(message, app);
  if (is_a<CLI::FileError>(error)) {
    return fmt::format("cannot read the config file '{}'", message.substr(0, message.find(" was not readable")));
  }
  std::string lower = message;
  if (!lower.empty()) lower[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(lower[0])));
  return lower;
}

}  // namespace freshet::cli
