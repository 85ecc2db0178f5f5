// Tests of the projector: exactly once, whatever the bus does and whenever the process dies.
#include "projection/projector.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

BusOptions unruly() {
  return {.delay = ExponentialDelay{50ms}, .duplicate_probability = 0.5, .redeliver_after = 1s, .seed = 7};
}

// Sixty events of six streams: 1 to 60, so that each is missed or doubled in its own way.
constexpr std::int64_t sum_of_sixty = 60 * 61 / 2;
void append_sixty(Store& store) {
  for (int value = 1; value <= 60; ++value) append(store, std::to_string(value % 6), value);
}

// Stands still, for threads, and counts who waits for it.
class StandingClock final : public Clock {
 public:
  [[nodiscard]] int waits() const { return waits_; }
  [[nodiscard]] Instant now() const override { return Instant{1h}; }
  [[nodiscard]] Timestamp wall_time() const override { return {}; }
  void sleep_until(Instant /*deadline*/) override {}
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                  Instant /*deadline*/) override {
    ++waits_;
    condition.wait(lock);
  }

 private:
  std::atomic<int> waits_ = 0;
};

std::int64_t above(Store& store) {
  return number(store, "SELECT count(*) FROM applied_above WHERE projection = 1");
}

std::int64_t offsets(Store& store) {
  return number(store, "SELECT sum(position) FROM consumer_offsets");
}

}  // namespace

