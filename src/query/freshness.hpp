// How fresh the read tables are, on one snapshot.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "freshet/query.hpp"
#include "projection/catalog.hpp"
#include "sqlite/connection.hpp"

namespace freshet::query {

// The oldest event that is missing in an answer, and how many are.
struct Lag {
  std::int64_t events = 0;
  Duration age{};
};

// Of the whole log.
[[nodiscard]] Lag lag_of_log(sqlite::Connection& connection, const projection::Entry& entry, Timestamp now);

// All but `stale` and `waited`; of several projections, the one furthest behind counts.
[[nodiscard]] Freshness measure(sqlite::Connection& connection, std::span<const projection::Entry> entries,
                                std::optional<std::int64_t> stream, Timestamp now);

// How many events the projection has set aside; of one stream if it is given.
[[nodiscard]] std::int64_t dead_letters(sqlite::Connection& connection, const projection::Entry& entry,
                                        std::optional<std::int64_t> stream);

}  // namespace freshet::query
