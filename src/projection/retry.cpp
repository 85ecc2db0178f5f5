// The transactions of a retry.
#include "projection/retry.hpp"

#include <mutex>
#include <set>

#include "base/ensure.hpp"
#include "log/event_rows.hpp"
#include "projection/applier.hpp"
#include "projection/dead_letters.hpp"

namespace freshet::projection {

Retry::Retry(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered,
             DeadLetterChoice choice)
    : connection_(connection),
      turn_(turn),
      clock_(clock),
      registered_(std::move(registered)),
      choice_(std::move(choice)),
      tables_(connection, "") {
  std::set<StreamId> streams;
  for (const DeadLetter& letter : find_dead_letters(connection_, "", registered_.number, choice_)) {
    streams.insert(letter.stream);
  }
  streams_.assign(streams.rbegin(), streams.rend());
}

void Retry::step() {
  ensure(has_more(), "a retry goes on while there is more to try");
  const std::lock_guard turn(turn_);
  // Once more up to a letter that has undone the transaction, which is noted then.
  std::optional<ApplyFailure> known;
  while (auto failure = transact(known)) known = failure;
}

std::optional<ApplyFailure> Retry::transact(const std::optional<ApplyFailure>& known) {
  sqlite::Transaction transaction(connection_, sqlite::Transaction::Kind::write);
  const Entry entry = entry_of(connection_, *registered_.projection);
  // Its tables are about to be made again, dead letters and all.
  if (is_outdated(registered_, entry)) {
    streams_.clear();
    return std::nullopt;
  }
  const auto letters = next_letters(streams_.back());
  std::size_t applied = 0;
  while (applied < letters.size() && applied < batch_letters_max) {
    const bool is_known = known && known->position == letters[applied].position;
    const auto failure = is_known ? known : apply(letters[applied]);
    if (failure && !connection_.is_in_transaction()) return failure;
    if (failure) {
      write_failure(letters[applied], failure->reason);
      break;
    }
    ++applied;
  }
  sqlite::Run(connection_.statement("UPDATE projections SET revision = revision + 1 WHERE number = ?"),
              registered_.number)
      .finish();
  transaction.commit();
  applied_ += static_cast<std::int64_t>(applied);
  if (applied < batch_letters_max) streams_.pop_back();
  return std::nullopt;
}

// The chosen ones from the stream's first on: one behind a letter that was not chosen has to wait for it.
std::vector<DeadLetter> Retry::next_letters(const StreamId& stream) {
  auto letters = find_dead_letters(connection_, "", registered_.number, {.stream = stream});
  if (choice_.position) {
    const bool is_first = !letters.empty() && letters.front().position == *choice_.position;
    letters.resize(is_first ? 1 : 0);
  }
  return letters;
}

std::optional<ApplyFailure> Retry::apply(const DeadLetter& letter) {
  const auto events = log::read_all(connection_, Position{letter.position.value - 1}, 1);
  ensure(!events.empty() && events.front().position == letter.position, "a dead letter's event is in the log");
  auto failure = apply_alone(registered_, events.front(), tables_, connection_);
  if (failure) return failure;
  sqlite::Run(connection_.statement("DELETE FROM dead_letters WHERE projection = ? AND position = ?"),
              registered_.number, letter.position.value)
      .finish();
  return std::nullopt;
}

void Retry::write_failure(const DeadLetter& letter, const std::string& reason) {
  sqlite::Run(connection_.statement("UPDATE dead_letters SET attempts = attempts + 1, reason = ?, at = ? "
                                    "WHERE projection = ? AND position = ?"),
              std::string_view{reason}, std::int64_t{clock_.wall_time().time_since_epoch().count()}, registered_.number,
              letter.position.value)
      .finish();
}

}  // namespace freshet::projection