TEST_SUITE("projector") {
  TEST_CASE("step: a lease that cannot be opened stops the projector, and the log goes on") {
    const TempDir directory;
    std::filesystem::create_directory(directory.file().string() + "-lease-1-1");
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    run_until_idle(store);
    CHECK_FALSE(store.is_projecting());
    CHECK(holds(store.read({.projections = {"totals"}, .consistency = Strong{}}).warnings().front(),
                "the projector has stopped: cannot open"));
    append(store, "a", 1);
    CHECK(store.log().head() == Position{2});
  }

  TEST_CASE("step: while somebody appends, a delivery waits for more that share its transaction") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    run_until_idle(store);
    append(store, "a", 1);
    const Instant delivered = store.clock().now();
    store.log().write([&](AppendTransaction& transaction) {
      CHECK_FALSE(store.step());
      CHECK(store.next_step() == delivered + 2ms);
      const NewEvent one = event(2);
      static_cast<void>(
          transaction.append({.stream = stream("b"), .expected = ExpectedVersion::any(), .events = {&one, 1}}));
    });
    CHECK(total(store) == 0);
    CHECK(store.step());
    CHECK(total(store) == 3);
    CHECK(number(store, "SELECT revision FROM projections WHERE name = 'totals'") == 1);
  }

  TEST_CASE("step: a read that waits ends the waiting for more") {
    const TempDir directory;
    const auto clock = std::make_shared<StandingClock>();
    std::atomic<int> waits_before = -1;
    StoreOptions options = threaded(directory.file());
    options.clock = clock;
    options.on_trace = [&](const Trace& trace) {
      if (trace.kind == Trace::Kind::delivered) waits_before = clock->waits();
      if (trace.kind != Trace::Kind::appended) return;
      // Still under the turn: until it is delivered, and the projector waits for more.
      while (waits_before < 0 || clock->waits() == waits_before) std::this_thread::yield();
    };
    Store store(std::move(options));
    while (!store.is_projecting()) std::this_thread::yield();
    append(store, "a", 1);
    // The clock stands still, so without the read it would wait for good.
    const Reading reading = store.read({.projections = {"totals"}, .consistency = Strong{}, .timeout = 1min});
    CHECK_FALSE(reading.freshness().stale);
  }

  TEST_CASE("step: every event is applied exactly once under duplicates and reordering between streams") {
    const TempDir directory;
    Store store(stepped(directory.file(), unruly()));
    append_sixty(store);
    run_until_idle(store);
    CHECK(total(store) == sum_of_sixty);
    CHECK(count_of_events(store) == 60);
    CHECK(status(store, "totals").duplicates_skipped > 0);
    CHECK(status(store, "totals").position == Position{60});
    CHECK(above(store) == 0);
  }

  TEST_CASE("step: an event that overtakes others is applied, and the checkpoint waits below the gap") {
    const TempDir directory;
    Store store(stepped(directory.file(), {.delay = UniformDelay{0ms, 100ms}, .seed = 3}));
    append_sixty(store);
    bool overtaken = false;
    while (store.step() || store.next_step()) {
      if (const auto next = store.next_step()) store.clock().sleep_until(*next);
      const std::int64_t checkpoint = status(store, "totals").position.value;
      overtaken = overtaken || above(store) > 0;
      REQUIRE(count_of_events(store) == checkpoint + above(store));
      REQUIRE(number(store, "SELECT min(position) FROM applied_above WHERE projection = 1") != checkpoint + 1);
    }
    CHECK(overtaken);
    CHECK(total(store) == sum_of_sixty);
  }

  TEST_CASE("step: the events of one stream are applied in their order") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file(), unruly()), [](const RecordedEvent&) { return false; }));
    append_sixty(store);
    run_until_idle(store);
    CHECK(number(store,
                 "SELECT count(*) FROM (SELECT version, row_number() OVER (PARTITION BY stream ORDER BY rowid) AS nth "
                 "FROM fragile) WHERE version <> nth") == 0);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 60);
  }

  TEST_CASE("step: a crash after a commit and before the offsets are committed redelivers, and nothing counts twice") {
    const TempDir directory;
    const TempDir crashed;
    Store store(stepped(directory.file()));
    append_sixty(store);
    run_until_idle(store);
    REQUIRE(offsets(store) == 0);
    copy_files(directory, crashed);

    Store reopened(stepped(crashed.file()));
    run_until_idle(reopened);
    CHECK(status(reopened, "totals").duplicates_skipped == 60);
    CHECK(total(reopened) == sum_of_sixty);
  }

  TEST_CASE("step: a crash between two steps loses nothing, wherever it comes") {
    const TempDir directory;
    Store store(stepped(directory.file(), unruly()));
    append_sixty(store);
    for (int crash = 0; crash < 10; ++crash) {
      for (int step = 0; step < 5; ++step) {
        if (!store.step() && store.next_step()) store.clock().sleep_until(*store.next_step());
      }
      const TempDir crashed;
      copy_files(directory, crashed);
      Store reopened(stepped(crashed.file(), unruly()));
      run_until_idle(reopened);
      REQUIRE(total(reopened) == sum_of_sixty);
      REQUIRE(count_of_events(reopened) == 60);
    }
  }

  TEST_CASE("step: an append that was committed and never published is projected after the crash") {
    const TempDir directory;
    const TempDir crashed;
    Store store(stepped(directory.file(), delayed(1h)));
    append(store, "a", 5);
    copy_files(directory, crashed);
    Store reopened(stepped(crashed.file()));
    run_until_idle(reopened);
    CHECK(total(reopened) == 5);
  }

  TEST_CASE("crash_projector (before offsets): rows are committed, and everything comes again") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_sixty(store);
    store.crash_projector(CrashPoint::before_offsets);
    run_until_idle(store);
    CHECK(total(store) == sum_of_sixty);
    CHECK(offsets(store) == 0);
    CHECK_FALSE(store.is_projecting());
    store.restart_projector();
    run_until_idle(store);
    CHECK(status(store, "totals").duplicates_skipped == 60);
    CHECK(total(store) == sum_of_sixty);
  }

  TEST_CASE("crash_projector (now): what was on its way is lost to the bus, and comes from the log") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_sixty(store);
    sleep(store, 50ms);
    store.crash_projector(CrashPoint::now);
    append(store, "late", 1'000);
    run_until_idle(store);
    CHECK(total(store) == 0);
    CHECK_FALSE(store.drain());
    store.restart_projector();
    CHECK(store.drain());
    CHECK(total(store) == sum_of_sixty + 1'000);
  }

  TEST_CASE("close: the offsets are committed, so that a clean opening redelivers nothing") {
    const TempDir directory;
    Store(stepped(directory.file())).close();
    {
      Store store(stepped(directory.file()));
      append_sixty(store);
      run_until_idle(store);
    }
    Store store(stepped(directory.file()));
    run_until_idle(store);
    CHECK(status(store, "totals").duplicates_skipped == 0);
    CHECK(total(store) == sum_of_sixty);
  }

  TEST_CASE("step: another number of partitions redelivers more and counts nothing twice") {
    const TempDir directory;
    {
      Store store(stepped(directory.file(), {.delay = UniformDelay{0ms, 100ms}, .partitions = 8}));
      append_sixty(store);
      sleep(store, 50ms);
      run_due(store);
    }
    Store store(stepped(directory.file(), {.partitions = 3}));
    run_until_idle(store);
    CHECK(total(store) == sum_of_sixty);
  }

  TEST_CASE("step: what does not fit into the bus is caught up from the log") {
    const TempDir directory;
    Store store(stepped(directory.file(), {.delay = UniformDelay{0ms, 100ms}, .messages_max = 4}));
    append_sixty(store);
    run_until_idle(store);
    CHECK(total(store) == sum_of_sixty);
    CHECK(status(store, "latest").position == Position{60});
  }

  TEST_CASE("step: a projection that was away while others were projected gets what it missed") {
    const TempDir directory;
    StoreOptions without = stepped(directory.file());
    without.projections.pop_back();
    Store(stepped(directory.file())).close();
    {
      Store store(without);
      append_sixty(store);
      run_until_idle(store);
    }
    Store store(stepped(directory.file()));
    run_until_idle(store);
    CHECK(status(store, "latest").position == Position{60});
    CHECK(number(store, "SELECT count(*) FROM latest WHERE version = 10") == 6);
    CHECK(total(store) == sum_of_sixty);
  }

  TEST_CASE("append: a synchronous one is in the rows when it returns, and the bus's copy is a duplicate") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 5, Projecting::synchronous);
    CHECK(total(store) == 5);
    CHECK(status(store, "totals").position == Position{1});
    run_until_idle(store);
    CHECK(total(store) == 5);
    CHECK(status(store, "totals").duplicates_skipped == 1);
  }

  TEST_CASE("append: a synchronous one applies the earlier events of its stream first, and no others") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file(), delayed(50ms)), [](const RecordedEvent&) { return false; }));
    append(store, "a", 1);
    append(store, "b", 10);
    append(store, "a", 2);
    append(store, "a", 4, Projecting::synchronous);
    CHECK(total(store) == 7);
    CHECK(status(store, "totals").position == Position{1});
    CHECK(number(store, "SELECT max(abs(version - rowid)) FROM fragile") == 0);
    run_until_idle(store);
    CHECK(total(store) == 17);
    CHECK(status(store, "totals").position == Position{4});
  }

  TEST_CASE("append: a synchronous one between the projector's steps is taken into account by them") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    for (int value = 1; value <= 20; ++value) {
      append(store, std::to_string(value % 3), value,
             value % 2 == 0 ? Projecting::synchronous : Projecting::asynchronous);
      sleep(store, 20ms);
      run_due(store);
    }
    run_until_idle(store);
    CHECK(total(store) == 210);
    CHECK(status(store, "totals").duplicates_skipped == 10 + (count_of_events(store) - 20));
  }

  TEST_CASE("append: a synchronous one that a projection fails on records nothing") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 1, Projecting::synchronous);
    CHECK(error_of([&] { append(store, "a", 13, Projecting::synchronous); }) == ErrorCode::projection_failed);
    CHECK(store.log().head() == Position{1});
    CHECK(total(store) == 1);
    append(store, "a", 2, Projecting::synchronous);
    CHECK(total(store) == 3);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 2);
  }

  TEST_CASE("step: another store's commits are projected by the one that holds the lease") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    run_until_idle(store);
    Store other(idle(directory.file()));
    append(other, "a", 1);
    append(store, "a", 2);
    append(other, "b", 4);
    run_until_idle(store);
    CHECK(total(store) == 7);
    CHECK(total(other) == 7);
    CHECK(status(other, "totals").position == Position{3});
  }

  TEST_CASE("open: with the engine off nothing is ever projected") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append(store, "a", 1);
    CHECK_FALSE(store.drain());
    CHECK_FALSE(store.is_projecting());
    CHECK(total(store) == 0);
    CHECK(status(store, "totals").behind_events == 1);
  }

  TEST_CASE("drain: everything that the log holds is applied, however long its delays are") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1min)));
    append_sixty(store);
    CHECK(store.drain());
    CHECK(total(store) == sum_of_sixty);
  }

  TEST_CASE("drain: ends when it is cancelled") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1min)));
    append(store, "a", 1);
    int asked = 0;
    CHECK_FALSE(store.drain([&] { return ++asked == 3; }));
    CHECK(total(store) == 0);
  }

  TEST_CASE("projections: how far each is, in events and in time") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    sleep(store, 30ms);
    append(store, "b", 2);
    sleep(store, 10ms);
    const ProjectionStatus before = status(store, "totals");
    CHECK(before.schema_version == 1);
    CHECK(before.position == Position{0});
    CHECK(before.head == Position{2});
    CHECK(before.behind_events == 2);
    CHECK(before.behind == 40ms);
    sleep(store, 10ms);
    run_due(store);
    CHECK(status(store, "totals").behind_events == 1);
    CHECK(status(store, "totals").behind == 20ms);
    run_until_idle(store);
    CHECK(status(store, "totals").behind == 0ms);
  }

  TEST_CASE("drain: threads project what threads append, each event once") {
    const TempDir directory;
    Store store(threaded(directory.file(), {.delay = UniformDelay{0ms, 2ms}, .duplicate_probability = 0.3}));
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer) {
      writers.emplace_back([&store, writer] {
        for (int nth = 0; nth < 50; ++nth) {
          const NewEvent one = event(1);
          static_cast<void>(
              store.log().append({.stream = stream(std::to_string((nth + writer) % 5)),
                                  .expected = ExpectedVersion::any(),
                                  .events = {&one, 1},
                                  .projecting = nth % 4 == 0 ? Projecting::synchronous : Projecting::asynchronous}));
        }
      });
    }
    for (auto& writer : writers) writer.join();
    CHECK(store.drain());
    CHECK(total(store) == 200);
    CHECK(store.verify().problems.empty());
  }
}
