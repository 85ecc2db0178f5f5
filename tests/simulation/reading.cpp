// Reads at every consistency, met and timed out, and what each level promises.
#include <algorithm>

#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

using namespace std::chrono_literals;

// Where another process projects, a reader looks this often.
constexpr Duration look_max = 50ms;

// The path for each consistency, in the order of the variant.
constexpr std::array stale_paths = {Rare::stale_eventual, Rare::stale_min_version, Rare::stale_min_position,
                                    Rare::stale_max_staleness, Rare::stale_strong};
constexpr std::array fresh_paths = {Rare::end_, Rare::fresh_min_version, Rare::fresh_min_position,
                                    Rare::fresh_max_staleness, Rare::fresh_strong};

bool is_eventual(const ReadRequest& request) {
  return std::holds_alternative<Eventual>(request.consistency);
}

// Dead letters among what the request is about.
bool has_dead_letters(const ReadRequest& request, const Snapshot& snapshot, const ModelLog& model) {
  return std::ranges::any_of(request.projections, [&](const std::string& name) {
    return std::ranges::any_of(find(snapshot, name).dead, [&](const auto& letter) {
      return !request.stream || model.at(letter.first).stream == request.stream->id;
    });
  });
}

// Rows that older rules have made than those of this release, or newer ones.
bool has_rows_of(std::strong_ordering rules, const ReadRequest& request, const Snapshot& snapshot,
                 std::optional<std::int64_t> schema_version) {
  if (!schema_version) return false;
  return std::ranges::any_of(request.projections, [&](const std::string& name) {
    return name == "totals" && (find(snapshot, name).schema_version <=> *schema_version) == rules;
  });
}

std::string describe(const ReadRequest& request) {
  static constexpr std::array levels = {"eventual", "min version", "min position", "max staleness", "strong"};
  return std::string("read ") + levels[request.consistency.index()] + " of " +
         (request.stream ? request.stream->id : "the log") + ", timeout " + text(request.timeout);
}

}  // namespace

Consistency Simulation::any_consistency(const std::optional<StreamId>& stream) {
  switch (dice_.below(stream ? 5 : 4)) {
    case 0:
      return Strong{};
    case 1:
      return AtLeastPosition{Position{dice_.number(file_.model.head() + 2)}};
    case 2:
      return MaxStaleness{dice_.chance(0.2) ? dice_.duration(2h) : dice_.duration(60ms)};
    case 3:
      return Eventual{};
    default:
      return AtLeastVersion{Version{dice_.number(file_.model.version(stream->id) + 2)}};
  }
}

void Simulation::read(Process& process) {
  ReadRequest request;
  for (const std::string_view name : projection_names) {
    if (dice_.chance(0.4)) request.projections.emplace_back(name);
  }
  if (request.projections.empty()) request.projections.emplace_back("latest");
  if (dice_.chance(0.5)) request.stream = StreamId{"account", any_stream()};
  request.consistency = any_consistency(request.stream);
  request.timeout = dice_.chance(0.1) ? 2s : dice_.duration(80ms);
  request.on_timeout = dice_.chance(0.6) ? OnTimeout::stale : dice_.chance(0.5) ? OnTimeout::error : OnTimeout::replay;
  static_cast<void>(perform(process, request));
}

// Reads its own writes, and never less than it has read before.
void Simulation::read_in_session(Process& process) {
  Session& session = sessions_[dice_.below(sessions_.size())];
  resume(process, session);
  ReadRequest request{.projections = {"latest"}, .consistency = AtLeastPosition{Position{session.token}}};
  request.timeout = dice_.duration(80ms);
  if (dice_.chance(0.5)) request.stream = StreamId{"account", any_stream()};
  const std::int64_t token = session.token;
  const auto freshness = perform(process, request);
  if (!freshness || freshness->stale) return;
  counters_.count_if(session.own_last > 0, Rare::own_write_read);
  if (request.stream) {
    std::int64_t& seen = session.versions[request.stream->id];
    const std::int64_t promised = std::max(seen, file_.model.version_at(request.stream->id, token));
    expect("a session reads its stream up to its token and to what it has read before",
           freshness->version.value >= promised);
    counters_.count_if(seen > 0, Rare::monotonic_read);
    seen = freshness->version.value;
  } else {
    expect("a session reads the log up to its token", freshness->position.value >= token);
    session.token = freshness->position.value;
    hand_out(process, session);
  }
}

