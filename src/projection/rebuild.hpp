// Making a projection's tables again from the log: into new tables beside the old ones, which answer
// meanwhile, and then into their place, in the transaction that applies the last events.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/lease.hpp"
#include "base/read_ahead.hpp"
#include "freshet/clock.hpp"
#include "log/turn.hpp"
#include "projection/applier.hpp"
#include "projection/catalog.hpp"
#include "projection/dead_letters.hpp"
#include "projection/read_tables.hpp"

namespace freshet::projection {

class Rebuild {
 public:
  // `connection` belongs to the rebuild while it lives. `store` is the store's file. `read_ahead` reads its log on
  // another connection and another thread; where it is empty, nothing is read ahead.
  Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered,
          const std::filesystem::path& store, const ProjectorOptions& options, ReadAhead::Read read_ahead);

  // Makes this the only rebuild of the file; step() does it as well. False: another one is going on.
  [[nodiscard]] bool acquire() { return lease_.acquire(); }

  // One batch, or one attempt at it. Throws `busy` if another rebuild of the file is going on, and
  // `projection_failed` where an event has failed for the last time and OnFailure::stop says so. False: that
  // was the last one, and the new tables are in place.
  [[nodiscard]] bool step();

  // When the next step is due: later than now only after a failed attempt.
  [[nodiscard]] Instant next_attempt() const { return next_attempt_; }

  // Drops the new tables of a rebuild that is given up. Where that fails, the next rebuild does it.
  void abandon() noexcept;

  [[nodiscard]] Position position() const { return position_; }
  [[nodiscard]] Position head() const { return head_; }

 private:
  // Long enough to outweigh the cost of a transaction, short enough for writers to wait.
  static constexpr std::size_t batch_events_max = 1'000;
  // A projection that fails this often is wrong, not unlucky.
  static constexpr std::size_t dead_letters_max = 10'000;

  // A view or a trigger of create().
  struct Made {
    std::string made_as;
    std::string name;  // Once the new tables are in their place; likewise the SQL.
    std::string sql;
  };

  void start();
  [[nodiscard]] bool run_batch();
  void apply(const RecordedEvent& event);
  void check_beside() const;
  // Counts the attempt. True: it was the last one, and the event is to become a dead letter.
  [[nodiscard]] bool note(const ApplyFailure& failure);
  // Puts the new tables, filled up to `reached`, into the place of the old ones.
  void swap(Position reached);
  // In the order in which they were made.
  [[nodiscard]] std::vector<Made> made_of_tables();
  void replace_dead_letters();
  void drop_new_tables();

  sqlite::Connection& connection_;
  log::Turn& turn_;
  Clock& clock_;
  Registered registered_;
  ProjectorOptions options_;
  Lease lease_;
  ReadAhead ahead_;
  std::string suffix_;
  std::optional<ReadTables> tables_;
  bool started_ = false;
  Position position_;  // Everything up to here is in the new tables.
  Position head_;
  Instant next_attempt_{};
  std::set<Position> discarded_;                   // Left out of the new tables, as of the old ones.
  std::map<std::int64_t, Letter> failed_streams_;  // By stream: its first event that failed, if it has.
  std::vector<Letter> dead_letters_;
};

}  // namespace freshet::projection
