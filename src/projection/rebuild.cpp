// The rebuild's batches and the swap.
#include "projection/rebuild.hpp"

#include <mutex>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"

namespace freshet::projection {

Rebuild::Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered,
                 const std::filesystem::path& store)
    : connection_(connection),
      turn_(turn),
      clock_(clock),
      registered_(std::move(registered)),
      lease_(store, "rebuild") {}

bool Rebuild::step() {
  if (!tables_) start();
  while (true) {
    const std::size_t dead_letters = dead_letters_.size();
    try {
      return run_batch();
    } catch (const ApplyFailure& failure) {
      failed_streams_.insert_or_assign(failure.stream, DeadLetter{failure.position, failure.stream, 1, failure.reason});
    }
    // The batch was undone; once more, without the event that failed.
    dead_letters_.resize(dead_letters);
  }
}

void Rebuild::start() {
  if (!lease_.acquire()) throw Error(ErrorCode::busy, "another rebuild of this file is going on");
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  const auto entry = find_entry(connection_, registered_.projection->name());
  ensure(entry.has_value(), "a registered projection has its row");
  // The number of the generation keeps the names of indexes apart, which a renamed table keeps.
  suffix_ = "_" + std::to_string(entry->generation + 1);
  drop_new_tables();
  tables_.emplace(connection_, suffix_);
  registered_.projection->create(*tables_);
  head_ = log::last_of_log(connection_).position;
  transaction.commit();
}

bool Rebuild::run_batch() {
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  const auto events = log::read_all(connection_, position_, batch_events_max);
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
  const auto failed = failed_streams_.find(event.stream_number);
  if (failed == failed_streams_.end() || event.position < failed->second.position) {
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
    dead_letters_.push_back(
        {event.position, event.stream_number, 0, "an earlier event of its stream is a dead letter"});
  }
}

void Rebuild::swap(Position reached) {
  for (const std::string& table : registered_.projection->tables()) {
    // New rules may have tables that the old ones had not.
    connection_.execute("DROP TABLE IF EXISTS \"" + table + "\"");
    connection_.execute("ALTER TABLE \"" + table + suffix_ + "\" RENAME TO \"" + table + "\"");
  }
  for (const char* sql :
       {"DELETE FROM applied_above WHERE projection = ?", "DELETE FROM dead_letters WHERE projection = ?"}) {
    sqlite::Run(connection_.statement(sql), registered_.number).finish();
  }
  for (const DeadLetter& letter : dead_letters_) {
    sqlite::Run(connection_.statement("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)"), registered_.number,
                letter.position.value, letter.stream, std::int64_t{letter.attempts}, std::string_view{letter.reason},
                std::int64_t{clock_.wall_time().time_since_epoch().count()})
        .finish();
  }
  sqlite::Run(connection_.statement("UPDATE projections SET schema_version = ?, generation = generation + 1, "
                                    "position = ?, revision = revision + 1 WHERE number = ?"),
              std::int64_t{registered_.projection->schema_version()}, reached.value, registered_.number)
      .finish();
}

void Rebuild::abandon() {
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  tables_.reset();
  drop_new_tables();
  transaction.commit();
}

void Rebuild::drop_new_tables() {
  for (const std::string& table : registered_.projection->tables()) {
    connection_.execute("DROP TABLE IF EXISTS \"" + table + suffix_ + "\"");
  }
}

}  // namespace freshet::projection
