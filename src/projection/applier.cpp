// Exactly once: the check for a duplicate, the rows and the note of progress share one transaction.
#include "projection/applier.hpp"

#include <algorithm>

#include "base/deliberate_bug.hpp"
#include "base/thrown.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "projection/dead_letters.hpp"

namespace freshet::projection {
namespace {

std::set<Position> load_above(sqlite::Connection& connection, std::int64_t projection, Position checkpoint) {
  std::set<Position> above;
  sqlite::Run run(connection.statement("SELECT position FROM applied_above WHERE projection = ? ORDER BY position"),
                  projection);
  while (run.next()) above.insert(above.end(), Position{run.integer(0)});
  if (!above.empty() && *above.begin() <= checkpoint) {
    throw Error(ErrorCode::corrupt, "a projection's checkpoint is damaged");
  }
  return above;
}

// A sentence, and not the document that it complains of.
constexpr std::size_t reason_bytes_max = 4'000;

std::string bounded(const std::string& why) {
  if (why.size() <= reason_bytes_max) return why;
  std::size_t end = reason_bytes_max;
  const auto is_within_letter = [&] { return (static_cast<unsigned char>(why[end]) & 0xC0U) == 0x80U; };
  while (end > 0 && is_within_letter()) --end;
  return why.substr(0, end) + "...";
}

}  // namespace

ApplyFailure::ApplyFailure(const Registered& registered, const RecordedEvent& event, const std::string& why)
    : std::runtime_error("the projection '" + std::string(registered.projection->name()) +
                         "' failed on the event at position " + std::to_string(event.position.value) + ": " + why),
      projection(registered.number),
      position(event.position),
      stream(event.stream_number),
      reason(bounded(why)) {}

void apply(const Registered& registered, const RecordedEvent& event, ReadTables& tables,
           sqlite::Connection& connection) {
  // What an append's own statements have left open is not the event's.
  const bool had_open_keys = connection.has_open_keys();
  std::optional<std::string> failure;
  try {
    registered.projection->apply(event, tables);
  } catch (...) {
    failure = words_of_thrown();
  }
  connection.rethrow_trouble();
  if (!failure && !connection.is_in_transaction()) failure = connection.undone_by();
  if (!failure && !had_open_keys && connection.has_open_keys()) {
    failure =
        "FOREIGN KEY constraint failed: a row refers to one that is missing, and a deferred key is met by the end "
        "of its event";
  }
  if (!failure) return;
  const auto missing = find_missing_table(connection, *registered.projection, tables.suffix());
  throw ApplyFailure(registered, event, missing ? missing_table_sentence(*registered.projection, *missing) : *failure);
}

std::optional<ApplyFailure> apply_alone(const Registered& registered, const RecordedEvent& event, ReadTables& tables,
                                        sqlite::Connection& connection) {
  connection.execute("SAVEPOINT event");
  try {
    apply(registered, event, tables, connection);
    connection.execute("RELEASE event");
    return std::nullopt;
  } catch (const ApplyFailure& failure) {
    if (connection.is_in_transaction()) connection.execute("ROLLBACK TO event; RELEASE event");
    return failure;
  }
}

Applier::Applier(sqlite::Connection& connection, const Catalog& catalog, Newer newer, OnTaken on_taken)
    : connection_(connection), newer_(newer), on_taken_(std::move(on_taken)) {
  for (const Registered& registered : catalog) states_.emplace_back(connection, registered);
}

void Applier::choose(const std::function<bool(std::size_t index)>& chosen) {
  std::size_t index = 0;
  for (State& state : states_) {
    state.chosen = chosen(index++);
    state.loaded = state.active = state.changed = state.left = false;
    if (!state.chosen) state.skipped = 0;  // Its row is another process's to write.
  }
}

std::vector<std::size_t> Applier::left() const {
  std::vector<std::size_t> left;
  std::size_t index = 0;
  for (const State& state : states_) {
    if (state.chosen && state.left) left.push_back(index);
    ++index;
  }
  return left;
}

void Applier::load(Timestamp now) {
  now_ = now;
  const Entries entries = read_entries(connection_);
  for (State& state : states_) load(state, entry_of(entries, *state.registered.projection));
}

void Applier::load(State& state, const Entry& entry) {
  if (!state.chosen) return;
  const bool unchanged = entry.revision == state.entry.revision || deliberately(Bug::progress_not_reloaded);
  if (state.loaded && unchanged) return;
  state.left = newer_ == Newer::leave && entry.schema_version > state.registered.projection->schema_version();
  if (state.left) {
    state.entry = entry;
    state.active = false;
    state.loaded = true;
    return;
  }
  check_not_newer(state.registered, entry);
  check_within_log(connection_, entry, *state.registered.projection);
  state.entry = entry;
  state.progress = Progress(entry.checkpoint, load_above(connection_, entry.number, entry.checkpoint));
  state.dead_streams = load_dead_streams(connection_, entry.number);
  state.active = !is_outdated(state.registered, entry);
  state.loaded = true;
}

bool Applier::apply(const RecordedEvent& event, const Judge& judge, Coming coming) {
  bool complete = true;
  for (State& state : states_) {
    if (!state.active) continue;
    if (state.progress.has(event.position)) {
      if (coming == Coming::again) continue;
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

bool Applier::skip(const RecordedEvent& event, Coming coming) {
  const auto needs = [&](const State& state) {
    return state.chosen && !state.left && (!state.loaded || !state.active || !state.progress.has(event.position));
  };
  if (std::ranges::any_of(states_, needs)) return false;
  if (coming == Coming::again) return true;
  for (State& state : states_) {
    if (!state.active) continue;
    ++state.skipped;
    if (on_taken_) on_taken_(Taken::skipped, state.registered.projection->name(), event);
  }
  return true;
}

bool Applier::apply(State& state, const RecordedEvent& event, const Judge& judge) {
  if (state.dead_streams.contains(event.stream_number) && !deliberately(Bug::follower_not_buried)) {
    bury(state, event, 0, follows_a_dead_letter);
    return true;
  }
  const Judgement judgement = judge(state.entry.number, event.stream_number, event.position);
  if (judgement.verdict == Verdict::hold) return false;
  if (judgement.verdict == Verdict::bury) {
    bury(state, event, judgement.attempts, judgement.reason);
    return true;
  }
  projection::apply(state.registered, event, state.tables, connection_);
  state.progress.add(event.position);
  state.changed = true;
  if (on_taken_) on_taken_(Taken::applied, state.registered.projection->name(), event);
  return true;
}

void Applier::bury(State& state, const RecordedEvent& event, int attempts, const std::string& reason) {
  insert_dead_letter(connection_, state.entry.number, {event.position, event.stream_number, attempts, reason}, now_);
  state.dead_streams.insert(event.stream_number);
  state.progress.add(event.position);
  state.changed = true;
}

std::vector<RecordedEvent> Applier::missing_before(const State& state, const RecordedEvent& event) {
  // Mostly everything below the event is applied, and nothing has to be looked up.
  if (event.version == Version{1} || state.progress.checkpoint().value >= event.position.value - 1) return {};
  if (deliberately(Bug::stream_order_ignored)) return {};
  Version first_missing = event.version;
  sqlite::Run run(connection_.statement("SELECT version, position FROM events WHERE stream = ? AND version < ? "
                                        "ORDER BY version DESC"),
                  event.stream_number, event.version.value);
  while (run.next() && !state.progress.has(Position{run.integer(1)})) first_missing = Version{run.integer(0)};
  if (first_missing == event.version) return {};
  return log::read_versions(connection_, event.stream, Version{first_missing.value - 1}, event.version);
}

void Applier::save() {
  for (State& state : states_) {
    if (state.active && (state.changed || state.skipped > 0)) save(state);
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
  entry.duplicates_skipped += state.skipped.exchange(0);
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

bool Applier::has_skipped() const {
  return std::ranges::any_of(states_, [](const State& state) { return state.skipped > 0; });
}

std::int64_t Applier::skipped(std::int64_t projection) const {
  for (const State& state : states_) {
    if (state.registered.number == projection) return state.skipped;
  }
  return 0;
}

bool Applier::is_dead(std::int64_t stream) const {
  return std::any_of(states_.begin(), states_.end(),
                     [&](const State& state) { return state.dead_streams.contains(stream); });
}

bool Applier::has_outdated() const {
  return std::any_of(states_.begin(), states_.end(), [](const State& state) { return state.loaded && !state.active; });
}

}  // namespace freshet::projection
