// Tests of a projection that fails: retries, dead letters, and the projector that stops.
#include <doctest/doctest.h>

#include <thread>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

ReadRequest strong(const std::string& projection = "fragile") {
  return {.projections = {projection}, .consistency = Strong{}, .timeout = 1h};
}

std::int64_t rows(Store& store) {
  return number(store, "SELECT count(*) FROM fragile");
}

StoreOptions stopping(StoreOptions options) {
  options.projector.on_failure = OnFailure::stop;
  return options;
}

}  // namespace

TEST_SUITE("projection_failure") {
  TEST_CASE("step: a failed event is tried again with a backoff that doubles") {
    const TempDir directory;
    std::vector<Instant> tries;
    StoreOptions options = stepped(directory.file());
    options.projector = {.attempts_max = 4, .retry_backoff = 10ms};
    const auto clock = options.clock;
    Store store(with_fragile(std::move(options), [&](const RecordedEvent&) {
      tries.push_back(clock->now());
      return tries.size() < 4;
    }));
    append(store, "a", 1);
    run_until_idle(store);
    REQUIRE(tries.size() == 4);
    CHECK(tries[1] - tries[0] == 10ms);
    CHECK(tries[2] - tries[1] == 20ms);
    CHECK(tries[3] - tries[2] == 40ms);
    CHECK(rows(store) == 1);
    CHECK(status(store, "fragile").dead_letters == 0);
  }

  TEST_CASE("step: an event that failed too often becomes a dead letter, with its reason and its attempts") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 13);
    run_until_idle(store);
    CHECK(status(store, "fragile").dead_letters == 1);
    CHECK(number(store, "SELECT count(*) FROM dead_letters WHERE attempts = 3 AND reason LIKE '%no 13%'") == 1);
    CHECK(rows(store) == 0);
    CHECK(status(store, "fragile").position == Position{1});
  }

  TEST_CASE("step: a reason is kept up to a bound, and no letter of it is cut") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), [](const RecordedEvent&) -> bool {
      throw std::runtime_error(std::string(3'999, 'x') + "\u00fc" + std::string(100'000, 'x'));
    }));
    append(store, "a", 13);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 1);
    CHECK(store.dead_letters().front().reason == std::string(3'999, 'x') + "...");
  }

  TEST_CASE("step: the failures of one event are not those of the next one of its stream") {
    const TempDir directory;
    int times_of_1 = 0;
    int times_of_2 = 0;
    const auto throws = [&](const RecordedEvent& event) {
      if (amount(event) == 1) return ++times_of_1 <= 2;
      ++times_of_2;
      return true;
    };
    StoreOptions options = with_fragile(stepped(directory.file()), throws);
    options.projector = {.attempts_max = 3, .retry_backoff = 10ms};
    Store store(options);
    append(store, "a", 1);
    append(store, "a", 2);
    run_until_idle(store);
    CHECK(number(store, "SELECT count(*) FROM dead_letters") == 1);
    CHECK(number(store, "SELECT attempts FROM dead_letters WHERE position = 2") == 3);
    CHECK(times_of_2 == 3);
  }

  TEST_CASE("step: later events of the stream follow it, and other streams go on") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    for (const int value : {1, 13, 2}) append(store, "a", value);
    append(store, "b", 4);
    run_until_idle(store);
    append(store, "a", 3);
    append(store, "b", 5);
    run_until_idle(store);
    CHECK(status(store, "fragile").dead_letters == 3);
    CHECK(rows(store) == 3);
    CHECK(status(store, "fragile").position == Position{6});
    CHECK(number(store, "SELECT count(*) FROM dead_letters WHERE attempts = 0") == 2);
  }

  TEST_CASE("step: the other projections apply what one of them cannot") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    for (const int value : {1, 13, 2}) append(store, "a", value);
    run_until_idle(store);
    CHECK(total(store) == 16);
    CHECK(status(store, "totals").dead_letters == 0);
    CHECK(status(store, "totals").position == Position{3});
  }

  TEST_CASE("step: other streams do not wait for the retries of one") {
    const TempDir directory;
    StoreOptions options = stepped(directory.file());
    options.projector.retry_backoff = 1h;
    Store store(with_fragile(std::move(options), on_amount(13)));
    append(store, "a", 13);
    append(store, "b", 1);
    run_due(store);
    CHECK(rows(store) == 1);
    CHECK(status(store, "fragile").position == Position{0});
    CHECK(total(store) == 14);
  }

  TEST_CASE("step: redelivery and duplicates park an event once") {
    const TempDir directory;
    StoreOptions options = stepped(directory.file(), {.duplicate_probability = 1.0, .redeliver_after = 5ms});
    options.projector.retry_backoff = 20ms;
    Store store(with_fragile(std::move(options), on_amount(13)));
    for (const int value : {13, 1, 2}) append(store, "a", value);
    run_until_idle(store);
    CHECK(status(store, "fragile").dead_letters == 3);
    CHECK(total(store) == 16);
    CHECK(rows(store) == 0);
  }

  TEST_CASE("step: a dead letter is there after a crash, and its stream stays set aside") {
    const TempDir directory;
    const TempDir crashed;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 13);
    run_until_idle(store);
    copy_files(directory, crashed);
    Store reopened(with_fragile(stepped(crashed.file()), on_amount(13)));
    append(reopened, "a", 1);
    run_until_idle(reopened);
    CHECK(status(reopened, "fragile").dead_letters == 2);
    CHECK(rows(reopened) == 0);
  }

  TEST_CASE("step: whatever a projection throws is a failure of its event") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), [](const RecordedEvent& event) -> bool {
      if (amount(event) == 1) throw Error(ErrorCode::corrupt, "cannot be decoded");
      if (amount(event) == 2) throw 42;
      return false;
    }));
    append(store, "a", 1);
    append(store, "b", 2);
    append(store, "c", 3);
    run_until_idle(store);
    CHECK(status(store, "fragile").dead_letters == 2);
    CHECK(rows(store) == 1);
  }

  TEST_CASE("step: a statement that SQLite refuses is a failure of its event") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    connect(directory.file())
        .execute(
            "CREATE TRIGGER no BEFORE INSERT ON latest WHEN NEW.amount = 13 "
            "BEGIN SELECT raise(ABORT, 'not this one'); END");
    append(store, "a", 13);
    append(store, "b", 1);
    run_until_idle(store);
    CHECK(status(store, "latest").dead_letters == 1);
    CHECK(number(store, "SELECT count(*) FROM latest") == 1);
    CHECK(total(store) == 14);
  }

  TEST_CASE("append: a synchronous one on a stream with a dead letter is refused and records nothing") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 13);
    run_until_idle(store);
    CHECK(error_of([&] { append(store, "a", 1, Projecting::synchronous); }) == ErrorCode::projection_failed);
    CHECK(store.log().head() == Position{1});
    CHECK(status(store, "fragile").dead_letters == 1);
    CHECK(total(store) == 13);
  }

  TEST_CASE("step: an event held back for one projection's retry is no duplicate for the others") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    for (const int value : {13, 1, 2}) append(store, "a", value);
    run_until_idle(store);
    CHECK(status(store, "fragile").dead_letters == 3);
    CHECK(status(store, "totals").duplicates_skipped == 0);
  }

  TEST_CASE("read: a dead letter is lacking in the whole log as in its stream") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 13);
    append(store, "b", 1);
    run_until_idle(store);
    sleep(store, 1s);
    ReadRequest request{.projections = {"fragile"}};
    CHECK(store.read(request).freshness().behind_events == 1);
    CHECK(store.read(request).freshness().behind >= 1s);
    request.stream = stream("a");
    CHECK(store.read(request).freshness().behind_events == 1);
    CHECK(status(store, "fragile").behind_events == 1);
  }

  TEST_CASE("read: a dead letter makes the answer stale, with a warning") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 13);
    append(store, "b", 1);
    const Reading whole = store.read(strong());
    CHECK(whole.freshness().stale);
    REQUIRE_FALSE(whole.warnings().empty());
    CHECK(holds(whole.warnings().back(), "dead letter"));
    ReadRequest request = strong();
    request.stream = stream("b");
    CHECK_FALSE(store.read(request).freshness().stale);
    request.stream = stream("a");
    const Reading dead = store.read(request);
    CHECK(dead.freshness().stale);
    CHECK(dead.freshness().version == Version{0});
    CHECK(dead.freshness().behind_events == 1);
  }

  TEST_CASE("read: where an error is asked for, a dead letter is projection_failed") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 13);
    ReadRequest request = strong();
    request.on_timeout = OnTimeout::error;
    CHECK(error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::projection_failed);
  }

  TEST_CASE("read: a projector that stops tells a waiting reader at once, with its reason") {
    const TempDir directory;
    Store store(stopping(with_fragile(stepped(directory.file()), on_amount(13))));
    append(store, "a", 13);
    const Reading reading = store.read(strong());
    CHECK(reading.freshness().stale);
    CHECK(reading.freshness().waited < 1s);
    REQUIRE(reading.warnings().size() == 1);
    CHECK(holds(reading.warnings().front(), "no 13"));
    CHECK_FALSE(store.drain());
  }

  TEST_CASE("read: where an error is asked for, a stopped projector is projection_failed") {
    const TempDir directory;
    Store store(stopping(with_fragile(stepped(directory.file()), on_amount(13))));
    append(store, "a", 13);
    ReadRequest request = strong();
    request.on_timeout = OnTimeout::error;
    CHECK(error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::projection_failed);
    CHECK(holds(message_of([&] { static_cast<void>(store.read(request)); }), "no 13"));
  }

  TEST_CASE("step: a projector that stopped has not recorded the event as applied, and a new opening tries again") {
    const TempDir directory;
    {
      Store store(stopping(with_fragile(stepped(directory.file()), on_amount(13))));
      append(store, "a", 13);
      run_until_idle(store);
      CHECK(status(store, "fragile").position == Position{0});
      CHECK(status(store, "fragile").dead_letters == 0);
    }
    Store store(with_fragile(stepped(directory.file()), on_amount(14)));
    run_until_idle(store);
    CHECK(rows(store) == 1);
  }

  TEST_CASE("read: real threads that wait are all woken when the projector stops") {
    const TempDir directory;
    Store store(stopping(with_fragile(threaded(directory.file(), delayed(20ms)), on_amount(13))));
    append(store, "a", 13);
    std::atomic<int> told = 0;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 4; ++reader) {
      readers.emplace_back([&] {
        if (holds(store.read(strong()).warnings().front(), "no 13")) ++told;
      });
    }
    for (auto& reader : readers) reader.join();
    CHECK(told == 4);
  }
}