std::optional<Freshness> Simulation::perform(Process& process, const ReadRequest& request) {
  note(describe(request) + " by " + process.name);
  const Asked asked = resolve(request);
  const bool future =
      asked.through > file_.model.head() || (request.stream && asked.version > file_.model.version(request.stream->id));
  const bool projecting = process.store->is_projecting() &&
                          std::ranges::all_of(request.projections, [&](const auto& name) { return process.has(name); });
  const Wait wait{process, request, asked, clock_->now(), projecting, interruptions_, future};
  counters_.count_if(request.stream && file_.model.version(request.stream->id) == 0, Rare::read_before_stream);
  const bool of_an_age = std::holds_alternative<MaxStaleness>(request.consistency);
  counters_.count_if(of_an_age && file_.model.is_ahead_of(clock_->wall_time()), Rare::recorded_ahead_of_clock);
  std::optional<Freshness> freshness;
  sleeping_ = &process;
  try {
    Reading reading = process.store->read(request);
    sleeping_ = nullptr;
    check_answer(reading, wait);
    freshness = reading.freshness();
  } catch (const Error& error) {
    sleeping_ = nullptr;
    check_error(error, wait);
  }
  return freshness;
}

Simulation::Asked Simulation::resolve(const ReadRequest& request) const {
  if (const auto* asked = std::get_if<AtLeastVersion>(&request.consistency)) return {.version = asked->version.value};
  std::int64_t through = 0;
  if (const auto* asked = std::get_if<AtLeastPosition>(&request.consistency)) through = asked->position.value;
  if (const auto* asked = std::get_if<MaxStaleness>(&request.consistency)) {
    through = file_.model.last_of_age(asked->age, clock_->wall_time());
  }
  if (std::holds_alternative<Strong>(request.consistency)) through = file_.model.head();
  // Of a single stream only its own events matter, as far as they are known.
  if (request.stream && through <= file_.model.head())
    return {.version = file_.model.version_at(request.stream->id, through)};
  return {.through = through};
}

bool Simulation::is_met(const ReadRequest& request, const Asked& asked, const Snapshot& snapshot) const {
  if (request.stream && asked.version > file_.model.version(request.stream->id)) return false;
  return std::ranges::all_of(request.projections, [&](const std::string& name) {
    const Applied& applied = find(snapshot, name);
    return applied.checkpoint >= asked.through &&
           (asked.version == 0 || applied.has(file_.model.position_of(request.stream->id, asked.version)));
  });
}

void Simulation::check_answer(Reading& reading, const Wait& wait) {
  const ReadRequest& request = wait.request;
  const Freshness& freshness = reading.freshness();
  const Snapshot snapshot = take_snapshot(reading);
  check_tables(reading, snapshot, file_.model);
  check_freshness(freshness, request, snapshot, file_.model, clock_->wall_time());

  const bool met = is_met(request, wait.asked, snapshot);
  const bool outdated = has_rows_of(std::strong_ordering::less, request, snapshot, wait.process.version_of_totals());
  counters_.count_if(outdated, Rare::rows_of_older_rules);
  const bool lacks = is_eventual(request) ? freshness.behind_events > 0 : !met;
  expect_equal("an answer is marked stale exactly when it lacks something",
               lacks || outdated || has_dead_letters(request, snapshot, file_.model), freshness.stale);
  const bool newer = has_rows_of(std::strong_ordering::greater, request, snapshot, wait.process.version_of_totals());
  counters_.count_if(newer, Rare::rows_of_newer_rules);
  expect_equal("a stale answer has a warning, and so have newer rows, and no other has", freshness.stale || newer,
               !reading.warnings().empty());
  const bool unmet_promise = freshness.stale && !is_eventual(request);
  expect_equal("a read with OnTimeout::replay is to be replayed where it is stale",
               unmet_promise && request.on_timeout == OnTimeout::replay, reading.must_replay());
  if (unmet_promise) expect("a read with OnTimeout::error does not answer", request.on_timeout != OnTimeout::error);
  const auto waited = std::chrono::duration_cast<Duration>(clock_->now() - wait.began);
  expect_equal("how long a read says that it has waited", waited, freshness.waited);
  check_ending(wait, met);
  if (reading.must_replay()) check_replay(request);
  count_read(freshness, request);
}

