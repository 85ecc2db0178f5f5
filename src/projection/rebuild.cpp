// The rebuild's batches and the swap.
#include "projection/rebuild.hpp"

#include <mutex>
#include <utility>

#include "freshet/error.hpp"
#include "log/event_rows.hpp"

namespace freshet::projection {

Rebuild::Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered,
                 const std::filesystem::path& store, const ProjectorOptions& options, log::ReadAhead::Read read_ahead)
    : connection_(connection),
      turn_(turn),
      clock_(clock),
      registered_(std::move(registered)),
      options_(options),
      lease_(store, "rebuild"),
      ahead_(std::move(read_ahead)) {}

bool Rebuild::step() {
  if (!tables_) start();
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
  // The number of the generation keeps the names of indexes apart, which a renamed table keeps.
  suffix_ = "_" + std::to_string(entry.generation + 1);
  drop_new_tables();
  tables_.emplace(connection_, suffix_);
  registered_.projection->create(*tables_);
  // New rules get every event again.
  if (!is_outdated(registered_, entry)) discarded_ = load_discarded(connection_, registered_.number);
  head_ = log::last_of_log(connection_).position;
  transaction.commit();
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
    projection::apply(registered_, event, *tables_);
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

void Rebuild::swap(Position reached) {
  for (const std::string& table : registered_.projection->tables()) {
    // New rules may have tables that the old ones had not.
    connection_.execute("DROP TABLE IF EXISTS \"" + table + "\"");
    connection_.execute("ALTER TABLE \"" + table + suffix_ + "\" RENAME TO \"" + table + "\"");
  }
  sqlite::Run(connection_.statement("DELETE FROM applied_above WHERE projection = ?"), registered_.number).finish();
  replace_dead_letters();
  sqlite::Run(connection_.statement("UPDATE projections SET schema_version = ?, generation = generation + 1, "
                                    "position = ?, revision = revision + 1 WHERE number = ?"),
              std::int64_t{registered_.projection->schema_version()}, reached.value, registered_.number)
      .finish();
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
  if (!tables_) return;
  try {
    const std::lock_guard turn(turn_);
    sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
    tables_.reset();
    drop_new_tables();
    transaction.commit();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a start drops what it finds.
  }
}

void Rebuild::drop_new_tables() {
  for (const std::string& table : registered_.projection->tables()) {
    connection_.execute("DROP TABLE IF EXISTS \"" + table + suffix_ + "\"");
  }
}

}  // namespace freshet::projection
