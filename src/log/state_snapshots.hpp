// Snapshots of streams' states: rows that may vanish at any time, and whose loss nobody notices but by the clock.
#pragma once

#include <optional>
#include <string_view>

#include "freshet/snapshot.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// As EventLog's method of this name. In a read transaction of the caller's: the table that was looked for is still
// there when it is read.
[[nodiscard]] std::optional<KeptSnapshot> find_snapshot(sqlite::Connection& connection, const StreamId& stream,
                                                        std::string_view name, int schema);

// Inside a write transaction: puts the state of the stream as it stands in the place of its last one of that name.
void keep_snapshot(sqlite::Connection& connection, std::int64_t stream_number, const StateSnapshot& snapshot);

}  // namespace freshet::log
