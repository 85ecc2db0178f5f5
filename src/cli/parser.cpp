// The parser: CLI11, with the grammars of the groups.
#include "cli/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/ensure.hpp"
#include "cli/completion.hpp"
#include "cli/config_file.hpp"
#include "cli/grammar.hpp"
#include "cli/usage.hpp"

namespace freshet::cli {

BadValue::BadValue(std::string bad_option, std::string bad_value, const std::string& expected)
    : Misuse(fmt::format("bad value '{}' for {}: expected {}", bad_value, bad_option, expected)),
      option(std::move(bad_option)),
      value(std::move(bad_value)) {}

std::string bad_variable(const std::string& variable, const std::string& value, const std::string& expected) {
  return fmt::format("bad value '{}' of {} in the environment: expected {}: correct it, or unset it", value, variable,
                     expected);
}

void Command::add_value(const OptionText& text, std::function<bool(const std::string&)> take) {
  const auto checked = [text, take = std::move(take)](const std::string& given) {
    if (take(given)) return;
    throw BadValue(text.name, given, text.expected);
  };
  app_->add_option_function<std::string>(text.name, checked, text.meaning)
      ->type_name(text.type)
      ->group(text.section)
      ->envname(text.environment)
      ->required(text.presence == Presence::required);
}

void Command::values(const OptionText& text, std::vector<std::string>& target) {
  app_->add_option(text.name, target, text.meaning)
      ->type_name(text.type)
      ->group(text.section)
      ->required(text.presence == Presence::required)
      ->expected(1)
      ->allow_extra_args(false)  // One value each time, and one in brackets is not a list.
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Command::add_flag(const std::string& name, const std::string& meaning, const std::string& section,
                       std::function<void()> take) {
  app_->add_flag_callback(name, std::move(take), meaning)
      ->group(section)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::exclude_each_other(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const std::string& other : names) {
      if (name != other) app_->get_option(name)->excludes(app_->get_option(other));
    }
  }
}

namespace {

struct KnownCommand {
  const CLI::App* app;
  MakeRequest make_request;
};

std::string example_text(const std::string& example) {
  return "Example:\n  freshet " + example;
}

// A group of commands inside the program, or the program itself for those that belong to none.
class ProgramGroup final : public Group {
 public:
  ProgramGroup(CLI::App& app, std::vector<KnownCommand>& commands) : app_(app), commands_(commands) {}

  Command command(const std::string& name, const std::string& meaning, const std::string& example,
                  MakeRequest make_request) override {
    CLI::App* app = app_.add_subcommand(name, meaning)->footer(example_text(example));
    commands_.push_back({app, std::move(make_request)});
    return Command{*app};
  }

 private:
  CLI::App& app_;
  std::vector<KnownCommand>& commands_;
};

// Reads a configuration in the place of CLI11, which passes over what it does not understand and knows no lines.
class ConfigFormat final : public CLI::ConfigTOML {
 public:
  explicit ConfigFormat(const CLI::App& program) : program_(program) {}

  [[nodiscard]] std::vector<CLI::ConfigItem> from_config(std::istream& stream) const override {
    entries_ = read_config(stream);
    std::vector<CLI::ConfigItem> read;
    for (const ConfigEntry& entry : entries_) {
      if (const auto problem = config_problem(entry, program_)) throw ConfigError(entry.line, *problem);
      CLI::ConfigItem& item = read.emplace_back();
      item.name = entry.path.back();
      item.parents.assign(entry.path.begin(), entry.path.end() - 1);
      item.inputs = entry.values;
    }
    return read;
  }

  // Where the value stands in the configuration; nothing if it does not.
  [[nodiscard]] std::optional<std::int64_t> line_of(const BadValue& bad) const {
    for (const ConfigEntry& entry : entries_) {
      const bool is_given = std::ranges::find(entry.values, bad.value) != entry.values.end();
      if (is_given && "--" + entry.path.back() == bad.option) return entry.line;
    }
    return std::nullopt;
  }

