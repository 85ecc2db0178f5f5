// What the lines of a script mean, one step each, checked as far as that goes before anything is carried out.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "freshet/bus.hpp"
#include "scenario/expect.hpp"
#include "scenario/listener.hpp"
#include "scenario/script.hpp"
#include "scenario/stage.hpp"
#include "scenario/timeline.hpp"

namespace freshet::scenario {

// What a client was answered, for the timeline and for `expect`.
struct Reply {
  Occurrence occurrence;
  nlohmann::ordered_json document;  // As the command line would print it; of several documents an array.
  std::string failure;              // Why the command failed; empty if it did not.
};

// Carries out one command.
using RunCommand = std::function<Reply(Stage&)>;

// The words of a command or of the bus make no sense.
class BadWords : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The grammar of commands, which a script shares with the command line.
class CommandLine {
 public:
  CommandLine() = default;
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  virtual ~CommandLine() = default;

  // The first words of commands.
  [[nodiscard]] virtual std::vector<std::string> groups() const = 0;

  // These throw BadWords.
  [[nodiscard]] virtual RunCommand command(const std::vector<std::string>& words) const = 0;
  // `current` holds where the words say nothing.
  [[nodiscard]] virtual BusOptions bus(const std::vector<std::string>& words, const BusOptions& current) const = 0;
};

struct Invoke {
  std::string client;
  RunCommand run;
};
struct SetBus {
  std::function<BusOptions(const BusOptions& current)> change;
};
struct Sleep {
  Duration duration;
};
struct Say {
  std::string text;
};
struct Restart {};
struct Crash {
  CrashPoint point;
};
struct Expect {
  std::vector<Condition> conditions;
};
struct Begin {};
// From here on queries are shown with what they cost.
struct ShowCosts {};
struct Listen {
  std::string name;
  Rule rule;
};
struct Ask {
  std::string name;
  std::string order_id;
  int deliveries = 0;
};

struct Step {
  int line = 0;
  std::variant<Invoke, SetBus, Sleep, Say, Restart, Crash, Expect, Begin, ShowCosts, Listen, Ask> action;
};

// Throws ScriptError. `command_line` outlives the steps.
[[nodiscard]] std::vector<Step> understand(std::string_view script, const CommandLine& command_line);

}  // namespace freshet::scenario
