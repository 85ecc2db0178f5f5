// Comparing a snapshot with the model.
#include "simulation/snapshot.hpp"

#include <algorithm>
#include <utility>

#include "projections.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

std::size_t index_of(std::string_view projection) {
  const auto* const found = std::find(projection_names.begin(), projection_names.end(), projection);
  expect("a projection in the file is one of the registered", found != projection_names.end());
  return static_cast<std::size_t>(found - projection_names.begin());
}

void check_totals(Reading& reading, const Applied& applied, const ModelLog& model) {
  std::int64_t sum = 0;
  std::int64_t count = 0;
  for (std::int64_t position = 1; position <= model.head(); ++position) {
    if (!applied.has(position)) continue;
    sum += model.at(position).amount;
    ++count;
  }
  Rows rows = reading.query("SELECT sum(sum), sum(events) FROM totals");
  const bool any = rows.next();
  expect_equal("the number of events in the table totals", count, any ? rows.integer(1) : 0);
  expect_equal("the sum in the table totals", sum * tests::Totals::factor(applied.schema_version),
               any ? rows.integer(0) : 0);
}

void check_latest(Reading& reading, const Applied& applied, const ModelLog& model) {
  std::int64_t streams = 0;
  for (const auto& [id, positions] : model.streams) {
    std::int64_t version = 0;
    for (const std::int64_t position : positions) {
      if (!applied.has(position)) continue;
      // Without a gap in its versions, which means in the stream's order.
      expect_equal("a stream is applied in its order, stream " + id, version + 1, model.at(position).version);
      ++version;
    }
    if (version == 0) continue;
    ++streams;
    Rows rows = reading.query(
        "SELECT l.version, l.amount FROM latest l JOIN streams s ON s.number = l.stream WHERE s.id = ?", {id});
    expect("the table latest has a row of the stream " + id, rows.next());
    expect_equal("the version in the table latest, stream " + id, version, rows.integer(0));
    expect_equal("the amount in the table latest, stream " + id, model.at(model.position_of(id, version)).amount,
                 rows.integer(1));
  }
  Rows rows = reading.query("SELECT count(*) FROM latest");
  expect_equal("rows of the table latest", streams, rows.next() ? rows.integer(0) : 0);
}

void check_dead_letters(const Applied& applied, const ModelLog& model) {
  std::set<std::string> dead_streams;
  for (std::int64_t position = 1; position <= model.head(); ++position) {
    if (!applied.has(position)) continue;
    const ModelLog::Event& event = model.at(position);
    const auto letter = applied.dead.find(position);
    // What was discarded stays out, whatever a rebuild makes of the events before it.
    const bool follows = dead_streams.contains(event.stream) && !applied.discarded.contains(position);
    const std::string place = "position " + std::to_string(position);
    if (follows)
      expect("events behind a dead letter of their stream follow it, " + place, letter != applied.dead.end());
    if (letter == applied.dead.end()) continue;
    expect_equal("a dead letter has attempts unless it follows another one, " + place, !follows, letter->second > 0);
    dead_streams.insert(event.stream);
  }
}

void check_fragile(Reading& reading, const Applied& applied, const ModelLog& model) {
  std::map<std::string, std::int64_t> last;
  std::int64_t count = 0;
  Rows rows = reading.query("SELECT position FROM fragile ORDER BY rowid");
  while (rows.next()) {
    const std::int64_t position = rows.integer(0);
    const std::string place = "position " + std::to_string(position);
    expect("a row of the table fragile is of an applied event, " + place, applied.has(position));
    expect("a dead letter has left no row, " + place,
           !applied.dead.contains(position) && !applied.discarded.contains(position));
    const ModelLog::Event& event = model.at(position);
    std::int64_t& version = last[event.stream];
    do {
      ++version;
    } while (applied.discarded.contains(model.position_of(event.stream, version)));
    expect_equal("rows of a stream are in its order, " + place, version, event.version);
    ++count;
  }
  const auto applied_count = applied.checkpoint + static_cast<std::int64_t>(applied.above.size()) -
                             static_cast<std::int64_t>(applied.dead.size() + applied.discarded.size());
  expect_equal("rows of the table fragile", applied_count, count);
}

// The versions of a stream that the rows lack: not applied, or dead letters. What was discarded counts as shown, but
// behind it a rebuild may have failed on earlier events.
std::vector<std::int64_t> lacking_in_stream(const Applied& applied, const ModelLog& model, const std::string& stream) {
  std::vector<std::int64_t> lacking;
  for (std::int64_t version = 1; version <= model.version(stream); ++version) {
    const std::int64_t position = model.position_of(stream, version);
    if (!applied.has(position) || applied.dead.contains(position)) lacking.push_back(version);
  }
  return lacking;
}

