// Rows and tables of a projection.
#include "projection/removal.hpp"

#include "freshet/error.hpp"
#include "projection/catalog.hpp"
#include "projection/rebuild.hpp"
#include "projection/table_owners.hpp"

namespace freshet::projection {

std::optional<std::vector<std::string>> remove(sqlite::Connection& connection, std::string_view name) {
  const auto entry = find_entry(connection, name);
  if (!entry) return std::nullopt;
  auto tables = tables_of(connection, entry->number);
  drop_new_tables(connection, suffix_of(entry->number));
  drop_tables(connection, entry->number);
  for (const char* rows :
       {"DELETE FROM projection_tables WHERE projection = ?", "DELETE FROM applied_above WHERE projection = ?",
        "DELETE FROM dead_letters WHERE projection = ?", "DELETE FROM projections WHERE number = ?"}) {
    sqlite::Run(connection.statement(rows), entry->number).finish();
  }
  return tables;
}

bool rename(sqlite::Connection& connection, std::string_view name, std::string_view new_name) {
  const auto entry = find_entry(connection, name);
  if (!entry) return false;
  if (name == new_name) return true;
  if (new_name.empty()) throw Error(ErrorCode::invalid, "a projection has a name, and the new one is empty");
  if (find_entry(connection, new_name)) {
    throw Error(ErrorCode::invalid, "cannot rename the projection '" + std::string(name) +
                                        "': there is a projection '" + std::string(new_name) +
                                        "' already: remove it first, if it is not needed");
  }
  sqlite::Run(connection.statement("UPDATE projections SET name = ?, revision = revision + 1 WHERE number = ?"),
              new_name, entry->number)
      .finish();
  return true;
}

}  // namespace freshet::projection
