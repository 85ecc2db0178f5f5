// The waiting loop of a read, and the judgement on what it found.
#include "query/reader.hpp"

#include <algorithm>

#include "base/deliberate_bug.hpp"
#include "base/time_text.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "projection/dead_letters.hpp"
#include "projection/leases.hpp"
#include "query/freshness.hpp"
#include "query/target.hpp"

namespace freshet::query {
namespace {

std::vector<projection::Entry> find_entries(Snapshot& snapshot, const ReadRequest& request) {
  std::vector<projection::Entry> entries;
  entries.reserve(request.projections.size());
  for (const std::string& name : request.projections) {
    const projection::Entry* entry = snapshot.entry(name);
    if (entry == nullptr) throw Error(ErrorCode::invalid, "there is no projection '" + name + "' in this store");
    entries.push_back(*entry);
  }
  if (entries.empty()) throw Error(ErrorCode::invalid, "a read names at least one projection");
  return entries;
}

// How the wait ended.
struct Ending {
  bool met = false;
  std::optional<std::string> failure = std::nullopt;  // The projector has stopped.
  bool may_wait = true;
};

// Says in the state what was asked for and not met.
void judge(Reading::State& state, const ReadRequest& request, const Target& target, const Ending& ending) {
  Freshness& freshness = state.freshness;
  if (!target.asks()) {
    freshness.stale = freshness.behind_events > 0;
  } else {
    freshness.stale = !ending.met || (target.version() && freshness.version < *target.version());
  }
  if (!ending.met) {
    const std::string shown =
        request.stream
            ? "version " + std::to_string(freshness.version.value) +
                  (freshness.latest_version.value > 0 ? " of " + std::to_string(freshness.latest_version.value) : "")
            : "everything up to position " + std::to_string(freshness.position.value);
    std::string warning = "stale: waited " +
                          format_duration(std::chrono::round<std::chrono::milliseconds>(freshness.waited)) + " for " +
                          target.description() + "; the read tables show " + shown;
    if (const auto missing = target.missing_in_log(*state.snapshot)) warning += "; " + *missing;
    if (!ending.may_wait) warning += "; it is not waited for in a callback of the store or in the body of write()";
    if (ending.failure) warning += "; the projector has stopped: " + *ending.failure;
    state.warnings.push_back(std::move(warning));
  } else if (freshness.stale && request.stream) {
    state.warnings.push_back("stale: the read tables show version " + std::to_string(freshness.version.value) +
                             ", the log has version " + std::to_string(freshness.latest_version.value));
  } else if (freshness.stale) {
    state.warnings.push_back("stale: the read tables lack " + std::to_string(freshness.behind_events) +
                             " of the log's events");
  }
}

void count_dead_letters(Reading::State& state, const ReadRequest& request,
                        const std::optional<log::StreamEnd>& stream) {
  if (!state.snapshot->has_dead_letters()) return;
  const auto number = stream ? std::optional(stream->number) : std::nullopt;
  for (std::size_t index = 0; index < state.entries.size(); ++index) {
    const std::int64_t count =
        projection::count_dead_letters(state.snapshot->connection(), state.entries[index].number, number);
    if (count == 0) continue;
    state.freshness.stale = true;
    state.warnings.push_back("stale: " + std::to_string(count) + " events are dead letters of the projection '" +
                             request.projections[index] + "'");
  }
}

// Says where the rows were made by other rules than this store's. True: by older ones, which apply nothing more.
bool compare_rules(Reading::State& state, const ReadRequest& request,
                   std::span<const std::shared_ptr<const Projection>> rules) {
  bool outdated = false;
  for (std::size_t index = 0; index < state.entries.size(); ++index) {
    const std::int64_t made_by = state.entries[index].schema_version;
    const auto own = std::ranges::find(rules, request.projections[index], &Projection::name);
    // What was never made lacks the log's events, and says so.
    if (own == rules.end() || made_by == (*own)->schema_version() || made_by == projection::never_built) continue;
    const std::string rows = "the rows of the projection '" + request.projections[index] +
                             "' are of its schema version " + std::to_string(made_by);
    const std::string version = std::to_string((*own)->schema_version());
    const bool newer = made_by > (*own)->schema_version();
    state.warnings.push_back(newer ? rows + ", which a newer release has made; this one has version " + version
                                   : "stale: " + rows + ", which is to be replaced by version " + version);
    outdated = outdated || !newer;
  }
  return outdated;
}

}  // namespace

std::string Reader::others(const ReadRequest& request, std::span<const projection::Entry> entries) const {
  std::string others;
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const std::string& name = request.projections[index];
    if (progressing_.is_projecting(name)) continue;
    const auto own = std::ranges::find(rules_, name, &Projection::name);
    const auto holder =
        projection::holder_of(store_, entries[index], own == rules_.end() ? 0 : (*own)->schema_version());
    if (holder) others += "; process " + std::to_string(*holder) + " projects '" + name + "'";
  }
  return others;
}

