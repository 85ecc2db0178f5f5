// One snapshot of the projections' rows, their dead letters and the log's end.
#include "store/statuses.hpp"

#include "log/event_rows.hpp"
#include "projection/dead_letters.hpp"
#include "projection/leases.hpp"
#include "query/freshness.hpp"

namespace freshet::store {

std::vector<ProjectionStatus> statuses(sqlite::Connection& connection, const StoreOptions& options,
                                       const EngineDriver& engine) {
  const sqlite::Transaction snapshot(connection, sqlite::Transaction::Kind::read);
  const Position head = log::last_of_log(connection).position;
  const Timestamp now = options.clock->wall_time();
  std::vector<ProjectionStatus> statuses;
  for (const auto& projection : options.projections) {
    const auto entry = projection::find_entry(connection, projection->name());
    if (!entry) continue;
    const query::Lag lag = query::lag_of_log(connection, *entry, now);
    statuses.push_back({.name = std::string(projection->name()),
                        .schema_version = static_cast<int>(entry->schema_version),
                        .position = entry->checkpoint,
                        .head = head,
                        .behind_events = lag.events,
                        .behind = lag.age,
                        .duplicates_skipped = entry->duplicates_skipped + engine.skipped(entry->number),
                        .dead_letters = projection::count_dead_letters(connection, entry->number, std::nullopt),
                        .projected_by = projection::holder_of(options.file, *entry, projection->schema_version())});
  }
  return statuses;
}

}  // namespace freshet::store
