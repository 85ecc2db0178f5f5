// The rebuild's batches and the swap.
#include "projection/rebuild.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/deliberate_bug.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "projection/table_owners.hpp"
#include "sqlite/loose_tables.hpp"

namespace freshet::projection {

std::string suffix_of(std::int64_t projection) {
  return "_rebuilt_" + std::to_string(projection) + '_';
}

std::string suffix_of(std::int64_t projection, std::int64_t generation) {
  return suffix_of(projection) + std::to_string(generation);
}

void drop_new_tables(sqlite::Connection& connection, std::string_view suffix) {
  std::vector<std::string> names;
  {
    // A virtual table comes before the tables that it keeps, and takes them with it.
    sqlite::Run run(connection.statement("SELECT name FROM sqlite_master WHERE type IN ('view', 'table') AND "
                                         "instr(sql, ?) ORDER BY rowid"),
                    suffix);
    while (run.next()) names.emplace_back(run.text(0));
  }
  for (const std::string& name : names) sqlite::drop(connection, name);
}

Rebuild::Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, const Catalog& catalog,
                 Registered registered, const std::filesystem::path& store, const ProjectorOptions& options,
                 ReadAhead::Read read_ahead, Because because)
    : connection_(connection),
      turn_(turn),
      clock_(clock),
      catalog_(catalog),
      registered_(std::move(registered)),
      options_(options),
      lease_(store, "rebuild"),
      ahead_(std::move(read_ahead)),
      because_(because),
      attempts_(options) {}

bool Rebuild::step() {
  if (!started_ && !start()) return false;
  Care care = Care::none;
  while (true) {
    const auto held = held_;
    const auto dead_streams = dead_streams_;
    const std::size_t dead_letters = dead_letters_.size();
    try {
      return run_batch(care);
    } catch (const ApplyFailure& failure) {
      // The batch was undone. Once more, without the event that failed.
      held_ = held;
      dead_streams_ = dead_streams;
      dead_letters_.resize(dead_letters);
      note(failure);
      care = Care::each;
    }
  }
}

void Rebuild::note(const ApplyFailure& failure) {
  const bool last = attempts_.note(failure, clock_.now());
  if (last && options_.on_failure == OnFailure::stop) throw Error(ErrorCode::projection_failed, failure.what());
}

bool Rebuild::start() {
  if (!acquire()) throw Error(ErrorCode::busy, "another rebuild of this file is going on");
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  const Entry entry = entry_of(connection_, *registered_.projection);
  check_not_newer(registered_, entry);
  registered_.number = entry.number;
  check_obtainable(connection_, catalog_, registered_);
  outdated_ = is_outdated(registered_, entry);
  if (because_ == Because::outdated && !outdated_) return false;
  // The number of the generation keeps the names of indexes apart, which a renamed table keeps.
  suffix_ = suffix_of(entry.number, entry.generation + 1);
  drop_new_tables(connection_, suffix_);
  tables_.emplace(connection_, suffix_);
  create_tables(*registered_.projection, *tables_, connection_);
  token_ = begin_token(connection_, entry.number);
  attempts_ = Attempts(options_);
  held_.clear();
  dead_streams_.clear();
  dead_letters_.clear();
  // New rules get every event again.
  discarded_ = outdated_ ? std::set<Position>{} : load_letters(connection_, registered_.number, Letters::discarded);
  waiting_ = load_letters(connection_, registered_.number, Letters::waiting);
  position_ = {};
  head_ = log::last_of_log(connection_).position;
  transaction.commit();
  next_attempt_ = {};
  return started_ = true;
}

// The lock on the file's name says that there is no other rebuild, and it has been wrong: a file may have two names,
// and its lock may have been removed. Two that filled the same tables would count every event twice.
void Rebuild::check_still_own() {
  sqlite::Run run(connection_.statement("SELECT 1 FROM projections WHERE number = ? AND rebuild_token = ?"),
                  registered_.number, std::string_view{token_});
  if (run.next() || deliberately(Bug::token_not_compared)) return;
  started_ = false;
  tables_.reset();
  lease_.release();
  next_attempt_ = clock_.now() + displaced_pause * (1 << std::min(displacements_++, displacements_max));
  throw Error(ErrorCode::busy, "the rebuild of the projection '" + std::string(registered_.projection->name()) +
                                   "' has come to an end: another one has begun meanwhile, or it was removed");
}

