// Measuring freshness: versions, positions, counts and ages.
#include "query/freshness.hpp"

#include <algorithm>

#include "log/event_rows.hpp"
#include "query/target.hpp"

namespace freshet::query {
namespace {

Duration age(Timestamp then, Timestamp now) {
  return std::max(now - then, Duration{});
}

bool is_dead(sqlite::Connection& connection, const projection::Entry& entry, Position position) {
  sqlite::Run run(connection.statement("SELECT 1 FROM dead_letters WHERE projection = ? AND position = ?"),
                  entry.number, position.value);
  return run.next();
}

struct StreamLag {
  Version version;
  Lag lag;
};

// Walks back from the stream's last event to the last one that the rows show.
StreamLag lag_of_stream(sqlite::Connection& connection, const projection::Entry& entry, std::int64_t stream,
                        Timestamp now) {
  StreamLag result;
  sqlite::Run run(connection.statement("SELECT version, position, recorded_at FROM events WHERE stream = ? "
                                       "ORDER BY version DESC"),
                  stream);
  while (run.next()) {
    const Position position{run.integer(1)};
    if (has_applied(connection, entry, position) && !is_dead(connection, entry, position)) {
      result.version = Version{run.integer(0)};
      return result;
    }
    ++result.lag.events;
    result.lag.age = age(Timestamp{Duration{run.integer(2)}}, now);
  }
  return result;
}

}  // namespace

Lag lag_of_log(sqlite::Connection& connection, const projection::Entry& entry, Timestamp now) {
  const Position head = log::last_of_log(connection).position;
  if (head <= entry.checkpoint) return {};
  sqlite::Run above(connection.statement("SELECT count(*) FROM applied_above WHERE projection = ?"), entry.number);
  const std::int64_t applied_above = above.next() ? above.integer(0) : 0;
  // The event right above the checkpoint is the oldest that is missing.
  sqlite::Run oldest(connection.statement("SELECT recorded_at FROM events WHERE position = ?"),
                     entry.checkpoint.value + 1);
  const Duration oldest_age = oldest.next() ? age(Timestamp{Duration{oldest.integer(0)}}, now) : Duration{};
  return {head.value - entry.checkpoint.value - applied_above, oldest_age};
}

Freshness measure(sqlite::Connection& connection, std::span<const projection::Entry> entries,
                  std::optional<std::int64_t> stream, Timestamp now) {
  Freshness freshness;
  freshness.head = freshness.position = log::last_of_log(connection).position;
  if (stream) freshness.version = freshness.latest_version = log::last_of_stream(connection, *stream).version;
  for (const projection::Entry& entry : entries) {
    freshness.position = std::min(freshness.position, entry.checkpoint);
    Lag lag;
    if (stream) {
      const StreamLag stream_lag = lag_of_stream(connection, entry, *stream, now);
      freshness.version = std::min(freshness.version, stream_lag.version);
      lag = stream_lag.lag;
    } else {
      lag = lag_of_log(connection, entry, now);
    }
    freshness.behind_events = std::max(freshness.behind_events, lag.events);
    freshness.behind = std::max(freshness.behind, lag.age);
  }
  return freshness;
}

std::int64_t dead_letters(sqlite::Connection& connection, const projection::Entry& entry,
                          std::optional<std::int64_t> stream) {
  if (stream) {
    sqlite::Run run(connection.statement("SELECT count(*) FROM dead_letters WHERE projection = ? AND stream = ?"),
                    entry.number, *stream);
    return run.next() ? run.integer(0) : 0;
  }
  sqlite::Run run(connection.statement("SELECT count(*) FROM dead_letters WHERE projection = ?"), entry.number);
  return run.next() ? run.integer(0) : 0;
}

}  // namespace freshet::query