// How old the event at this position is, as far as the clock can tell.
Duration age(const ModelLog& model, std::int64_t position, Timestamp now) {
  return std::max(Duration{}, now - model.at(position).recorded_at);
}

}  // namespace

Snapshot take_snapshot(Reading& reading) {
  Snapshot snapshot;
  {
    Rows rows = reading.query("SELECT name, schema_version, position FROM projections");
    while (rows.next()) {
      Applied& applied = snapshot[index_of(rows.text(0))];
      applied.schema_version = rows.integer(1);
      applied.checkpoint = rows.integer(2);
    }
  }
  {
    Rows rows =
        reading.query("SELECT p.name, a.position FROM applied_above a JOIN projections p ON p.number = a.projection");
    while (rows.next()) snapshot[index_of(rows.text(0))].above.insert(rows.integer(1));
  }
  Rows rows = reading.query(
      "SELECT p.name, d.position, d.attempts, d.discarded_at FROM dead_letters d "
      "JOIN projections p ON p.number = d.projection");
  while (rows.next()) {
    Applied& applied = snapshot[index_of(rows.text(0))];
    if (rows.is_null(3)) {
      applied.dead.emplace(rows.integer(1), rows.integer(2));
    } else {
      applied.discarded.insert(rows.integer(1));
    }
  }
  return snapshot;
}

const Applied& find(const Snapshot& snapshot, std::string_view projection) {
  return snapshot[index_of(projection)];
}

void check_tables(Reading& reading, const Snapshot& snapshot, const ModelLog& model) {
  for (const Applied& applied : snapshot) {
    expect("a checkpoint is not above the head", applied.checkpoint <= model.head());
    expect("what is applied above the checkpoint leaves a gap",
           applied.above.empty() || *applied.above.begin() > applied.checkpoint + 1);
    for (const auto& [position, attempts] : applied.dead) {
      expect("a dead letter counts as applied", applied.has(position));
    }
    for (const std::int64_t position : applied.discarded) {
      expect("a discarded dead letter counts as applied", applied.has(position));
    }
  }
  const auto& [totals, latest, fragile] = snapshot;
  expect("only the projection that fails has dead letters", totals.dead.empty() && latest.dead.empty());
  check_totals(reading, totals, model);
  check_latest(reading, latest, model);
  check_dead_letters(fragile, model);
  check_fragile(reading, fragile, model);
}

Lag lag_of_log(const Applied& applied, const ModelLog& model, Timestamp now) {
  Lag lag;
  lag.events = model.head() - applied.checkpoint - static_cast<std::int64_t>(applied.above.size()) +
               static_cast<std::int64_t>(applied.dead.size());
  if (!applied.dead.empty()) lag.age = age(model, applied.dead.begin()->first, now);
  if (applied.checkpoint < model.head()) lag.age = std::max(lag.age, age(model, applied.checkpoint + 1, now));
  return lag;
}

void check_freshness(const Freshness& freshness, const ReadRequest& request, const Snapshot& snapshot,
                     const ModelLog& model, Timestamp now) {
  std::int64_t position = model.head();
  std::int64_t behind_events = 0;
  Duration behind{};
  const std::string stream = request.stream ? request.stream->id : "";
  const std::int64_t latest = model.version(stream);
  std::int64_t version = latest;
  for (const std::string& name : request.projections) {
    const Applied& applied = find(snapshot, name);
    position = std::min(position, applied.checkpoint);
    if (request.stream) {
      const auto lacking = lacking_in_stream(applied, model, stream);
      if (lacking.empty()) continue;
      version = std::min(version, lacking.front() - 1);
      behind_events = std::max(behind_events, static_cast<std::int64_t>(lacking.size()));
      behind = std::max(behind, age(model, model.position_of(stream, lacking.front()), now));
    } else {
      const Lag lag = lag_of_log(applied, model, now);
      behind_events = std::max(behind_events, lag.events);
      behind = std::max(behind, lag.age);
    }
  }
  expect_equal("the head in the envelope", Position{model.head()}, freshness.head);
  expect_equal("the position in the envelope", Position{position}, freshness.position);
  expect_equal("behind_events in the envelope", behind_events, freshness.behind_events);
  expect_equal("behind in the envelope", behind, freshness.behind);
  if (!request.stream) return;
  expect_equal("the version in the envelope", Version{version}, freshness.version);
  expect_equal("the latest version in the envelope", Version{latest}, freshness.latest_version);
}

}  // namespace freshet::simulation
