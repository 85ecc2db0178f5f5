// Tests of reads: what each consistency waits for, what an answer says when it was not met, and how fresh it
// says it is.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

ReadRequest of_stream(const std::string& id, const Consistency& consistency = Eventual{}) {
  return {.projections = {"latest"}, .stream = stream(id), .consistency = consistency};
}

ReadRequest of_log(const Consistency& consistency = Eventual{}) {
  return {.projections = {"totals"}, .consistency = consistency};
}

std::int64_t sum(Reading& reading) {
  return number(reading, "SELECT sum FROM totals");
}

// Events 1 of "a", 2 of "b", 3 of "a", on their way for 50 ms since 0, 10 and 20 ms ago.
void append_three(Store& store) {
  append(store, "a", 1);
  sleep(store, 10ms);
  append(store, "b", 2);
  sleep(store, 10ms);
  append(store, "a", 4);
}

// A clock on which something happens whenever it is waited on.
class EventfulClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] Timestamp wall_time() const override { return clock_.wall_time(); }
  void sleep_until(Instant deadline) override {
    on_sleep();
    clock_.sleep_until(deadline);
  }
  void wait_until(std::condition_variable&, std::unique_lock<std::mutex>&, Instant deadline) override {
    sleep_until(deadline);
  }

  std::function<void()> on_sleep = [] {};

 private:
  VirtualClock clock_{Timestamp{100s}};
};

}  // namespace

