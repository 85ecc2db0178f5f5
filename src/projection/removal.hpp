// Removing and renaming projections, whose rules need not be known; in the caller's write transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite/connection.hpp"

namespace freshet::projection {

// The names of the tables that went with it; nothing if there is no such projection.
[[nodiscard]] std::optional<std::vector<std::string>> remove(sqlite::Connection& connection, std::string_view name);

// False: there is no such projection. Throws `invalid` if there is one of the new name.
[[nodiscard]] bool rename(sqlite::Connection& connection, std::string_view name, std::string_view new_name);

}  // namespace freshet::projection
