// From a consistency to positions.
#include "query/target.hpp"

#include <algorithm>

#include "base/deliberate_bug.hpp"
#include "base/time_text.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"

namespace freshet::query {
namespace {

constexpr const char* seen_before = ", which was seen before";

std::string name(const StreamId& stream) {
  return stream.category + '/' + stream.id;
}

// The last event of the log that was recorded at least so long ago. Times of recording rise with the position, so it is
// found by halving. Where the last of them lies ahead of the clock, one of the two is wrong, and how old an event is
// cannot be told: then all of them count as old enough.
Position last_recorded_before(sqlite::Connection& connection, Duration age, Timestamp now) {
  const log::Last last = log::last_of_log(connection);
  if (last.recorded_at > now && !deliberately(Bug::recorded_ahead_ignored)) return last.position;
  // However long the age, no event was recorded before this.
  const Timestamp time = now - std::min(age, now - timestamps_from);
  std::int64_t low = 0;
  std::int64_t high = last.position.value;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    sqlite::Run run(connection.statement("SELECT recorded_at FROM events WHERE position = ?"), middle);
    if (!run.next()) throw Error(ErrorCode::corrupt, "the log has no event at position " + std::to_string(middle));
    if (run.integer(0) <= time.time_since_epoch().count()) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Position{low};
}

}  // namespace

bool has_applied(sqlite::Connection& connection, const projection::Entry& entry, Position position) {
  if (position <= entry.checkpoint) return true;
  sqlite::Run run(connection.statement("SELECT 1 FROM applied_above WHERE projection = ? AND position = ?"),
                  entry.number, position.value);
  return run.next();
}

Target::Target(Snapshot& snapshot, const ReadRequest& request, const Clock& clock) : request_(request) {
  if (const auto* at_least = std::get_if<AtLeastVersion>(&request.consistency)) {
    if (!request.stream) throw Error(ErrorCode::invalid, "only a read of one stream can ask for a version");
    aim_at(snapshot, at_least->version);
    return;
  }
  if (const auto* at_least = std::get_if<AtLeastPosition>(&request.consistency)) {
    position_ = at_least->position;
  } else if (const auto* staleness = std::get_if<MaxStaleness>(&request.consistency)) {
    if (staleness->age < Duration{0}) throw Error(ErrorCode::invalid, "the age of a MaxStaleness is 0 or more");
    position_ = last_recorded_before(snapshot.connection(), staleness->age, clock.wall_time());
    why_ = ", the last one of the asked age";
  } else if (std::holds_alternative<Strong>(request.consistency)) {
    position_ = snapshot.head();
    why_ = ", the last one when the read began";
  } else if (request.seen == Position{}) {
    asks_ = false;
    return;
  }
  if (request.seen > position_) {
    position_ = request.seen;
    why_ = seen_before;
  }
  aim_at(snapshot, position_);
}

std::string Target::description() const {
  std::string what = std::holds_alternative<AtLeastVersion>(request_.consistency)
                         ? "version " + std::to_string(version_->value) + " of " + name(*request_.stream)
                         : "position " + std::to_string(position_.value);
  return what.append(why_);
}

void Target::aim_at(Snapshot& snapshot, Version version) {
  if (request_.seen > Position{}) aim_at(snapshot, request_.seen);
  if (version_ && *version_ > version) {
    why_ = seen_before;
    return;
  }
  version_ = version;
  event_.reset();
  find_version(snapshot);
}

void Target::aim_at(Snapshot& snapshot, Position position) {
  if (!request_.stream || position > snapshot.head()) {
    through_ = position;
    return;
  }
  // Of a single stream only its own events matter.
  const auto& stream = snapshot.find_stream(*request_.stream);
  if (!stream) return;
  sqlite::Run run(
      snapshot.connection().statement("SELECT position, version FROM events WHERE stream = ? AND position <= ? "
                                      "ORDER BY version DESC LIMIT 1"),
      stream->number, position.value);
  if (!run.next()) return;
  event_ = Position{run.integer(0)};
  version_ = Version{run.integer(1)};
}

void Target::find_version(Snapshot& snapshot) {
  const auto& stream = snapshot.find_stream(*request_.stream);
  if (!stream || *version_ > stream->version) return;
  // Mostly what was just written is asked for.
  if (*version_ == stream->version) {
    event_ = stream->position;
    return;
  }
  sqlite::Run run(snapshot.connection().statement("SELECT position FROM events WHERE stream = ? AND version = ?"),
                  stream->number, version_->value);
  if (run.next()) event_ = Position{run.integer(0)};
}

bool Target::is_met(Snapshot& snapshot, std::span<const projection::Entry> entries) {
  if (version_ && *version_ > Version{} && !event_) {
    find_version(snapshot);
    if (!event_) return deliberately(Bug::missing_version_met);
  }
  for (const projection::Entry& entry : entries) {
    if (through_ && entry.checkpoint < *through_) return false;
    if (event_ && !has_applied(snapshot.connection(), entry, *event_)) return false;
  }
  return true;
}

std::optional<std::string> Target::missing_in_log(Snapshot& snapshot) const {
  if (version_ && !event_ && request_.stream) {
    const auto& stream = snapshot.find_stream(*request_.stream);
    if (!stream) return "the log itself holds no " + name(*request_.stream) + " yet";
    return "the log itself holds no version " + std::to_string(version_->value) + " yet (its last is " +
           std::to_string(stream->version.value) + ")";
  }
  const Position head = snapshot.head();
  if (through_ && *through_ > head) {
    return "the log itself holds no position " + std::to_string(through_->value) + " yet (its last is " +
           std::to_string(head.value) + ")";
  }
  return std::nullopt;
}

}  // namespace freshet::query
