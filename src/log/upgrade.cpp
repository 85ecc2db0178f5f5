// What each format has brought.
#include "log/upgrade.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "freshet/error.hpp"
#include "log/events_of_3.hpp"
#include "log/format.hpp"
#include "log/schema.hpp"
#include "sqlite/loose_tables.hpp"
#include "sqlite/permission.hpp"

namespace freshet::log {
namespace {

constexpr std::array<std::string_view, 2> made_by_4 = {"epochs", "projection_tables"};
constexpr std::array<std::string_view, 4> changed_by_4 = {"commands", "projections", "events", "store"};

void make(sqlite::Connection& connection, std::string_view name) {
  connection.execute(std::string(schema().at(name)));
}

void check_is_free(sqlite::Connection& connection, std::string_view name) {
  sqlite::Run run(connection.statement("SELECT name FROM sqlite_master WHERE name = ? COLLATE NOCASE"), name);
  if (!run.next()) return;
  throw Error(
      ErrorCode::unsupported_format,
      "cannot carry the file over to format " + std::to_string(format_version) + ": it has a read table '" +
          std::string(run.text(0)) +
          "', which is the name of one of the engine's now: give it another name with the release that made it");
}

// Those of projections, whichever they are.
std::vector<std::string> other_tables(sqlite::Connection& connection) {
  std::vector<std::string> tables;
  sqlite::Run run(
      connection.statement("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' AND "
                           "name NOT GLOB 'sqlite_*' AND instr(name, '_rebuilt_') = 0"));
  while (run.next()) {
    std::string name(run.text(0));
    if (sqlite::is_table_of_engine(name.c_str()) || sqlite::is_of_application(name.c_str())) continue;
    tables.push_back(std::move(name));
  }
  return tables;
}

// Made anew, and not altered: SQLite keeps the SQL that made a table, and it is compared with the schema.
void remake(sqlite::Connection& connection, const std::string& name, const std::string& columns) {
  connection.execute("CREATE TEMP TABLE carried AS SELECT * FROM " + name);
  sqlite::drop(connection, name);
  make(connection, name);
  connection.execute("INSERT INTO " + name + " SELECT " + columns + " FROM temp.carried; DROP TABLE temp.carried");
}

void upgrade_to_4(sqlite::Connection& connection) {
  for (const std::string_view name : made_by_4) check_is_free(connection, name);
  remake(connection, "commands", "*, NULL, NULL");
  remake(connection, "projections",
         "number, name, schema_version, generation, position, revision, duplicates_skipped, NULL");
  remake(connection, "store", "id, created_at, epoch, 'store', NULL, NULL");
  const auto tables = other_tables(connection);
  for (const std::string_view name : made_by_4) make(connection, name);
  for (const std::string& table : tables) {
    sqlite::Run(connection.statement("INSERT INTO projection_tables VALUES (?, NULL)"), std::string_view{table})
        .finish();
  }
  // Of the histories before it, the file knows none.
  connection.execute("INSERT INTO epochs SELECT epoch, 0 FROM store");
  carry_events_over(connection);
}

}  // namespace

bool has_as_made(std::int64_t format, std::string_view name) {
  const auto is_one_of = [&](const auto& names) { return std::ranges::find(names, name) != names.end(); };
  return format >= 4 || !(is_one_of(changed_by_4) || is_one_of(made_by_4));
}

void upgrade(sqlite::Connection& connection) {
  if (connection.integer("PRAGMA user_version") < 4) upgrade_to_4(connection);
}

}  // namespace freshet::log
