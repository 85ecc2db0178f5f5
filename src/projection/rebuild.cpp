// The rebuild's batches and the swap.
#include "projection/rebuild.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "sqlite/loose_tables.hpp"

namespace freshet::projection {

Rebuild::Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered,
                 const std::filesystem::path& store, const ProjectorOptions& options, ReadAhead::Read read_ahead)
    : connection_(connection),
      turn_(turn),
      clock_(clock),
      registered_(std::move(registered)),
      options_(options),
      lease_(store, "rebuild"),
      ahead_(std::move(read_ahead)) {}

bool Rebuild::step() {
  if (!started_) start();
  while (true) {
    const std::size_t dead_letters = dead_letters_.size();
    try {
      return run_batch();
    } catch (const ApplyFailure& failure) {
      // The batch was undone.
      dead_letters_.resize(dead_letters);
      if (!note(failure)) return true;
    }
    // Once more, without the event that failed.
  }
}

bool Rebuild::note(const ApplyFailure& failure) {
  Letter& failed = failed_streams_[failure.stream];
  const int attempts = failed.position == failure.position ? failed.attempts + 1 : 1;
  failed = {failure.position, failure.stream, attempts, failure.reason};
  if (attempts < options_.attempts_max) {
    next_attempt_ = clock_.now() + backoff(options_, attempts);
    return false;
  }
  if (options_.on_failure == OnFailure::stop) throw Error(ErrorCode::projection_failed, failure.what());
  return true;
}

void Rebuild::start() {
  if (!acquire()) throw Error(ErrorCode::busy, "another rebuild of this file is going on");
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  const Entry entry = entry_of(connection_, *registered_.projection);
  check_not_newer(registered_, entry);
  // The number of the generation keeps the names of indexes apart, which a renamed table keeps. Nothing else in the
  // file has this in its name, or in its SQL.
  suffix_ = "_rebuilt_" + std::to_string(entry.number) + '_' + std::to_string(entry.generation + 1);
  drop_new_tables();
  tables_.emplace(connection_, suffix_);
  create_tables(*registered_.projection, *tables_, connection_);
  // New rules get every event again.
  if (!is_outdated(registered_, entry)) discarded_ = load_discarded(connection_, registered_.number);
  head_ = log::last_of_log(connection_).position;
  transaction.commit();
  started_ = true;
}

bool Rebuild::run_batch() {
  constexpr auto batch = static_cast<std::int64_t>(batch_events_max);
  auto ahead = ahead_.take(position_, batch_events_max);
  // Only whole batches are read ahead: what comes last is read where nobody can append meanwhile.
  if (position_.value + 2 * batch <= head_.value) ahead_.begin(Position{position_.value + batch}, batch_events_max);
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  const auto events = ahead ? std::move(*ahead) : log::read_all(connection_, position_, batch_events_max);
  for (const RecordedEvent& event : events) apply(event);
  const Position reached = events.empty() ? position_ : events.back().position;
  // Nobody else can append while this transaction is open, so a short batch is the last one.
  const bool last = events.size() < batch_events_max;
  if (last) swap(reached);
  transaction.commit();
  position_ = reached;
  return !last;
}

void Rebuild::apply(const RecordedEvent& event) {
  if (discarded_.contains(event.position)) return;
  const auto failed = failed_streams_.find(event.stream_number);
  if (failed == failed_streams_.end() || event.position < failed->second.position ||
      failed->second.attempts < options_.attempts_max) {
    try {
      projection::apply(registered_, event, *tables_, connection_);
    } catch (const ApplyFailure&) {
      check_beside();
      throw;
    }
    check_beside();
    return;
  }
  if (dead_letters_.size() == dead_letters_max) {
    throw Error(ErrorCode::projection_failed, "the rebuild of '" + std::string(registered_.projection->name()) +
                                                  "' has failed on more than " + std::to_string(dead_letters_max) +
                                                  " events, first with: " + dead_letters_.front().reason);
  }
  if (event.position == failed->second.position) {
    dead_letters_.push_back(failed->second);
  } else {
    dead_letters_.push_back({event.position, event.stream_number, 0, follows_a_dead_letter});
  }
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
  // All of them, before one takes its place: they may refer to each other. New rules may have other ones.
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
  sqlite::Run(connection_.statement("DELETE FROM applied_above WHERE projection = ?"), registered_.number).finish();
  replace_dead_letters();
  sqlite::Run(connection_.statement("UPDATE projections SET schema_version = ?, generation = generation + 1, "
                                    "position = ?, revision = revision + 1 WHERE number = ?"),
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
    drop_new_tables();
    transaction.commit();
  } catch (...) {  // NOLINT(bugprone-empty-catch): a start drops what it finds.
  }
}

void Rebuild::drop_new_tables() {
  std::vector<std::string> names;
  {
    // A virtual table comes before the tables that it keeps, and takes them with it.
    sqlite::Run run(connection_.statement("SELECT name FROM sqlite_master WHERE type IN ('view', 'table') AND "
                                          "instr(sql, ?) ORDER BY rowid"),
                    std::string_view{suffix_});
    while (run.next()) names.emplace_back(run.text(0));
  }
  for (const std::string& name : names) sqlite::drop(connection_, name);
}

}  // namespace freshet::projection