 private:
  const CLI::App& program_;
  mutable std::vector<ConfigEntry> entries_;  // CLI11 reads in a const function.
};

// As "--limit", or as "--limit=5".
bool is_among(const std::vector<std::string>& words, const std::string& option) {
  return std::ranges::any_of(words,
                             [&option](const std::string& word) { return word.substr(0, word.find('=')) == option; });
}

// Whose words they are: those that start a process, or a line of a session that goes on.
enum class Scope { process, line };

class Parser {
 public:
  Parser(const Settings& defaults, Scope scope) : settings_(defaults) {
    program_.require_subcommand(1)->fallthrough();  // So the options of every command can stand anywhere.
    program_.config_formatter(config_);
    program_.set_help_flag("-h,--help", "Show this help, or that of a group or a command");
    program_.set_version_flag("--version", "", "Show the version and how the program was built");
    program_.footer(
        example_text("order place 123 --customer c9 --item book:1:49.99\n"
                     "  freshet order get 123 --min-version 1"));
    Command program{program_};
    add_settings(program, settings_);
    program_
        .set_config("--config", "",
                    "Read options from a TOML file: these by their names, those of a command in a section such as "
                    "[order.place]. What the command line says goes before the file, and the file before the "
                    "environment (default: none)")
        ->type_name("FILE")
        ->check([](const std::string& file) -> std::string {
          if (file.empty()) throw BadValue("--config", file, "a file name");
          return {};
        });
    add_groups();
    ProgramGroup itself{program_, commands_};
    if (scope == Scope::process) add_shell_command(itself);
    add_scenario_commands(itself, settings_);
    if (scope == Scope::line) {
      add_bus_command(itself, defaults.bus);
      refuse_settings();
    }
  }

  [[nodiscard]] NextWords next(const std::vector<std::string>& words) const { return next_words_of(program_, words); }

  [[nodiscard]] CommandOutline outline() const { return outline_of(program_); }

  Parsed parse(const std::vector<std::string>& words) {
    Parsed parsed;
    try {
      const std::string file_variable = variable_taken("--db");
      const std::string session_variable = variable_taken("--session");
      program_.parse(std::vector<std::string>{words.rbegin(), words.rend()});  // As CLI11 wants them.
      take_from(file_variable, settings_.file, settings_.file_source);
      take_from(session_variable, settings_.session, settings_.session_source);
      settings_.bus = changed(settings_.bus, settings_.bus_change);
      parsed.outcome = Invocation{settings_, request()};
    } catch (const CLI::CallForHelp&) {
      parsed.outcome = HelpWanted{help_text(selected(program_))};
    } catch (const CLI::CallForVersion&) {
      parsed.outcome = VersionWanted{};
    } catch (const CLI::ParseError& error) {
      parsed.outcome = UsageError{usage_message(error, program_)};
    } catch (const BadValue& bad) {
      parsed.outcome = bad_value(bad, words);
    } catch (const Misuse& misuse) {
      parsed.outcome = UsageError{misuse.what()};
    } catch (const ConfigError& error) {
      parsed.outcome = bad_config(error);
    }
    parsed.format = settings_.format;
    return parsed;
  }

 private:
  void add_groups() {
    ProgramGroup order = group("order", "Change and read orders",
                               "order place 123 --customer c9 --item book:1:49.99\n  freshet order get 123 --strong");
    add_order_commands(order);
    add_order_queries(order);
    ProgramGroup log = group("log", "Read and check the event log", "log show --stream 123\n  freshet log verify");
    add_log_commands(log);
    ProgramGroup projection =
        group("projection", "Look after the read tables", "projection list\n  freshet projection rebuild --all");
    add_projection_commands(projection);
    ProgramGroup measure = group("measure", "Measure this machine: staleness and throughput",
                                 "measure visibility --delay 50ms\n  freshet measure throughput --writers 4");
    add_measure_commands(measure, settings_);
  }

