// Looking up, comparing and remembering commands.
#include "log/commands.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "freshet/error.hpp"

namespace freshet::log {
namespace {

StreamId parse_target(std::string_view target) {
  const auto slash = target.find('/');
  if (slash == std::string_view::npos) throw Error(ErrorCode::corrupt, "a command's stream is damaged");
  return {std::string(target.substr(0, slash)), std::string(target.substr(slash + 1))};
}

}  // namespace

std::optional<KeptIdentity> identity_in(const sqlite::Statement& row, int column) {
  if (row.columns() <= column || row.is_null(column)) return std::nullopt;
  const std::string_view arguments = row.text(column + 1);
  KeptIdentity identity{.name = std::string(row.text(column))};
  if (arguments.size() != identity.arguments.size()) throw Error(ErrorCode::corrupt, "a command's digest is damaged");
  std::ranges::copy(arguments, identity.arguments.begin());
  return identity;
}

void bind_identity(sqlite::Statement& statement, int parameter, const std::optional<KeptIdentity>& identity) {
  if (!identity) {
    statement.bind_null(parameter);
    statement.bind_null(parameter + 1);
    return;
  }
  statement.bind(parameter, std::string_view{identity->name});
  statement.bind_blob(parameter + 1, {identity->arguments.data(), identity->arguments.size()});
}

std::optional<KnownCommand> find_command(sqlite::Connection& connection, std::string_view command_id) {
  // Every column, since the last two are not there in a file of format 3.
  auto& statement = connection.statement(
      "SELECT s.category, s.id, c.* FROM commands c LEFT JOIN streams s ON s.number = c.stream "
      "WHERE c.id = ?");
  sqlite::Run run(statement, command_id);
  if (!run.next()) return std::nullopt;
  return KnownCommand{.answer = {.stream = run.is_null(4) ? StreamId{std::string(run.text(0)), std::string(run.text(1))}
                                                          : parse_target(run.text(4)),
                                 .first = Position{run.integer(5)},
                                 .last = Position{run.integer(6)},
                                 .version = Version{run.integer(7)},
                                 .duplicate = true,
                                 .outcome = std::string(run.text(8))},
                      .identity = identity_in(statement, 9)};
}

AppendResult answer_again(KnownCommand known, const StreamId& stream, const CommandIdentity& identity) {
  const bool is_same = !known.identity || (*known.identity == identity.kept() &&
                                           (identity.has_made_up_stream() || known.answer.stream == stream));
  if (is_same) return std::move(known.answer);
  return KeyReused{std::move(known.answer.stream), std::move(known.identity->name)};
}

bool remember(sqlite::Connection& connection, const NewCommand& command) {
  const Appended& answer = command.answer;
  const std::string target = command.stream_number ? std::string{} : answer.stream.category + '/' + answer.stream.id;
  const Value stream = command.stream_number ? Value{*command.stream_number} : Value{nullptr};
  const Value name = command.stream_number ? Value{nullptr} : Value{std::string_view{target}};
  auto& statement =
      connection.statement("INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  sqlite::Run run(statement, command.id, stream, name, answer.first.value, answer.last.value, answer.version.value,
                  std::string_view{answer.outcome});
  bind_identity(statement, 8, command.identity);
  run.finish();
  return connection.rows_changed() == 1;
}

}  // namespace freshet::log
