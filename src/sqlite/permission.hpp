// What the SQL of an application may do. It runs in the engine's transactions, on the engine's connections.
#pragma once

#include <array>
#include <functional>
#include <string>

namespace freshet::sqlite {

// Why a statement may not do this; empty if it may. The arguments are those of SQLite's authorizer.
using Permission = std::function<std::string(int action, const char* first, const char* second)>;

// The engine's own statements, which leave the events and streams that are recorded as they are. SQLite tells nobody of
// the rows that INSERT OR REPLACE removes (a trigger only with recursive_triggers, which is not what an application's
// triggers are written for). So nothing inserts there but the statements that append.
[[nodiscard]] std::string may_manage(int action, const char* first, const char* second);

// Those that append.
[[nodiscard]] std::string may_append(int action, const char* first, const char* second);

// Rows of read tables: whatever leaves the transaction, the connection and the log alone.
[[nodiscard]] std::string may_project(int action, const char* first, const char* second);

// The same for tables that are made beside those in use: under names with this suffix, and no others.
[[nodiscard]] Permission may_project_beside(const std::string& suffix);

// The application's own tables: whatever it likes, but under names that are its own.
[[nodiscard]] std::string may_write_own(int action, const char* first, const char* second);

// What a Reading shows, where the statement as a whole is known to read only. The module of a virtual table prepares
// others beside it, which write to tables that SQLite lets nobody but the module write to.
[[nodiscard]] std::string may_read(int action, const char* first, const char* second);

// Those of schema.sql, and the one that is made when it is first needed.
inline constexpr std::array tables_of_engine = {
    "streams",       "events",       "commands",         "store",          "epochs", "projections", "projection_tables",
    "applied_above", "dead_letters", "consumer_offsets", "state_snapshots"};

// What the action writes to; null if it only reads.
[[nodiscard]] const char* written_name(int action, const char* first, const char* second);

// It has the prefix of an application's own tables.
[[nodiscard]] bool is_of_application(const char* name);

// A table of the engine's, which a projection may not write to.
[[nodiscard]] bool is_table_of_engine(const char* name);

}  // namespace freshet::sqlite
