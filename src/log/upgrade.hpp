// Files of older formats: what is different in them, and how they are carried over.
#pragma once

#include <string_view>

#include "sqlite/connection.hpp"

namespace freshet::log {

// The oldest format that is read, and carried over to be written.
inline constexpr std::int64_t oldest_format = 3;

// Whether a file of this format has the table or index as schema.sql makes it.
[[nodiscard]] bool has_as_made(std::int64_t format, std::string_view name);

// Carries the file over to the format of this release, in the caller's write transaction. Throws `unsupported_format`
// where a read table stands in the way of a table of the engine's.
void upgrade(sqlite::Connection& connection);

}  // namespace freshet::log
