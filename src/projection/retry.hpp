// Trying dead letters again: in the order of their streams, each once, rows and removal in one transaction.
#pragma once

#include <optional>
#include <vector>

#include "freshet/clock.hpp"
#include "freshet/projection.hpp"
#include "log/turn.hpp"
#include "projection/applier.hpp"
#include "projection/catalog.hpp"
#include "projection/read_tables.hpp"

namespace freshet::projection {

class Retry {
 public:
  // Takes up the choice's letters of one projection. `connection` belongs to the retry while it lives.
  Retry(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered, DeadLetterChoice choice);

  [[nodiscard]] bool has_more() const { return !streams_.empty(); }

  // One transaction, on one stream.
  void step();

  [[nodiscard]] std::int64_t applied() const { return applied_; }

 private:
  // Appends wait meanwhile.
  static constexpr std::size_t batch_letters_max = 512;

  [[nodiscard]] std::vector<DeadLetter> next_letters(const StreamId& stream);
  // Nothing: it is done. Otherwise the letter that has undone the transaction; one that is `known` to do so is not
  // tried, and its failure written.
  [[nodiscard]] std::optional<ApplyFailure> transact(const std::optional<ApplyFailure>& known);
  // Nothing: it was applied. Otherwise it has failed again, and stays.
  [[nodiscard]] std::optional<ApplyFailure> apply(const DeadLetter& letter);
  void write_failure(const DeadLetter& letter, const std::string& reason);

  sqlite::Connection& connection_;
  log::Turn& turn_;
  Clock& clock_;
  Registered registered_;
  DeadLetterChoice choice_;
  ReadTables tables_;
  std::vector<StreamId> streams_;  // Still to be tried, the last one first.
  std::int64_t applied_ = 0;
};

}  // namespace freshet::projection
