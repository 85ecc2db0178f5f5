// Making a projection's tables again from the log: into new tables beside the old ones, which answer
// meanwhile, and then into their place, in the transaction that applies the last events.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/clock.hpp"
#include "log/turn.hpp"
#include "projection/applier.hpp"
#include "projection/catalog.hpp"
#include "projection/lease.hpp"
#include "projection/read_tables.hpp"

namespace freshet::projection {

class Rebuild {
 public:
  // `connection` belongs to the rebuild while it lives. `store` is the store's file.
  Rebuild(sqlite::Connection& connection, log::Turn& turn, Clock& clock, Registered registered,
          const std::filesystem::path& store);

  // One batch. Throws `busy` if another rebuild of the file is going on. False: that was the last one, and the new
  // tables are in place.
  [[nodiscard]] bool step();

  // Drops the new tables of a rebuild that is given up.
  void abandon();

  [[nodiscard]] Position position() const { return position_; }
  [[nodiscard]] Position head() const { return head_; }

 private:
  // Long enough to outweigh the cost of a transaction, short enough for writers to wait.
  static constexpr std::size_t batch_events_max = 1'000;
  // A projection that fails this often is wrong, not unlucky.
  static constexpr std::size_t dead_letters_max = 10'000;

  struct DeadLetter {
    Position position;
    std::int64_t stream;
    int attempts;
    std::string reason;
  };

  void start();
  [[nodiscard]] bool run_batch();
  void apply(const RecordedEvent& event);
  // Puts the new tables, filled up to `reached`, into the place of the old ones.
  void swap(Position reached);
  void drop_new_tables();

  sqlite::Connection& connection_;
  log::Turn& turn_;
  Clock& clock_;
  Registered registered_;
  Lease lease_;
  std::string suffix_;
  std::optional<ReadTables> tables_;
  Position position_;  // Everything up to here is in the new tables.
  Position head_;
  std::map<std::int64_t, DeadLetter> failed_streams_;  // By stream: its first event that failed.
  std::vector<DeadLetter> dead_letters_;
};

}  // namespace freshet::projection
