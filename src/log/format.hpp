// The file format: how a Freshet file is told from others, and how a new one is made.
#pragma once

#include <filesystem>

#include "freshet/clock.hpp"
#include "freshet/store.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// PRAGMA application_id of every Freshet file: "FRSH".
inline constexpr std::int64_t application_id = 0x46525348;
// PRAGMA user_version: the format that this release reads and writes.
inline constexpr std::int64_t format_version = 3;

extern const char* const schema_sql;

// Makes sure that the file is there, is Freshet's and is of a format that this release knows; makes it
// if the mode allows. A file that is something else is left as it was.
void prepare_file(const std::filesystem::path& file, OpenMode mode, Duration busy_timeout, Clock& clock);

// Of a copy: gives it an epoch that no store has, and another one to each store that is put in place of it.
void mark_as_backup(sqlite::Connection& connection);

[[nodiscard]] StoreIdentity identity_of(sqlite::Connection& connection);

}  // namespace freshet::log
