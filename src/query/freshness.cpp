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

// What became of an event in the rows of a projection.
enum class Effect { shown, lacking, left_out };

Effect effect_of(sqlite::Connection& connection, const projection::Entry& entry, Position position) {
  if (!has_applied(connection, entry, position)) return Effect::lacking;
  sqlite::Run run(connection.statement("SELECT discarded_at FROM dead_letters WHERE projection = ? AND position = ?"),
                  entry.number, position.value);
  if (!run.next()) return Effect::shown;
  return run.is_null(0) ? Effect::lacking : Effect::left_out;
}

struct StreamLag {
  Version version;
  Lag lag;
};

// Walks back from the stream's last event to the last one that the rows show. Behind that, what is left out on
// purpose counts as shown.
StreamLag lag_of_stream(sqlite::Connection& connection, const projection::Entry& entry, std::int64_t stream,
                        Timestamp now) {
  StreamLag result;
  sqlite::Run run(connection.statement("SELECT version, position, recorded_at FROM events WHERE stream = ? "
                                       "ORDER BY version DESC"),
                  stream);
  while (run.next()) {
    const Effect effect = effect_of(connection, entry, Position{run.integer(1)});
    if (effect == Effect::lacking) {
      result.version = {};
      ++result.lag.events;
      result.lag.age = age(Timestamp{Duration{run.integer(2)}}, now);
      continue;
    }
    if (result.version == Version{}) result.version = Version{run.integer(0)};
    if (effect == Effect::shown) return result;
  }
  return result;
}

}  // namespace

Lag lag_of_log(sqlite::Connection& connection, const projection::Entry& entry, Timestamp now) {
  Lag lag;
  sqlite::Run dead(connection.statement("SELECT count(*), min(e.recorded_at) FROM dead_letters d JOIN events e ON "
                                        "e.position = d.position WHERE d.projection = ? AND d.discarded_at IS NULL"),
                   entry.number);
  if (dead.next() && dead.integer(0) > 0) lag = {dead.integer(0), age(Timestamp{Duration{dead.integer(1)}}, now)};
  const Position head = log::last_of_log(connection).position;
  if (head <= entry.checkpoint) return lag;
  sqlite::Run above(connection.statement("SELECT count(*) FROM applied_above WHERE projection = ?"), entry.number);
  const std::int64_t applied_above = above.next() ? above.integer(0) : 0;
  // The event right above the checkpoint is the oldest that is missing.
  sqlite::Run oldest(connection.statement("SELECT recorded_at FROM events WHERE position = ?"),
                     entry.checkpoint.value + 1);
  const Duration oldest_age = oldest.next() ? age(Timestamp{Duration{oldest.integer(0)}}, now) : Duration{};
  return {lag.events + head.value - entry.checkpoint.value - applied_above, std::max(lag.age, oldest_age)};
}

Freshness measure(Snapshot& snapshot, std::span<const projection::Entry> entries,
                  const std::optional<log::StreamEnd>& stream, const Clock& clock) {
  sqlite::Connection& connection = snapshot.connection();
  Freshness freshness;
  freshness.head = freshness.position = snapshot.head();
  if (stream) freshness.version = freshness.latest_version = stream->version;
  for (const projection::Entry& entry : entries) {
    freshness.position = std::min(freshness.position, entry.checkpoint);
    // Mostly everything is applied, and the rows show the last event.
    if (stream && stream->position <= entry.checkpoint && !snapshot.has_dead_letters()) continue;
    Lag lag;
    if (stream) {
      const StreamLag stream_lag = lag_of_stream(connection, entry, stream->number, clock.wall_time());
      freshness.version = std::min(freshness.version, stream_lag.version);
      lag = stream_lag.lag;
    } else if (entry.checkpoint < freshness.head || snapshot.has_dead_letters()) {
      lag = lag_of_log(connection, entry, clock.wall_time());
    }
    freshness.behind_events = std::max(freshness.behind_events, lag.events);
    freshness.behind = std::max(freshness.behind, lag.age);
  }
  return freshness;
}

}  // namespace freshet::query
