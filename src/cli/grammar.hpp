// What the grammars of the groups are written in: commands, their options, and how texts become values.
// CLI11 does the work, in parser.cpp, and takes so long to compile that no other header shows it.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cli/request.hpp"

namespace CLI {
class App;
}

namespace freshet::cli {

// The words are well formed one by one, and make no sense together.
class Misuse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A value that an option does not take.
class BadValue : public Misuse {
 public:
  BadValue(std::string bad_option, std::string bad_value, const std::string& expected);

  std::string option;
  std::string value;
};

// The sentence for such a value in a variable of the environment.
[[nodiscard]] std::string bad_variable(const std::string& variable, const std::string& value,
                                       const std::string& expected);

enum class Presence { optional, required };

// An option as help and errors speak of it. A name without dashes is that of an argument.
struct OptionText {
  std::string name;
  std::string type;      // What stands for the value in help: "DUR".
  std::string meaning;   // For help, with the default.
  std::string expected;  // For errors: "a duration such as 50ms".
  Presence presence = Presence::optional;
  std::string section = "Options";
  std::string environment = {};  // The variable that it is taken from when nothing else gives it.
};

// Adds options to one command, or to all of them. What values are written to outlives the parsing.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  // `read` gives the value of a text, or nothing for a text that is none.
  template <typename Read, typename Target>
  void value(const OptionText& text, Read read, Target& target) {
    add_value(text, [read, &target](const std::string& given) {
      auto taken = read(given);
      if (taken) target = *std::move(taken);
      return taken.has_value();
    });
  }

  // An option that may be given several times.
  void values(const OptionText& text, std::vector<std::string>& target);

  // An option without a value, which sets `target` to `meant`.
  template <typename Target, typename Value>
  void flag(const std::string& name, const std::string& meaning, Target& target, Value meant,
            const std::string& section = "Options") {
    add_flag(name, meaning, section, [&target, meant] { target = meant; });
  }

  // At most one of these options may be given.
  void exclude_each_other(const std::vector<std::string>& names);

 private:
  void add_value(const OptionText& text, std::function<bool(const std::string&)> take);
  void add_flag(const std::string& name, const std::string& meaning, const std::string& section,
                std::function<void()> take);

  CLI::App* app_;
};

// Makes a command's request out of what its options have written. Throws Misuse.
using MakeRequest = std::function<Request()>;

// Where a group adds its commands.
class Group {
 public:
  virtual ~Group() = default;
  virtual Command command(const std::string& name, const std::string& meaning, const std::string& example,
                          MakeRequest make_request) = 0;
};

void add_settings(Command& program, Settings& settings);
void add_bus_options(Command& command, BusChange& bus);
void add_order_commands(Group& group);
void add_order_queries(Group& group);
void add_log_commands(Group& group);
void add_projection_commands(Group& group);
// The options of every command that a measurement uses are in `settings` when it is asked for.
void add_measure_commands(Group& group, const Settings& settings);
void add_shell_command(Group& group);
// Scripts and demonstrations; `settings` as for measurements.
void add_scenario_commands(Group& group, const Settings& settings);
void add_bus_command(Group& group, const BusOptions& current);

// What several grammars expect, for errors.
inline constexpr const char* a_session = "new, or a session's token, copied to the letter";
inline constexpr const char* a_duration = "a duration such as 250us, 50ms or 1.5s, up to 24h";
inline constexpr const char* a_time = "a time from 1678 to 2261 such as 2017-10-02T10:56:33Z";
inline constexpr const char* a_number = "a whole number from 0 to 9223372036854775807";
inline constexpr const char* a_number_from_1 = "a whole number from 1 to 9223372036854775807";

}  // namespace freshet::cli
