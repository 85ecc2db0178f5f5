// How far projections are, and who projects them.
#pragma once

#include <vector>

#include "sqlite/connection.hpp"
#include "store/engine.hpp"

namespace freshet::store {

// As Store::projections(). `connection` is free to be read through; `engine` knows what is not in the file yet.
[[nodiscard]] std::vector<ProjectionStatus> statuses(sqlite::Connection& connection, const StoreOptions& options,
                                                     const EngineDriver& engine);

}  // namespace freshet::store
