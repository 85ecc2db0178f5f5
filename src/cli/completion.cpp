// Walks the grammar along the words of a line.
#include "cli/completion.hpp"

#include <algorithm>

namespace freshet::cli {
namespace {

// Arguments and options that take the id of an order are named like this in every command.
constexpr const char* order_id = "ID";

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  const auto commands = app.get_subcommands([&name](const CLI::App* command) { return command->get_name() == name; });
  return commands.empty() ? nullptr : commands.front();
}

// The option that still waits for its value.
const CLI::Option* open_option(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty() || !words.back().starts_with("--")) return nullptr;
  const CLI::Option* option = app.get_option_no_throw(words.back());
  return option != nullptr && option->get_expected_max() > 0 ? option : nullptr;
}

// How many of the words behind the command are arguments.
std::size_t arguments_in(const CLI::App& app, const std::vector<std::string>& words) {
  std::size_t count = 0;
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (!words[index].starts_with("--")) {
      ++count;
    } else if (open_option(app, {words[index]}) != nullptr) {
      ++index;
    }
  }
  return count;
}

}  // namespace

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const bool is_choice = type.find('|') != std::string::npos &&
                         std::ranges::none_of(type, [](unsigned char letter) { return std::isupper(letter) != 0; });
  return is_choice ? CLI::detail::split(type, '|') : std::vector<std::string>{};
}

NextWords next_words_of(const CLI::App& root, const std::vector<std::string>& words) {
  const CLI::App* app = &root;
  auto word = words.begin();
  for (; word != words.end(); ++word) {
    const CLI::App* command = find_command(*app, *word);
    if (command == nullptr) break;
    app = command;
  }
  const std::vector<std::string> rest{word, words.end()};

  NextWords next;
  if (const CLI::Option* option = open_option(*app, rest)) {
    next.words = choices_of(*option);
    next.may_be_order_id = option->get_type_name() == order_id;
    return next;
  }
  if (rest.empty()) {
    for (const CLI::App* command : app->get_subcommands([](const CLI::App* /*command*/) { return true; })) {
      next.words.push_back(command->get_name());
    }
  }
  std::size_t arguments_left = arguments_in(*app, rest);
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) {
      if (arguments_left == 0 && option->get_name(true) == order_id) next.may_be_order_id = true;
      if (arguments_left > 0) --arguments_left;
    } else if (!option->get_group().empty() && !option->get_lnames().empty()) {
      next.words.push_back("--" + option->get_lnames().front());
    }
  }
  return next;
}

}  // namespace freshet::cli
