// Write-ahead logs that lie beside a file that they are not of.
#pragma once

#include <filesystem>

#include "sqlite/connection.hpp"

namespace freshet::log {

// Throws `corrupt` if the connection sees the file through the write-ahead log of another one, such as of the store in
// whose place a backup was put: SQLite replays whatever log has the name, and that would undo the restoring, or mix the
// two. Where it throws, whoever has the file open has to leave the log as it is.
void check_log_is_own(sqlite::Connection& connection, const std::filesystem::path& file);

}  // namespace freshet::log