TEST_SUITE("consistency") {
  TEST_CASE("read (at least a version): is met by another store's synchronous append long before its own projector") {
    const TempDir directory;
    const auto clock = std::make_shared<EventfulClock>();
    StoreOptions options = stepped(directory.file(), delayed(10min));
    options.clock = clock;
    Store store(std::move(options));
    append(store, "a", 1);
    run_due(store);
    REQUIRE(store.is_projecting());
    Store other(stepped(directory.file()));
    clock->on_sleep = [&, done = false]() mutable {
      if (!std::exchange(done, true)) append(other, "a", 2, Projecting::synchronous);
    };
    ReadRequest request = of_stream("a", AtLeastVersion{Version{1}});
    request.timeout = 1h;
    const Freshness freshness = store.read(request).freshness();
    CHECK(freshness.version == Version{2});
    CHECK(freshness.waited < 1s);
  }

  TEST_CASE("read (eventual): answers at once with what is there") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    const Instant before = store.clock().now();
    Reading reading = store.read(of_log());
    CHECK(store.clock().now() == before);
    CHECK(sum(reading) == 0);
    CHECK(reading.freshness().stale);
    CHECK(reading.freshness().waited == 0ms);
  }

  TEST_CASE("read (eventual): a stream's freshness is its own") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    sleep(store, 40ms);
    run_due(store);
    const Freshness a = store.read(of_stream("a")).freshness();
    CHECK(a.stale);
    CHECK(a.version == Version{1});
    CHECK(a.latest_version == Version{2});
    CHECK(a.behind_events == 1);
    CHECK(a.behind == 40ms);
    const Freshness b = store.read(of_stream("b")).freshness();
    CHECK_FALSE(b.stale);
    CHECK(b.version == Version{1});
    CHECK(b.latest_version == Version{1});
    CHECK(b.behind_events == 0);
    CHECK(b.behind == 0ms);
  }

  TEST_CASE("read (eventual): the freshness of the log") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    sleep(store, 30ms);
    run_due(store);
    const Freshness freshness = store.read(of_log()).freshness();
    CHECK(freshness.source == Source::read_model);
    CHECK(freshness.position == Position{1});
    CHECK(freshness.head == Position{3});
    CHECK(freshness.behind_events == 2);
    CHECK(freshness.behind == 40ms);
  }

  TEST_CASE("read (eventual): what is applied above the checkpoint is not lacking") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    append(store, "b", 2, Projecting::synchronous);
    sleep(store, 20ms);
    const Freshness freshness = store.read(of_log()).freshness();
    CHECK(freshness.position == Position{0});
    CHECK(freshness.behind_events == 1);
    CHECK(freshness.behind == 20ms);
    CHECK_FALSE(store.read(of_stream("b")).freshness().stale);
  }

  TEST_CASE("read: of several projections the one furthest behind counts") {
    const TempDir directory;
    StoreOptions options = with_fragile(stepped(directory.file()), on_amount(13));
    options.projector.retry_backoff = 1h;
    Store store(std::move(options));
    append(store, "a", 13);
    sleep(store, 5ms);
    run_due(store);
    const Freshness freshness = store.read({.projections = {"totals", "fragile", "latest"}}).freshness();
    CHECK(freshness.position == Position{0});
    CHECK(freshness.behind_events == 1);
    CHECK(freshness.behind == 5ms);
    CHECK_FALSE(store.read(of_log()).freshness().stale);
  }

  TEST_CASE("read: an empty log is fresh") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const Reading reading = store.read(of_log(Strong{}));
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.freshness().head == Position{0});
    CHECK(reading.warnings().empty());
    CHECK(reading.stream_number() == 0);
  }

  TEST_CASE("read (strong): waits for exactly one event, of which there is no row yet") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 7);
    Reading reading = store.read(of_log(Strong{}));
    CHECK(sum(reading) == 7);
    CHECK(reading.freshness().waited == 50ms);
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.warnings().empty());
  }

  TEST_CASE("read (strong): a stream is waited for until its first row is there") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 7);
    Reading reading = store.read(of_stream("a", Strong{}));
    CHECK(reading.stream_number() == 1);
    CHECK(number(reading, "SELECT amount FROM latest WHERE stream = 1") == 7);
    CHECK(reading.freshness().waited == 50ms);
  }

  TEST_CASE("read (strong): of a stream only its own events are waited for") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    const Reading reading = store.read(of_stream("b", Strong{}));
    CHECK(reading.freshness().waited == 40ms);
    CHECK_FALSE(reading.freshness().stale);
  }

  TEST_CASE("read (strong): a stream that the log does not have is not waited for") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    const Reading reading = store.read(of_stream("nobody", Strong{}));
    CHECK(reading.freshness().waited == 0ms);
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.freshness().latest_version == Version{0});
  }

  TEST_CASE("read (strong): the target is what was committed when the read began, whatever comes after") {
    const TempDir directory;
    const auto clock = std::make_shared<EventfulClock>();
    StoreOptions options = stepped(directory.file(), delayed(50ms));
    options.clock = clock;
    Store store(std::move(options));
    append(store, "a", 7);
    clock->on_sleep = [&] { append(store, "b", 1); };
    ReadRequest request = of_log(Strong{});
    request.timeout = 1h;
    Reading reading = store.read(request);
    CHECK(reading.freshness().waited == 50ms);
    CHECK(reading.freshness().head > Position{1});
    CHECK_FALSE(reading.freshness().stale);
    CHECK(sum(reading) >= 7);
  }

  TEST_CASE("read (at least version): waits for the version, and no longer") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    const Reading first = store.read(of_stream("a", AtLeastVersion{Version{1}}));
    CHECK(first.freshness().waited == 30ms);
    CHECK(first.freshness().version == Version{1});
    CHECK_FALSE(first.freshness().stale);
    const Reading second = store.read(of_stream("a", AtLeastVersion{Version{2}}));
    CHECK(second.freshness().waited == 20ms);
    CHECK(second.freshness().version == Version{2});
  }

  TEST_CASE("read (at least version): version 0 is always there") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const Reading reading = store.read(of_stream("a", AtLeastVersion{Version{0}}));
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.freshness().waited == 0ms);
  }

  TEST_CASE("read (at least version): without a stream it is invalid") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK(error_of([&] { static_cast<void>(store.read(of_log(AtLeastVersion{Version{1}}))); }) == ErrorCode::invalid);
  }

  TEST_CASE("read (at least position): everything up to it is in the answer") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    Reading reading = store.read(of_log(AtLeastPosition{Position{2}}));
    CHECK(reading.freshness().waited == 40ms);
    CHECK(reading.freshness().position == Position{2});
    CHECK(sum(reading) == 3);
    CHECK_FALSE(reading.freshness().stale);
  }

  TEST_CASE("read (at least position): of a stream, its events up to it") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    const Reading reading = store.read(of_stream("a", AtLeastPosition{Position{2}}));
    CHECK(reading.freshness().waited == 30ms);
    CHECK(reading.freshness().version == Version{1});
    CHECK_FALSE(reading.freshness().stale);
  }

  TEST_CASE("read (max staleness): what was recorded that long ago is in the answer") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    CHECK(store.read(of_log(MaxStaleness{21ms})).freshness().waited == 0ms);
    Reading reading = store.read(of_log(MaxStaleness{10ms}));
    CHECK(reading.freshness().waited == 40ms);
    CHECK(reading.freshness().position == Position{2});
    CHECK_FALSE(reading.freshness().stale);
  }

  TEST_CASE("read (max staleness): no age at all is strong") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append_three(store);
    Reading reading = store.read(of_log(MaxStaleness{0ms}));
    CHECK(sum(reading) == 7);
    CHECK(reading.freshness().waited == 50ms);
    CHECK(store.read(of_stream("a", MaxStaleness{24h})).freshness().waited == 0ms);
  }

  TEST_CASE("read: an unknown projection, and none, are invalid") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK(error_of([&] { static_cast<void>(store.read({.projections = {"nothing"}})); }) == ErrorCode::invalid);
    CHECK(error_of([&] { static_cast<void>(store.read({.projections = {}})); }) == ErrorCode::invalid);
  }

  TEST_CASE("read: rows and freshness are of one moment, whatever is projected meanwhile") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    run_until_idle(store);
    Reading reading = store.read(of_log());
    append(store, "a", 2, Projecting::synchronous);
    CHECK(sum(reading) == 1);
    CHECK(reading.freshness().head == Position{1});
    CHECK(total(store) == 3);
  }

  TEST_CASE("query: a reading cannot write") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Reading reading = store.read(of_log());
    CHECK_THROWS_AS(static_cast<void>(reading.query("DELETE FROM totals").next()), Error);
  }

  TEST_CASE("next: after the last row there is none, however often it is asked for") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Reading reading = store.read(of_log());
    Rows rows = reading.query("SELECT 1");
    CHECK(rows.next());
    CHECK_FALSE(rows.next());
    CHECK_FALSE(rows.next());
  }

  TEST_CASE("read: closed once the store is closed") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    store.close();
    CHECK(error_of([&] { static_cast<void>(store.read(of_log())); }) == ErrorCode::closed);
  }
}
