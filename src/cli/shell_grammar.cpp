// The grammar of the shell: how it is started, and its own word `bus`.
#include <memory>

#include "cli/grammar.hpp"

namespace freshet::cli {

void add_shell_command(Group& group) {
  group.command("shell", "Give commands at a prompt, with a live engine behind it", "shell --delay 500ms",
                [] { return RunShell{}; });
}

void add_bus_command(Group& group, const BusOptions& current) {
  const auto change = std::make_shared<BusChange>();
  Command command = group.command("bus", "Show how events travel, or change it from here on", "bus --delay 500ms",
                                  [current, change] { return ChangeBus{changed(current, *change)}; });
  add_bus_options(command, *change);
}

}  // namespace freshet::cli
