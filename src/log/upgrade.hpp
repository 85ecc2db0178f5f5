// Files of older formats: what is different in them, and how they are carried over.
#pragma once

#include <string_view>

#include "sqlite/connection.hpp"

namespace freshet::log {

// The oldest format that is read, and carried over to be written.
inline constexpr std::int64_t oldest_format = 3;

// Whether a file of this format has the table or index as schema.sql makes it.
[[nodiscard]] bool has_as_made(std::int64_t format, std::string_view name);

// Makes the tables those of this release's format, in the caller's write transaction, which also gives the file the
// format's number. Throws `unsupported_format` where a read table stands in the way of a table of the engine's, and
// `corrupt` where the log is no log.
void upgrade(sqlite::Connection& connection);

}  // namespace freshet::log
