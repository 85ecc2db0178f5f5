// The projector: takes deliveries from the bus, applies them, and commits rows and checkpoint together.
//
// It is driven by step(), one bounded piece of work at a time, by a thread or by a test.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/guarded.hpp"
#include "base/look.hpp"
#include "base/read_ahead.hpp"
#include "base/signal.hpp"
#include "freshet/bus.hpp"
#include "freshet/error.hpp"
#include "freshet/store.hpp"
#include "log/turn.hpp"
#include "projection/applier.hpp"
#include "projection/attempts.hpp"
#include "projection/leases.hpp"
#include "projection/rebuild.hpp"
#include "sqlite/commit_mark.hpp"

namespace freshet::projection {

// What the projector works with; all of it outlives the projector.
struct ProjectorContext {
  sqlite::Connection& connection;  // The projector's own.
  sqlite::Connection& writer;      // The appends', whose pages are warm. Used under the turn.
  const Catalog& catalog;
  log::Turn& turn;
  Bus& bus;
  Clock& clock;
  const std::atomic<std::uint64_t>& waits;  // For what it will do, begun so far; see is_lingering().
  // The last position that an append in this process has projected itself.
  const std::atomic<Position>& projected_by_appends;
  std::filesystem::path store;
  Signal& work;      // Told when there may be something to do.
  Signal& progress;  // To be told when something was done.
  std::function<void(Notice::Level, const std::string&)> notice;
  std::function<void(const Trace&)> trace;  // Empty: nobody listens.
  ReadAhead::Read read_ahead;               // Empty: everything is done on one thread.
  ProjectorOptions options;
};

class Projector {
 public:
  explicit Projector(ProjectorContext context);

  // Does what is due, up to one transaction. False: nothing was due.
  bool step();

  // When there will be something due, as far as that is known.
  [[nodiscard]] std::optional<Instant> next_step();

  // Commits the consumer's offsets and gives the leases back. step() would take them again.
  void step_down();

  // Of any thread:
  // Dies at this point, in a step() to come, and stays dead until restart().
  void crash(CrashPoint point) { crash_point_ = point; }
  void restart();
  [[nodiscard]] bool is_crashed() const { return crashed_; }
  // It holds leases, of all its projections or of some.
  [[nodiscard]] bool is_at_work() const { return projecting_; }
  [[nodiscard]] bool is_projecting() const { return projecting_ && leases_.holds_all(); }
  [[nodiscard]] bool is_projecting(std::string_view projection) const {
    return projecting_ && leases_.holds(projection);
  }
  // The next step() asks for the leases that are lacking, however short ago it did so.
  void ask_for_leases() { asked_ = true; }
  // It waits for more to do. Who begins to wait for it counts that in `waits` and then, if this is so, tells `work`.
  [[nodiscard]] bool is_lingering() const { return lingering_; }
  // How often its lease was asked for in vain.
  [[nodiscard]] std::uint64_t refusals(std::string_view projection) const { return leases_.refusals(projection); }
  // Duplicates that are not counted in the projection's row yet.
  [[nodiscard]] std::int64_t skipped(std::int64_t projection) const { return applier_.skipped(projection); }
  // Why the projector has stopped for good.
  [[nodiscard]] std::optional<std::string> failure() { return *failure_.locked(); }

 private:
  // One transaction: enough to share its cost, and short, because appends wait meanwhile.
  static constexpr std::size_t batch_events_max = 1'000;
  static constexpr Duration transaction_time_max = std::chrono::milliseconds{5};
  // While appends want the turn, and nobody waits for the rows or did a moment ago, deliveries linger, so that they
  // share a transaction: as many as bear its cost, and never for longer than this.
  static constexpr std::size_t linger_events_max = 128;
  static constexpr Duration linger_time_max = std::chrono::milliseconds{2};
  static constexpr Duration awaited_time = 2 * Look::max;  // Who waits begins anew within half of it.
  // Offsets are committed after this many deliveries, or this much time: lazily, as Kafka does.
  static constexpr std::int64_t offsets_deliveries_max = 1'000;
  static constexpr Duration offsets_age_max = std::chrono::seconds{5};
  // Between two times that one who works asks for what leases it lacks.
  static constexpr Duration ask_pause = Look::max / 2;
  // Before a rebuild that found another one going on tries again.
  static constexpr Duration rebuild_pause = std::chrono::milliseconds{50};

  struct Pending {
    Delivery delivery;
    Coming coming = Coming::first;
  };

  bool guarded_step();
  // Asks for leases that are lacking, and begins anew where there is one more.
  void take_over();
  [[nodiscard]] bool is_to_ask();
  void begin();
  void leave_to_newer();
  [[nodiscard]] Position lowest_checkpoint();
  bool rebuild_step();
  void find_outdated();
  void collect();
  [[nodiscard]] bool lingers();
  void notice_other_writers();
  void work();
  void skip_duplicates();
  void apply_batch();
  void tell_taken();
  void note(const ApplyFailure& failure);
  void release_held_back();
  void commit_offsets_if_due();
  void write_offsets();
  void fail(const std::string& reason);
  void die();
  void drop_deliveries();
  void drop_memory();
  [[nodiscard]] OnTaken tracer();
  void trace(Trace::Kind kind, const Delivery* delivery = nullptr) const;

  ProjectorContext context_;
  Leases leases_;
  Applier applier_;
  std::unique_ptr<Consumer> consumer_;
  std::optional<Rebuild> rebuild_;
  Instant next_rebuild_step_;
  std::deque<Pending> pending_;  // Arrived, not applied yet.
  Instant pending_since_;
  std::atomic<bool> lingering_ = false;
  std::uint64_t waits_seen_ = 0;
  Instant lingers_from_;
  std::map<Position, Delivery> held_back_;  // Behind one that failed; what is delivered again takes its own place.
  Attempts attempts_;
  Position announced_;
  std::optional<sqlite::CommitMark> looked_at_;  // Before the last look for other writers.
  Offsets committed_offsets_;
  std::int64_t deliveries_since_offsets_ = 0;
  Instant offsets_committed_at_;
  std::vector<Trace> taken_;  // In the open transaction; told after its commit.
  std::atomic<std::optional<CrashPoint>> crash_point_;
  std::atomic<bool> crashed_ = false;
  std::atomic<bool> projecting_ = false;
  std::atomic<bool> asked_ = false;
  Instant ask_at_;
  bool has_begun_ = false;  // With the leases that it holds.
  Guarded<std::optional<std::string>> failure_;
};

}  // namespace freshet::projection
