// Exactly once: the check for a duplicate, the rows and the note of progress share one transaction.
#include "projection/applier.hpp"

#include <algorithm>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"

namespace freshet::projection {
namespace {

std::set<Position> load_above(sqlite::Connection& connection, std::int64_t projection) {
  std::set<Position> above;
  sqlite::Run run(connection.statement("SELECT position FROM applied_above WHERE projection = ? ORDER BY position"),
                  projection);
  while (run.next()) above.insert(above.end(), Position{run.integer(0)});
  return above;
}

std::set<std::int64_t> load_dead_streams(sqlite::Connection& connection, std::int64_t projection) {
  std::set<std::int64_t> streams;
  sqlite::Run run(connection.statement("SELECT DISTINCT stream FROM dead_letters WHERE projection = ?"), projection);
  while (run.next()) streams.insert(run.integer(0));
  return streams;
}

// The store itself is in trouble; that is not the projection's fault. `corrupt` is what a projection says
// of an event that it cannot decode.
bool is_trouble_of_the_store(const Error& error) {
  return error.code() != ErrorCode::invalid && error.code() != ErrorCode::corrupt;
}

}  // namespace

ApplyFailure::ApplyFailure(const Registered& registered, const RecordedEvent& event, const std::string& why)
    : std::runtime_error("the projection '" + std::string(registered.projection->name()) +
                         "' failed on the event at position " + std::to_string(event.position.value) + ": " + why),
      projection(registered.number),
      position(event.position),
      stream(event.stream_number),
      reason(why) {}

void apply(const Registered& registered, const RecordedEvent& event, Tables& tables) {
  try {
    registered.projection->apply(event, tables);
  } catch (const Error& error) {
    if (is_trouble_of_the_store(error)) throw;
    throw ApplyFailure(registered, event, error.what());
  } catch (const std::exception& exception) {
    throw ApplyFailure(registered, event, exception.what());
  } catch (...) {
    throw ApplyFailure(registered, event, "it threw something that is no exception");
  }
}

Applier::Applier(sqlite::Connection& connection, const Catalog& catalog, OnTaken on_taken)
    : connection_(connection), on_taken_(std::move(on_taken)) {
  for (const Registered& registered : catalog) states_.emplace_back(connection, registered);
}

void Applier::load(Timestamp now) {
  now_ = now;
  for (State& state : states_) load(state);
}

void Applier::load(State& state) {
  const auto entry = find_entry(connection_, state.registered.projection->name());
  ensure(entry.has_value(), "a registered projection has its row");
  if (state.loaded && entry->revision == state.entry.revision) return;
  state.entry = *entry;
  state.progress = Progress(entry->checkpoint, load_above(connection_, entry->number));
  state.dead_streams = load_dead_streams(connection_, entry->number);
  state.active = !is_outdated(state.registered, *entry);
  state.loaded = true;
}

bool Applier::apply(const RecordedEvent& event, const Judge& judge) {
  bool complete = true;
  for (State& state : states_) {
    if (!state.active) continue;
    if (state.progress.has(event.position)) {
      ++state.entry.duplicates_skipped;
      state.changed = true;
      if (on_taken_) on_taken_(Taken::skipped, state.registered.projection->name(), event);
      continue;
    }
    bool held = false;
    for (const RecordedEvent& earlier : missing_before(state, event)) {
      held = !apply(state, earlier, judge);
      if (held) break;
    }
    if (held || !apply(state, event, judge)) complete = false;
  }
  return complete;
}

bool Applier::apply(State& state, const RecordedEvent& event, const Judge& judge) {
  if (state.dead_streams.contains(event.stream_number)) {
    bury(state, event, 0, "an earlier event of its stream is a dead letter");
    return true;
  }
  const Judgement judgement = judge(state.entry.number, event.stream_number, event.position);
  if (judgement.verdict == Verdict::hold) return false;
  if (judgement.verdict == Verdict::bury) {
    bury(state, event, judgement.attempts, judgement.reason);
    return true;
  }
  projection::apply(state.registered, event, state.tables);
  state.progress.add(event.position);
  state.changed = true;
  if (on_taken_) on_taken_(Taken::applied, state.registered.projection->name(), event);
  return true;
}

void Applier::bury(State& state, const RecordedEvent& event, int attempts, const std::string& reason) {
  sqlite::Run(connection_.statement("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)"), state.entry.number,
              event.position.value, event.stream_number, std::int64_t{attempts}, std::string_view{reason},
              std::int64_t{now_.time_since_epoch().count()})
      .finish();
  state.dead_streams.insert(event.stream_number);
  state.progress.add(event.position);
  state.changed = true;
}

std::vector<RecordedEvent> Applier::missing_before(const State& state, const RecordedEvent& event) {
  // Mostly everything below the event is applied, and nothing has to be looked up.
  if (event.version == Version{1} || state.progress.checkpoint().value >= event.position.value - 1) return {};
  Version first_missing = event.version;
  sqlite::Run run(connection_.statement("SELECT version, position FROM events WHERE stream = ? AND version < ? "
                                        "ORDER BY version DESC"),
                  event.stream_number, event.version.value);
  while (run.next() && !state.progress.has(Position{run.integer(1)})) first_missing = Version{run.integer(0)};
  if (first_missing == event.version) return {};
  return log::read_versions(connection_, event.stream_number, first_missing, event.version);
}

void Applier::save() {
  for (State& state : states_) {
    if (state.changed) save(state);
  }
}

void Applier::save(State& state) {
  Entry& entry = state.entry;
  const Progress::Changes changes = state.progress.take_changes();
  for (const Position position : changes.added_above) {
    sqlite::Run(connection_.statement("INSERT INTO applied_above VALUES (?, ?)"), entry.number, position.value)
        .finish();
  }
  entry.checkpoint = state.progress.checkpoint();
  if (changes.passed_some) {
    sqlite::Run(connection_.statement("DELETE FROM applied_above WHERE projection = ? AND position <= ?"), entry.number,
                entry.checkpoint.value)
        .finish();
  }
  ++entry.revision;
  sqlite::Run(connection_.statement("UPDATE projections SET position = ?, revision = ?, duplicates_skipped = ? "
                                    "WHERE number = ?"),
              entry.checkpoint.value, entry.revision, entry.duplicates_skipped, entry.number)
      .finish();
  state.changed = false;
}

void Applier::forget() {
  for (State& state : states_) state.loaded = state.changed = false;
}

bool Applier::has(std::int64_t projection, Position position) const {
  for (const State& state : states_) {
    if (state.entry.number == projection) return state.progress.has(position);
  }
  return false;
}

bool Applier::is_dead(std::int64_t stream) const {
  return std::any_of(states_.begin(), states_.end(),
                     [&](const State& state) { return state.dead_streams.contains(stream); });
}

bool Applier::has_outdated() const {
  return std::any_of(states_.begin(), states_.end(), [](const State& state) { return state.loaded && !state.active; });
}

}  // namespace freshet::projection