void Simulation::check_error(const Error& error, const Wait& wait) {
  note(std::string("  error: ") + error.what());
  expect_equal("a read throws only if it is asked to", true, wait.request.on_timeout == OnTimeout::error);
  expect("an eventual read does not throw", !is_eventual(wait.request));
  Reading reading = wait.process.store->read({.projections = {"totals"}});
  const Snapshot snapshot = take_snapshot(reading);
  const bool met = is_met(wait.request, wait.asked, snapshot);
  const bool outdated =
      has_rows_of(std::strong_ordering::less, wait.request, snapshot, wait.process.version_of_totals());
  const bool failed = (met && !outdated) || wait.process.stopped_at;
  expect_equal("the code of a read that was not answered",
               std::string(name(failed ? ErrorCode::projection_failed : ErrorCode::stale)),
               std::string(name(error.code())));
  if (met) {
    expect("a read that is met throws for dead letters and rows of older rules alone",
           outdated || has_dead_letters(wait.request, snapshot, file_.model));
  }
  check_ending(wait, met);
  counters_.count(Rare::error_instead);
}

// No read waits longer than its timeout, nor than it takes until it is met.
void Simulation::check_ending(const Wait& wait, bool met) {
  const Instant ended = clock_->now();
  const Instant deadline = wait.began + wait.request.timeout;
  const auto since_began = [&](Instant time) { return std::chrono::duration_cast<Duration>(time - wait.began); };
  if (!met) {
    const bool stopped = wait.process.stopped_at && *wait.process.stopped_at <= deadline;
    expect_equal(
        stopped ? "a read is told at once that the projector has stopped" : "an unmet read waits to its timeout",
        since_began(stopped ? std::max(wait.began, *wait.process.stopped_at) : deadline), since_began(ended));
    counters_.count_if(ended > wait.began && !stopped, Rare::wait_timed_out);
    counters_.count_if(stopped, Rare::wait_on_stopped_projector);
    return;
  }
  expect("a read that is met does not wait past its timeout", ended <= deadline);
  counters_.count_if(ended > wait.began, Rare::wait_met);
  counters_.count_if(wait.future, Rare::wait_for_future_event_met);
  const auto known = met_at(wait);
  if (!known) return;
  const Instant earliest = std::max(wait.began, *known);
  const bool exact = wait.projecting && wait.process.store->is_projecting() && wait.interruptions == interruptions_;
  if (exact) {
    expect_equal("a read waits until it is met, and no longer", since_began(earliest), since_began(ended));
    counters_.count_if(ended > wait.began, Rare::wait_met_exactly);
  } else {
    expect("a read does not wait much longer than until it is met", ended <= earliest + look_max);
  }
}

// When what was asked for was applied, if that was seen.
std::optional<Instant> Simulation::met_at(const Wait& wait) const {
  Instant latest{};
  const auto add = [&](const std::map<std::int64_t, Instant>& applied_at, std::int64_t position) {
    const auto found = applied_at.find(position);
    if (found == applied_at.end()) return false;
    latest = std::max(latest, found->second);
    return true;
  };
  for (std::size_t index = 0; index < projection_names.size(); ++index) {
    if (std::ranges::find(wait.request.projections, projection_names[index]) == wait.request.projections.end())
      continue;
    const auto& applied_at = file_.applied_at[index];
    for (std::int64_t position = 1; position <= wait.asked.through; ++position) {
      if (!add(applied_at, position)) return std::nullopt;
    }
    const std::int64_t version = wait.asked.version;
    if (version > 0 && !add(applied_at, file_.model.position_of(wait.request.stream->id, version))) return std::nullopt;
  }
  return latest;
}

// The log answers in place of the read tables.
void Simulation::check_replay(const ReadRequest& request) {
  counters_.count(Rare::replay_instead);
  if (!request.stream) return;
  const auto events = processes_[0].store->log().read_stream(*request.stream, Version{}, all_events);
  expect_equal("a replay shows the stream's last version", file_.model.version(request.stream->id),
               static_cast<std::int64_t>(events.size()));
  for (const RecordedEvent& event : events) compare(file_.model, event);
}

void Simulation::count_read(const Freshness& freshness, const ReadRequest& request) {
  const std::size_t level = request.consistency.index();
  if (freshness.stale) {
    counters_.count(stale_paths[level]);
  } else if (!is_eventual(request)) {
    counters_.count(fresh_paths[level]);
  }
}

}  // namespace freshet::simulation
