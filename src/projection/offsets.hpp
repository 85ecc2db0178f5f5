// A consumer group's committed offsets, in their table.
#pragma once

#include <string_view>

#include "freshet/bus.hpp"
#include "sqlite/connection.hpp"

namespace freshet::projection {

[[nodiscard]] Offsets load_offsets(sqlite::Connection& connection, std::string_view group);

// In the caller's write transaction.
void save_offsets(sqlite::Connection& connection, std::string_view group, const Offsets& offsets);

}  // namespace freshet::projection