bool Rebuild::run_batch(Care care) {
  constexpr auto batch = static_cast<std::int64_t>(batch_events_max);
  auto ahead = ahead_.take(position_, batch_events_max);
  // Only whole batches are read ahead: what comes last is read where nobody can append meanwhile.
  if (position_.value + 2 * batch <= head_.value) ahead_.begin(Position{position_.value + batch}, batch_events_max);
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  check_still_own();
  now_ = clock_.now();
  take_due();
  const auto events = ahead ? std::move(*ahead) : log::read_all(connection_, position_, batch_events_max);
  for (const RecordedEvent& event : events) {
    if (held_.contains(event.stream_number) || take(event, care)) continue;
    held_.emplace(event.stream_number, Held{event.stream, event.version});
  }
  const Position reached = events.empty() ? position_ : events.back().position;
  // Nobody else can append while this transaction is open, so a short batch is the last one.
  const bool at_head = events.size() < batch_events_max;
  const bool last = at_head && held_.empty();
  if (last && is_overtaken()) {
    started_ = false;
    return true;
  }
  if (last) swap(reached);
  transaction.commit();
  position_ = reached;
  next_attempt_ = at_head ? next_due() : Instant{};
  return !last;
}

// Each stream that is due, from its first event on that is left out; as many events as fit into a batch.
void Rebuild::take_due() {
  std::size_t streams = 0;
  for (auto held = held_.begin(); held != held_.end() && streams < batch_events_max;) {
    if (attempts_.due(registered_.number, held->first).value_or(now_) > now_) {
      ++held;
      continue;
    }
    ++streams;
    held = take(held->second) ? held_.erase(held) : std::next(held);
  }
}

bool Rebuild::take(Held& held) {
  const auto events = log::read_stream(connection_, held.stream, Version{held.from.value - 1}, batch_events_max);
  for (const RecordedEvent& event : events) {
    if (event.position > position_) return true;
    held.from = event.version;
    if (!take(event, Care::each)) return false;
  }
  held.from = Version{held.from.value + 1};
  return events.size() < batch_events_max;
}

bool Rebuild::take(const RecordedEvent& event, Care care) {
  if (discarded_.contains(event.position)) return true;
  if (dead_streams_.contains(event.stream_number)) {
    bury({event.position, event.stream_number, 0, follows_a_dead_letter});
    return true;
  }
  Judgement judgement = attempts_.judge(registered_.number, event.stream_number, event.position, now_);
  if (judgement.verdict == Verdict::apply) {
    if (care == Care::none) {
      try {
        projection::apply(registered_, event, *tables_, connection_);
      } catch (const ApplyFailure&) {
        check_beside();
        throw;
      }
      check_beside();
      return true;
    }
    const auto failure = apply_alone(registered_, event, *tables_, connection_);
    check_beside();
    if (!failure) return true;
    // Whoever runs the batch counts it.
    if (!connection_.is_in_transaction()) throw ApplyFailure(*failure);
    note(*failure);
    judgement = attempts_.judge(registered_.number, event.stream_number, event.position, now_);
  }
  if (judgement.verdict != Verdict::bury) return false;
  bury({event.position, event.stream_number, judgement.attempts, judgement.reason});
  return true;
}

void Rebuild::bury(Letter letter) {
  if (dead_letters_.size() == dead_letters_max) {
    throw Error(ErrorCode::projection_failed, "the rebuild of '" + std::string(registered_.projection->name()) +
                                                  "' has failed on more than " + std::to_string(dead_letters_max) +
                                                  " events, first with: " + dead_letters_.front().reason);
  }
  dead_streams_.insert(letter.stream);
  dead_letters_.push_back(std::move(letter));
}

Instant Rebuild::next_due() const {
  std::optional<Instant> next;
  for (const auto& [stream, held] : held_) {
    const Instant due = attempts_.due(registered_.number, stream).value_or(Instant{});
    next = std::min(next.value_or(due), due);
  }
  return next.value_or(Instant{});
}

