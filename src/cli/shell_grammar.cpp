// The grammar of the shell: how it is started, and its own word `bus`.
#include <memory>

#include "cli/grammar.hpp"

namespace freshet::cli {

void add_shell_command(Group& group) {
  group.command("shell", "Give commands at a prompt, with a live engine behind it", "shell --delay 500ms",
                [] { return RunShell{}; });
}

void add_bus_command(Group& group, const BusOptions& current) {
  const auto draft = std::make_shared<ChangeBus>(ChangeBus{current});
  Command command = group.command("bus", "Show how events travel, or change it from here on", "bus --delay 500ms",
                                  [draft] { return *draft; });
  add_bus_options(command, draft->bus);
}

}  // namespace freshet::cli
