// Making a projection's tables again from the log: into new tables beside the old ones, which answer
// meanwhile, and then into their place, in the transaction that applies the last events.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/lease.hpp"
#include "base/read_ahead.hpp"
#include "freshet/clock.hpp"
#include "log/turn.hpp"
#include "projection/applier.hpp"
#include "projection/attempts.hpp"
#include "projection/catalog.hpp"
#include "projection/dead_letters.hpp"
#include "projection/read_tables.hpp"

namespace freshet::projection {

// What the names of a projection's new tables end with while a rebuild fills them; of one of its generations, or the
// beginning of all of them. Nothing else in the file has this in its name, or in its SQL.
[[nodiscard]] std::string suffix_of(std::int64_t projection, std::int64_t generation);
[[nodiscard]] std::string suffix_of(std::int64_t projection);

// Drops what there is with such a suffix.
void drop_new_tables(sqlite::Connection& connection, std::string_view suffix);

class Rebuild {
 public:
  enum class Because {
    asked,
    outdated,  // The tables are of other rules. Where somebody else has made them again meanwhile, nothing is done.
  };

  // `connection` belongs to the rebuild while it lives. The catalog outlives it. `store` is the store's file.
  // `read_ahead` reads its log on another connection and another thread; where it is empty, nothing is read ahead.
  Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, const Catalog& catalog, Registered registered,
          const std::filesystem::path& store, const ProjectorOptions& options, ReadAhead::Read read_ahead,
          Because because = Because::asked);

  // Makes this the only rebuild of the file; step() does it as well. False: another one is going on.
  [[nodiscard]] bool acquire() { return lease_.acquire(); }

  // One batch. Throws `busy` if another rebuild of the file is going on, or another one of this projection has begun
  // since the last step, and `projection_failed` where an event has failed for the last time and OnFailure::stop says
  // so. After `busy` the next step begins anew. False: that was the last one, and the new tables are in place.
  [[nodiscard]] bool step();

  // When the next step is due: later than now where all that is left to do is to wait for the next attempts at events
  // that have failed, or for another rebuild.
  [[nodiscard]] Instant next_attempt() const { return next_attempt_; }

  // Drops the new tables of a rebuild that is given up, if they are still its own. Where that fails, the next rebuild
  // does it.
  void abandon() noexcept;

  [[nodiscard]] Position position() const { return position_; }
  [[nodiscard]] Position head() const { return head_; }

 private:
  // Long enough to outweigh the cost of a transaction, short enough for writers to wait.
  static constexpr std::size_t batch_events_max = 1'000;
  // A projection that fails this often is wrong, not unlucky.
  static constexpr std::size_t dead_letters_max = 10'000;

  // Before a rebuild that another one has ended begins anew; twice as long each time.
  static constexpr Duration displaced_pause = std::chrono::seconds{1};
  static constexpr int displacements_max = 6;

  // How an event is applied: a failure undoes the whole batch, or, at some cost, the event alone.
  enum class Care { none, each };

  // Of a stream: what is left out until the first of it is tried again.
  struct Held {
    StreamId stream;
    Version from;
  };

  // A view or a trigger of create().
  struct Made {
    std::string made_as;
    std::string name;  // Once the new tables are in their place; likewise the SQL.
    std::string sql;
  };

  // False: there is nothing to do any more.
  [[nodiscard]] bool start();
  [[nodiscard]] bool run_batch(Care care);
  // Throws `busy`, and forgets what was begun, if the new tables are another rebuild's by now.
  void check_still_own();
  // False: it has to come again.
  [[nodiscard]] bool take(const RecordedEvent& event, Care care);
  void check_beside() const;
  void take_due();
  // True: nothing of it is left.
  [[nodiscard]] bool take(Held& held);
  // Counts the attempt. Throws where it was the last one, and that is to stop the rebuild.
  void note(const ApplyFailure& failure);
  void bury(Letter letter);
  [[nodiscard]] Instant next_due() const;
  // An operator has decided on dead letters since the start, and what is in the new tables is not that.
  [[nodiscard]] bool is_overtaken();
  // Puts the new tables, filled up to `reached`, into the place of the old ones.
  void swap(Position reached);
  // In the order in which they were made.
  [[nodiscard]] std::vector<Made> made_of_tables();
  void replace_dead_letters();

  sqlite::Connection& connection_;
  log::Turn& turn_;
  Clock& clock_;
  const Catalog& catalog_;
  Registered registered_;
  ProjectorOptions options_;
  Lease lease_;
  ReadAhead ahead_;
  Because because_;
  std::string suffix_;
  std::string token_;
  std::optional<ReadTables> tables_;
  bool started_ = false;
  bool outdated_ = false;  // At the start.
  int displacements_ = 0;
  Position position_;  // Everything up to here is in the new tables, but for what is held.
  Position head_;
  Instant now_;  // Of the batch.
  Instant next_attempt_{};
  std::set<Position> discarded_;  // Left out of the new tables, as of the old ones.
  std::set<Position> waiting_;    // The dead letters at the start that were not discarded.
  Attempts attempts_;
  std::map<std::int64_t, Held> held_;  // By stream; likewise the next one.
  std::set<std::int64_t> dead_streams_;
  std::vector<Letter> dead_letters_;
};

}  // namespace freshet::projection
