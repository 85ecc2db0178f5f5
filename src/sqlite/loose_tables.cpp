// DROP and ALTER TABLE with the settings under which SQLite leaves alone what refers to a table.
#include "sqlite/loose_tables.hpp"

#include <sqlite3.h>

#include <optional>

namespace freshet::sqlite {
namespace {

// A setting of the connection, until the end of this object's life. In a transaction as well, which a PRAGMA is not.
class Setting {
 public:
  Setting(Connection& connection, int option, int value) : connection_(connection), option_(option) {
    sqlite3_db_config(connection.handle(), option, -1, &before_);
    sqlite3_db_config(connection.handle(), option, value, nullptr);
  }
  ~Setting() { sqlite3_db_config(connection_.handle(), option_, before_, nullptr); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  Connection& connection_;
  int option_;
  int before_ = 0;
};

std::optional<std::string> type_of(Connection& connection, const std::string& name) {
  Run run(connection.statement("SELECT type FROM sqlite_master WHERE name = ? COLLATE NOCASE"), std::string_view{name});
  if (!run.next()) return std::nullopt;
  return std::string(run.text(0));
}

}  // namespace

std::string quoted(const std::string& name) {
  std::string result = "\"";
  for (const char letter : name) result += letter == '"' ? "\"\"" : std::string(1, letter);
  return result + '"';
}

void drop(Connection& connection, const std::string& name) {
  const auto type = type_of(connection, name);
  if (!type) return;
  const Setting unchecked(connection, SQLITE_DBCONFIG_ENABLE_FKEY, 0);
  connection.execute("DROP " + *type + ' ' + quoted(name));
}

void take_from_arguments(Connection& connection, const std::string& text) {
  // As SQLite's documentation of ALTER TABLE has it for changes that leave the file's content as it is.
  const Setting undefended(connection, SQLITE_DBCONFIG_DEFENSIVE, 0);
  const Setting writable(connection, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1);
  // The name comes first.
  Run(connection.statement("UPDATE sqlite_master SET sql = substr(sql, 1, instr(sql, name) + length(name) - 1) || "
                           "replace(substr(sql, instr(sql, name) + length(name)), ?1, '') "
                           "WHERE type = 'table' AND sql LIKE 'create virtual table%' AND instr(sql, ?1)"),
      std::string_view{text})
      .finish();
}

void rename_table(Connection& connection, const std::string& from, const std::string& to) {
  const Setting unchecked(connection, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1);
  connection.execute("ALTER TABLE " + quoted(from) + " RENAME TO " + quoted(to));
}

}  // namespace freshet::sqlite
