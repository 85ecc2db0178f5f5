// The rows of projection_tables, compared with what there is.
#include "projection/table_owners.hpp"

#include <algorithm>
#include <optional>

#include "freshet/error.hpp"
#include "sqlite/loose_tables.hpp"

namespace freshet::projection {
namespace {

// Of a table that is there, or whose row is.
struct Owner {
  bool is_noted = false;    // There is a row.
  std::int64_t number = 0;  // 0: a release made it that did not note whose it is.
  std::string name;
};

bool exists(sqlite::Connection& connection, const std::string& table) {
  sqlite::Run run(connection.statement("SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE"),
                  std::string_view{table});
  return run.next();
}

std::optional<Owner> find_owner(sqlite::Connection& connection, const std::string& table) {
  sqlite::Run run(connection.statement("SELECT t.projection, p.name FROM projection_tables t "
                                       "LEFT JOIN projections p ON p.number = t.projection WHERE t.name = ?"),
                  std::string_view{table});
  if (run.next()) return Owner{.is_noted = true, .number = run.integer(0), .name = std::string(run.text(1))};
  if (exists(connection, table)) return Owner{};
  return std::nullopt;
}

bool is_in(const Catalog& catalog, std::int64_t number) {
  return std::ranges::find(catalog, number, &Registered::number) != catalog.end();
}

// A projection of other programs whose tables are not known, so that any table without an owner may be one of them.
std::optional<std::string> find_stranger(sqlite::Connection& connection, const Catalog& catalog) {
  sqlite::Run run(
      connection.statement("SELECT number, name FROM projections WHERE number NOT IN "
                           "(SELECT projection FROM projection_tables WHERE projection IS NOT NULL)"));
  while (run.next()) {
    if (!is_in(catalog, run.integer(0))) return std::string(run.text(1));
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const std::string& table, const Projection& wanted, const std::string& why) {
  throw Error(ErrorCode::invalid,
              "the projection '" + std::string(wanted.name()) + "' cannot have the table '" + table + "': " + why);
}

std::string belongs_to(const std::string& owner, const Projection& wanted) {
  return "'" + owner + "', which this program does not have: if it was renamed, freshet projection rename " + owner +
         ' ' + std::string(wanted.name()) + "; if it is gone, freshet projection remove " + owner;
}

// It lacks a table from now on, and its rows say nothing of what it has applied.
void make_never_built(sqlite::Connection& connection, std::int64_t projection) {
  sqlite::Run(connection.statement("UPDATE projections SET schema_version = ?, position = 0, revision = revision + 1 "
                                   "WHERE number = ?"),
              never_built, projection)
      .finish();
  sqlite::Run(connection.statement("DELETE FROM applied_above WHERE projection = ?"), projection).finish();
}

void note(sqlite::Connection& connection, const std::string& table, std::int64_t projection) {
  sqlite::Run(connection.statement("INSERT OR REPLACE INTO projection_tables VALUES (?, ?)"), std::string_view{table},
              projection)
      .finish();
}

}  // namespace

std::vector<std::string> tables_of(sqlite::Connection& connection, std::int64_t projection) {
  std::vector<std::string> tables;
  sqlite::Run run(connection.statement("SELECT name FROM projection_tables WHERE projection = ? ORDER BY name"),
                  projection);
  while (run.next()) tables.emplace_back(run.text(0));
  return tables;
}

void check_obtainable(sqlite::Connection& connection, const Catalog& catalog, const Registered& registered) {
  const Projection& wanted = *registered.projection;
  for (const std::string& table : wanted.tables()) {
    const auto owner = find_owner(connection, table);
    if (!owner || (owner->is_noted && is_in(catalog, owner->number))) continue;
    if (!owner->is_noted) refuse(table, wanted, "there is one that no projection has made: give it another name");
    if (owner->number != 0) refuse(table, wanted, "it belongs to " + belongs_to(owner->name, wanted));
    if (const auto stranger = find_stranger(connection, catalog)) {
      refuse(table, wanted, "it may belong to " + belongs_to(*stranger, wanted));
    }
  }
}

bool are_free(sqlite::Connection& connection, const Projection& projection) {
  return std::ranges::none_of(projection.tables(),
                              [&](const std::string& table) { return find_owner(connection, table).has_value(); });
}

bool has_unnoted(sqlite::Connection& connection, const Registered& registered) {
  return std::ranges::any_of(registered.projection->tables(), [&](const std::string& table) {
    const auto owner = find_owner(connection, table);
    return owner && owner->number == 0;
  });
}

void note_tables(sqlite::Connection& connection, const Registered& registered) {
  for (const std::string& table : registered.projection->tables()) {
    const auto owner = find_owner(connection, table);
    if (owner && owner->number == 0) note(connection, table, registered.number);
  }
}

void own_tables(sqlite::Connection& connection, const Registered& registered) {
  sqlite::Run(connection.statement("DELETE FROM projection_tables WHERE projection = ?"), registered.number).finish();
  for (const std::string& table : registered.projection->tables()) {
    const auto owner = find_owner(connection, table);
    if (owner && owner->number != 0) make_never_built(connection, owner->number);
    note(connection, table, registered.number);
  }
}

void drop_tables(sqlite::Connection& connection, std::int64_t projection) {
  for (const std::string& table : tables_of(connection, projection)) sqlite::drop(connection, table);
}

}  // namespace freshet::projection