Reading Reader::read(const ReadRequest& request) {
  const Instant began = clock_.now();
  const Instant deadline = began + std::clamp(request.timeout, Duration{0}, read_timeout_max);
  std::optional<Target> target;
  bool waited = false;
  while (true) {
    // Counted before anything is looked at, so that nothing falls between the look and the wait.
    const std::uint64_t seen = progressing_.count();
    progressing_.check_open();
    auto state = std::make_unique<Reading::State>(snapshots_, rules_);
    Snapshot& snapshot = *state->snapshot;
    state->entries = find_entries(snapshot, request);
    if (!target || deliberately(Bug::head_read_while_waiting)) target.emplace(snapshot, request, clock_);

    Ending ending{.met = target->is_met(snapshot, state->entries)};
    if (!ending.met && !deliberately(Bug::waiter_on_dead_projector)) ending.failure = progressing_.failure();
    if (!ending.met && !ending.failure && clock_.now() < deadline) {
      ending.may_wait = progressing_.may_wait();
      if (ending.may_wait) {
        state.reset();
        waited = true;
        progressing_.wait(seen, deadline, request.projections);
        continue;
      }
    }

    std::optional<log::StreamEnd> stream;
    if (request.stream) stream = snapshot.find_stream(*request.stream).value_or(log::StreamEnd{});
    state->stream_number = stream ? stream->number : 0;
    state->of_one_stream = request.stream.has_value();
    state->freshness = measure(snapshot, state->entries, stream, clock_);
    if (waited || !ending.met) state->freshness.waited = std::chrono::duration_cast<Duration>(clock_.now() - began);
    judge(*state, request, *target, ending);
    if (!state->warnings.empty() && !ending.failure) state->warnings.front() += others(request, state->entries);
    count_dead_letters(*state, request, stream);
    const bool outdated = compare_rules(*state, request, rules_);
    state->freshness.stale = state->freshness.stale || outdated;
    const bool asked_in_vain = state->freshness.stale && target->asks();
    if (asked_in_vain && request.on_timeout == OnTimeout::error) {
      const bool failed = (ending.met && !outdated) || ending.failure;
      throw Error(failed ? ErrorCode::projection_failed : ErrorCode::stale, state->warnings.front());
    }
    state->must_replay = asked_in_vain && request.on_timeout == OnTimeout::replay;
    return Reading(std::move(state));
  }
}

}  // namespace freshet::query

namespace freshet {

void Reading::State::check_tables() const {
  for (const auto& projection : rules_) {
    const projection::Entry* const entry = snapshot->entry(projection->name());
    // Other rules may have other tables.
    const bool is_own = entry != nullptr && (entry->schema_version == projection->schema_version() ||
                                             entry->schema_version == projection::never_built);
    if (!is_own) continue;
    const auto missing = projection::find_missing_table(snapshot->connection(), *projection, "");
    if (missing) throw Error(ErrorCode::corrupt, projection::missing_table_sentence(*projection, *missing));
  }
}

Reading::Reading(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reading::Reading(Reading&&) noexcept = default;
Reading& Reading::operator=(Reading&&) noexcept = default;
Reading::~Reading() = default;

const Freshness& Reading::freshness() const {
  return state_->freshness;
}
const std::vector<std::string>& Reading::warnings() const {
  return state_->warnings;
}
bool Reading::must_replay() const {
  return state_->must_replay;
}
std::int64_t Reading::stream_number() const {
  return state_->stream_number;
}

Position Reading::newest() const {
  if (state_->of_one_stream && state_->entries.size() == 1) {
    sqlite::Run run(
        state_->snapshot->connection().statement("SELECT position FROM events WHERE stream = ? AND version = ?"),
        state_->stream_number, state_->freshness.version.value);
    return run.next() ? Position{run.integer(0)} : Position{};
  }
  Position newest;
  for (const projection::Entry& entry : state_->entries) {
    sqlite::Run run(state_->snapshot->connection().statement(
                        "SELECT max(position, coalesce((SELECT max(position) FROM applied_above "
                        "WHERE projection = number), 0)) FROM projections WHERE number = ?"),
                    entry.number);
    if (run.next()) newest = std::max(newest, Position{run.integer(0)});
  }
  return newest;
}

Rows Reading::query(std::string_view sql, Values values) {
  sqlite::Statement& statement = state_->snapshot->connection().query(sql);
  statement.bind_all(values.span(), sqlite::Statement::Texts::copied);
  return Rows(statement);
}

}  // namespace freshet