// Marks were made whose events are in the new tables, or that let later events of their streams through, which were set
// aside here; or letters were retried that are none of the old tables any more and have failed here before that. New
// rules get every event again, whatever was decided on the old ones.
bool Rebuild::is_overtaken() {
  if (outdated_ || deliberately(Bug::marks_ignored_at_swap)) return false;
  const auto discarded = load_letters(connection_, registered_.number, Letters::discarded);
  const auto waiting = load_letters(connection_, registered_.number, Letters::waiting);
  std::set<Position> failed;
  std::set<std::int64_t> let_through;
  for (const Letter& letter : dead_letters_) {
    failed.insert(letter.position);
    if (letter.attempts > 0 && discarded.contains(letter.position)) let_through.insert(letter.stream);
    const bool follows = letter.attempts == 0 && let_through.contains(letter.stream);
    if (follows && !discarded.contains(letter.position)) return true;
  }
  return std::ranges::any_of(discarded,
                             [&](Position at) { return !discarded_.contains(at) && !failed.contains(at); }) ||
         std::ranges::any_of(waiting_, [&](Position at) {
           return failed.contains(at) && !waiting.contains(at) && !discarded.contains(at);
         });
}

// Rules that write to tables in use are wrong for every event, and what they would leave here is as well.
void Rebuild::check_beside() const {
  if (tables_->trespass().empty()) return;
  throw Error(ErrorCode::invalid, "cannot rebuild the projection '" + std::string(registered_.projection->name()) +
                                      "': " + tables_->trespass());
}

void Rebuild::swap(Position reached) {
  const auto made = made_of_tables();
  for (const Made& each : made) sqlite::drop(connection_, each.made_as);
  // Another program may have come by one of that name meanwhile.
  check_obtainable(connection_, catalog_, registered_);
  // All of them, before one takes its place: they may refer to each other. The rules before may have had other ones.
  drop_tables(connection_, registered_.number);
  for (const std::string& table : registered_.projection->tables()) sqlite::drop(connection_, table);
  sqlite::take_from_arguments(connection_, suffix_);
  for (const std::string& table : registered_.projection->tables()) {
    if (std::ranges::find(made, table, &Made::name) != made.end()) continue;
    sqlite::rename_table(connection_, table + suffix_, table);
  }
  for (const Made& each : made) {
    sqlite::drop(connection_, each.name);
    connection_.execute(each.sql);
  }
  own_tables(connection_, registered_);
  sqlite::Run(connection_.statement("DELETE FROM applied_above WHERE projection = ?"), registered_.number).finish();
  replace_dead_letters();
  sqlite::Run(connection_.statement("UPDATE projections SET schema_version = ?, generation = generation + 1, "
                                    "position = ?, revision = revision + 1, rebuild_token = NULL WHERE number = ?"),
              std::int64_t{registered_.projection->schema_version()}, reached.value, registered_.number)
      .finish();
}

// SQLite keeps their SQL as it was written, so without the suffix it is what makes them of the tables in use.
std::vector<Rebuild::Made> Rebuild::made_of_tables() {
  std::vector<Made> made;
  sqlite::Run run(connection_.statement("SELECT name, replace(name, ?1, ''), replace(sql, ?1, '') FROM sqlite_master "
                                        "WHERE type IN ('view', 'trigger') AND instr(sql, ?1) ORDER BY rowid"),
                  std::string_view{suffix_});
  while (run.next()) made.push_back({std::string(run.text(0)), std::string(run.text(1)), std::string(run.text(2))});
  return made;
}

void Rebuild::replace_dead_letters() {
  // A letter may have been discarded while the rebuild went on: it stays so if its event has failed here too.
  std::set<Position> kept = discarded_;
  for (const Letter& letter : dead_letters_) kept.insert(letter.position);
  delete_dead_letters(connection_, registered_.number, kept);
  for (const Letter& letter : dead_letters_) {
    insert_dead_letter(connection_, registered_.number, letter, clock_.wall_time());
  }
}

void Rebuild::abandon() noexcept {
  // Without a start there are no new tables, and no suffix to tell them from the old ones.
  if (!started_) return;
  try {
    const std::lock_guard turn(turn_);
    sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
    tables_.reset();
    check_still_own();
    drop_new_tables(connection_, suffix_);
    end_token(connection_, registered_.number);
    transaction.commit();
  } catch (...) {  // NOLINT(bugprone-empty-catch): a start drops what it finds.
  }
}

}  // namespace freshet::projection
