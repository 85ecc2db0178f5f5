// What one read transaction shows: how far each projection is, the rows that this has to give, and the
// freshness that it means.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "freshet/query.hpp"
#include "simulation/model.hpp"

namespace freshet::simulation {

inline constexpr std::array<std::string_view, 3> projection_names = {"totals", "latest", "fragile"};

// How far one projection is, as the file says.
struct Applied {
  std::int64_t schema_version = 0;
  std::int64_t checkpoint = 0;
  std::set<std::int64_t> above;
  std::map<std::int64_t, std::int64_t> dead;  // Dead letters' positions, with their attempts.
  std::set<std::int64_t> discarded;           // Dead letters that are left out for good.

  [[nodiscard]] bool has(std::int64_t position) const { return position <= checkpoint || above.contains(position); }
  friend bool operator==(const Applied&, const Applied&) = default;
};

// In the order of projection_names.
using Snapshot = std::array<Applied, projection_names.size()>;

[[nodiscard]] Snapshot take_snapshot(Reading& reading);
[[nodiscard]] const Applied& find(const Snapshot& snapshot, std::string_view projection);

// Rows are the fold of what is applied; dead letters, discarded or not, are left out.
void check_tables(Reading& reading, const Snapshot& snapshot, const ModelLog& model);

// What a projection lacks of the log: how many events, and how old the oldest of them is.
struct Lag {
  std::int64_t events = 0;
  Duration age{};
};
[[nodiscard]] Lag lag_of_log(const Applied& applied, const ModelLog& model, Timestamp now);

// Everything in the envelope but `stale` and `waited`.
void check_freshness(const Freshness& freshness, const ReadRequest& request, const Snapshot& snapshot,
                     const ModelLog& model, Timestamp now);

}  // namespace freshet::simulation
