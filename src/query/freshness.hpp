// How fresh the read tables are, on one snapshot.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "freshet/clock.hpp"
#include "freshet/query.hpp"
#include "projection/catalog.hpp"
#include "query/snapshot.hpp"
#include "sqlite/connection.hpp"

namespace freshet::query {

// The oldest event that is missing in an answer, and how many are: those not applied yet, and dead letters.
struct Lag {
  std::int64_t events = 0;
  Duration age{};
};

// Of the whole log.
[[nodiscard]] Lag lag_of_log(sqlite::Connection& connection, const projection::Entry& entry, Timestamp now);

// All but `stale` and `waited`; of several projections, the one furthest behind counts.
[[nodiscard]] Freshness measure(Snapshot& snapshot, std::span<const projection::Entry> entries,
                                const std::optional<log::StreamEnd>& stream, const Clock& clock);

}  // namespace freshet::query