  ProgramGroup group(const std::string& name, const std::string& meaning, const std::string& example) {
    CLI::App* app = program_.add_subcommand(name, meaning)->require_subcommand(1)->footer(example_text(example));
    return ProgramGroup{*app, commands_};
  }

  // In a line these options are known only to be refused in words that help.
  void refuse_settings() {
    for (CLI::Option* option : program_.get_options()) {
      if (option->get_expected_max() == 0) continue;  // --json, --help
      const std::string name = option->get_name();    // Once it is hidden it says none.
      const std::string hint = option->get_group() == "Bus" ? "change it with 'bus', as in 'bus --delay 50ms'"
                                                            : "give it where the session is started";
      option->envname("")->group("")->check([name, hint](const std::string& /*value*/) -> std::string {
        throw Misuse(fmt::format("{} holds for the whole session: {}", name, hint));
      });
    }
  }

  // What is in the environment may be there for other commands: it is taken as it stands, and looked at where it is
  // used. Gives the name of the variable.
  [[nodiscard]] std::string variable_taken(const std::string& name) {
    CLI::Option* option = program_.get_option(name);
    const std::string variable = option->get_envname();
    option->envname("");
    return variable;
  }

  template <typename Value>
  static void take_from(const std::string& variable, std::optional<Value>& value, SettingSource& source) {
    const char* given = value || variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (given == nullptr || *given == '\0') return;
    value = given;
    source = SettingSource::environment;
  }

  // Names where the value comes from: what the command line says goes before the file.
  [[nodiscard]] UsageError bad_value(const BadValue& bad, const std::vector<std::string>& words) const {
    if (is_among(words, bad.option)) return {bad.what()};
    if (const auto line = config_->line_of(bad)) return bad_config(ConfigError(*line, bad.what()));
    return {bad.what()};
  }

  [[nodiscard]] UsageError bad_config(const ConfigError& error) const {
    return {fmt::format("bad config file '{}': {}", program_.get_config_ptr()->as<std::string>(), error.what())};
  }

  Request request() const {
    const auto command = std::ranges::find(commands_, &selected(program_), &KnownCommand::app);
    ensure(command != commands_.end(), "every command that can be parsed makes a request");
    return command->make_request();
  }

  Settings settings_;
  CLI::App program_{"Freshet: an event store whose every read says how fresh it is.", "freshet"};
  std::shared_ptr<ConfigFormat> config_ = std::make_shared<ConfigFormat>(program_);
  std::vector<KnownCommand> commands_;
};

// `--customer=` means an empty text; CLI11 would take the next word instead.
std::vector<std::string> split_empty_values(const std::vector<std::string>& words) {
  std::vector<std::string> split;
  for (const std::string& word : words) {
    const bool is_empty = word.starts_with("--") && word.size() > 3 && word.find('=') == word.size() - 1;
    split.push_back(is_empty ? word.substr(0, word.size() - 1) : word);
    if (is_empty) split.emplace_back();
  }
  return split;
}

Parsed parsed_in(Scope scope, const std::vector<std::string>& words, const Settings& defaults) {
  Parsed parsed = Parser{defaults, scope}.parse(split_empty_values(words));
  if (asks_for_json(words)) parsed.format = Format::json;
  return parsed;
}

}  // namespace

bool asks_for_json(const std::vector<std::string>& words) {
  return std::ranges::find(words, "--json") != words.end();
}

Parsed parse(const std::vector<std::string>& words, const Settings& defaults) {
  return parsed_in(Scope::process, words, defaults);
}

Parsed parse_line(const std::vector<std::string>& words, const Settings& session) {
  return parsed_in(Scope::line, words, session);
}

CommandOutline outline() {
  return Parser{Settings{}, Scope::process}.outline();
}

NextWords next_words(const std::vector<std::string>& words) {
  return Parser{Settings{}, Scope::line}.next(words);
}

}  // namespace freshet::cli
