// What the SQL of an application may do. It runs in the engine's transactions, on the engine's connections.
#pragma once

#include <array>
#include <string>

namespace freshet::sqlite {

// Why a statement may not do this; empty if it may. The arguments are those of SQLite's authorizer.
using Permission = std::string (*)(int action, const char* first, const char* second);

// Rows of read tables: whatever leaves the transaction, the connection and the log alone.
[[nodiscard]] std::string may_project(int action, const char* first, const char* second);

// The application's own tables: whatever it likes, but under names that are its own.
[[nodiscard]] std::string may_write_own(int action, const char* first, const char* second);

// What a Reading shows.
[[nodiscard]] std::string may_read(int action, const char* first, const char* second);

// Those of schema.sql, and the one that is made when it is first needed.
inline constexpr std::array tables_of_engine = {
    "streams",       "events",       "commands",         "store",          "epochs", "projections", "projection_tables",
    "applied_above", "dead_letters", "consumer_offsets", "state_snapshots"};

// A table of the engine's, which a projection may not write to.
[[nodiscard]] bool is_table_of_engine(const char* name);

}  // namespace freshet::sqlite
