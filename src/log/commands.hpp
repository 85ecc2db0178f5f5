// The table `commands`: what is known under an idempotency key, and what who comes with it is answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "freshet/command_identity.hpp"
#include "freshet/event_log.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

struct KnownCommand {
  Appended answer;                       // A retry gets this.
  std::optional<KeptIdentity> identity;  // Format 3 did not keep it.
};
[[nodiscard]] std::optional<KnownCommand> find_command(sqlite::Connection& connection, std::string_view command_id);

// What the command is answered that comes under the key of `known`.
[[nodiscard]] AppendResult answer_again(KnownCommand known, const StreamId& stream, const CommandIdentity& identity);

// Read and bind an identity as two columns side by side, the name and the arguments. Columns count from 0, parameters
// from 1.
[[nodiscard]] std::optional<KeptIdentity> identity_in(const sqlite::Statement& row, int column);
// The identity is borrowed until the statement is reset.
void bind_identity(sqlite::Statement& statement, int parameter, const std::optional<KeptIdentity>& identity);

struct NewCommand {
  std::string_view id;
  std::optional<std::int64_t> stream_number;  // Nothing: the answer's stream does not exist.
  const Appended& answer;
  std::optional<KeptIdentity> identity;
};
// False: the key is known already.
[[nodiscard]] bool remember(sqlite::Connection& connection, const NewCommand& command);

}  // namespace freshet::log
