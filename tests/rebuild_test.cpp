// Tests of making read tables again from the log: on request.
#include "projection/rebuild.hpp"

#include <doctest/doctest.h>

#include "rebuild_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

std::int64_t tables_in(Store& store) {
  return number(store, "SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'index')");
}

// A rebuild of the totals that no lock tells of any other.
struct Unlocked {
  Unlocked(const TempDir& directory, const char* lock,
           projection::Rebuild::Because because = projection::Rebuild::Because::asked)
      : connection(connect(directory.file())),
        rebuild(connection, turn, *clock, catalog, catalog.front(), directory.path() / lock, {}, {}, because) {}

  void run() {
    while (rebuild.step()) {
    }
  }

  sqlite::Connection connection;
  projection::Catalog catalog{{std::make_shared<Totals>(), 1}};
  log::Turn turn{[] {}};
  std::shared_ptr<VirtualClock> clock = virtual_clock();
  projection::Rebuild rebuild;
};

}  // namespace

TEST_SUITE("rebuild") {
  TEST_CASE("rebuild: the rows are the same afterwards, however often it is done") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    for (int value = 1; value <= 20; ++value) append(store, std::to_string(value % 3), value);
    run_until_idle(store);
    const std::int64_t tables = tables_in(store);
    for (int again = 0; again < 3; ++again) {
      CHECK(store.rebuild("totals"));
      CHECK(store.rebuild("latest"));
      CHECK(total(store) == 210);
      CHECK(number(store, "SELECT count(*) FROM latest") == 3);
    }
    CHECK(tables_in(store) == tables);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: rows that were damaged are right again") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 5);
    run_until_idle(store);
    connect(directory.file()).execute("UPDATE totals SET sum = 77");
    CHECK(store.rebuild("totals"));
    CHECK(total(store) == 5);
  }

  TEST_CASE(
      "rebuild: from a log that another thread reads ahead, with an event that fails at first, each counts once") {
    const TempDir directory;
    fill(directory.file());
    int failures = 0;
    Store store(with_fragile(idle(directory.file()), [&](const RecordedEvent& event) {
      return event.position == Position{1'500} && ++failures <= 2;
    }));
    CHECK(store.rebuild("totals"));
    CHECK(total(store) == static_cast<std::int64_t>(many));
    CHECK(store.rebuild("fragile"));
    CHECK(failures == 3);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: the old rows answer meanwhile, and the new ones are there at once") {
    const TempDir directory;
    fill(directory.file());
    connect(directory.file()).execute("UPDATE totals SET sum = 77");
    Store store(stepped(directory.file()));
    int told = 0;
    std::int64_t last_done = 0;
    CHECK(store.rebuild("totals", [&](std::int64_t done, std::int64_t all) {
      ++told;
      last_done = done;
      CHECK(all == std::int64_t{many});
      CHECK(total(store) == (done < all ? 77 : std::int64_t{many}));
      return true;
    }));
    CHECK(told == 3);
    CHECK(last_done == std::int64_t{many});
  }

  TEST_CASE("rebuild: a reading that began before the swap keeps the old rows") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 5);
    run_until_idle(store);
    connect(directory.file()).execute("UPDATE totals SET sum = 77");
    Reading reading = store.read({.projections = {"totals"}});
    CHECK(store.rebuild("totals"));
    CHECK(number(reading, "SELECT sum FROM totals") == 77);
    CHECK(total(store) == 5);
  }

  TEST_CASE("rebuild: stopped by its caller it changes nothing and leaves nothing behind") {
    const TempDir directory;
    fill(directory.file());
    connect(directory.file()).execute("UPDATE totals SET sum = 77");
    Store store(stepped(directory.file()));
    const std::int64_t tables = tables_in(store);
    CHECK_FALSE(store.rebuild("totals", [](std::int64_t, std::int64_t) { return false; }));
    CHECK(total(store) == 77);
    CHECK(tables_in(store) == tables);
    CHECK(status(store, "totals").position.value == std::int64_t{many});
    CHECK(store.rebuild("totals"));
    CHECK(total(store) == std::int64_t{many});
  }

  TEST_CASE("rebuild: when its caller throws, nothing is left behind") {
    const TempDir directory;
    fill(directory.file());
    Store store(stepped(directory.file()));
    const std::int64_t tables = tables_in(store);
    CHECK_THROWS_AS(store.rebuild("totals", [](std::int64_t, std::int64_t) -> bool { throw std::logic_error("no"); }),
                    std::logic_error);
    CHECK(tables_in(store) == tables);
    CHECK(store.rebuild("totals"));
  }

  TEST_CASE("rebuild: a failed event is tried again as often as the projector would, with its pauses") {
    const TempDir directory;
    std::vector<Instant> tries;
    bool broken = false;
    StoreOptions options = stepped(directory.file());
    options.projector = {.attempts_max = 3, .retry_backoff = 10ms};
    const auto clock = options.clock;
    Store store(with_fragile(std::move(options), [&](const RecordedEvent& event) {
      if (!broken || amount(event) != 13) return false;
      tries.push_back(clock->now());
      return tries.size() < 3;
    }));
    for (const int value : {1, 13, 2}) append(store, "a", value);
    run_until_idle(store);
    broken = true;
    CHECK(store.rebuild("fragile"));
    REQUIRE(tries.size() == 3);
    CHECK(tries[1] - tries[0] == 10ms);
    CHECK(tries[2] - tries[1] == 20ms);
    CHECK(status(store, "fragile").dead_letters == 0);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 3);
  }

  TEST_CASE("rebuild: where a failure is to stop the projector, it stops the rebuild, and the old rows stay") {
    const TempDir directory;
    bool broken = false;
    StoreOptions options = stepped(directory.file());
    options.projector.on_failure = OnFailure::stop;
    Store store(with_fragile(std::move(options), [&](const RecordedEvent&) { return broken; }));
    append(store, "a", 1);
    run_until_idle(store);
    const std::int64_t tables = tables_in(store);
    broken = true;
    CHECK(error_of([&] { store.rebuild("fragile"); }) == ErrorCode::projection_failed);
    CHECK(tables_in(store) == tables);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 1);
  }

  TEST_CASE("rebuild: what is appended meanwhile is in the new rows, once") {
    const TempDir directory;
    fill(directory.file());
    Store store(stepped(directory.file(), delayed(50ms)));
    CHECK(store.rebuild("totals", [&](std::int64_t done, std::int64_t all) {
      if (done < all) append(store, "b", 1, done == 1'000 ? Projecting::asynchronous : Projecting::synchronous);
      return true;
    }));
    CHECK(total(store) == std::int64_t{many} + 2);
    run_until_idle(store);
    CHECK(total(store) == std::int64_t{many} + 2);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: events that are on their way on the bus come as duplicates") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    for (int value = 1; value <= 20; ++value) append(store, std::to_string(value % 3), value);
    sleep(store, 50ms);
    store.step();
    append(store, "a", 100);
    CHECK(store.rebuild("totals"));
    CHECK(total(store) == 310);
    run_until_idle(store);
    CHECK(total(store) == 310);
    CHECK(status(store, "totals").position == Position{21});
    CHECK(status(store, "totals").duplicates_skipped > 0);
  }

  TEST_CASE("rebuild: what was applied above the checkpoint is below it afterwards") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    append(store, "b", 2, Projecting::synchronous);
    REQUIRE(number(store, "SELECT count(*) FROM applied_above WHERE projection = 1") == 1);
    CHECK(store.rebuild("totals"));
    CHECK(number(store, "SELECT count(*) FROM applied_above WHERE projection = 1") == 0);
    CHECK(status(store, "totals").position == Position{2});
    run_until_idle(store);
    CHECK(total(store) == 3);
  }

  TEST_CASE("rebuild: dead letters go when the rules accept their events") {
    const TempDir directory;
    bool broken = true;
    Store store(with_fragile(stepped(directory.file()),
                             [&](const RecordedEvent& event) { return broken && amount(event) == 13; }));
    for (const int value : {1, 13, 2}) append(store, "a", value);
    run_until_idle(store);
    REQUIRE(status(store, "fragile").dead_letters == 2);
    broken = false;
    CHECK(store.rebuild("fragile"));
    CHECK(status(store, "fragile").dead_letters == 0);
    append(store, "a", 3);
    run_until_idle(store);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 4);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: an event that fails becomes a dead letter, and its stream follows it") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    for (const int value : {1, 13, 2}) append(store, "a", value);
    append(store, "b", 4);
    CHECK(store.rebuild("fragile"));
    CHECK(status(store, "fragile").dead_letters == 2);
    CHECK(status(store, "fragile").position == Position{4});
    CHECK(number(store, "SELECT count(*) FROM fragile") == 2);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: an event that is being tried again by the projector is settled by it") {
    const TempDir directory;
    bool broken = true;
    StoreOptions options = with_fragile(stepped(directory.file()), [&](const RecordedEvent&) { return broken; });
    options.projector.retry_backoff = 1h;
    Store store(std::move(options));
    append(store, "a", 1);
    run_due(store);
    broken = false;
    CHECK(store.rebuild("fragile"));
    run_until_idle(store);
    append(store, "a", 2);
    run_until_idle(store);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 2);
  }

  TEST_CASE("rebuild: a second one waits for the first, and is busy once its timeout is over") {
    const TempDir directory;
    fill(directory.file());
    Store store(stepped(directory.file()));
    Store other(idle(directory.file()));
    ErrorCode refused = ErrorCode::io;
    CHECK(store.rebuild("totals", [&](std::int64_t done, std::int64_t all) {
      if (done < all) refused = error_of([&] { static_cast<void>(other.rebuild("latest")); });
      return true;
    }));
    CHECK(refused == ErrorCode::busy);
    CHECK(other.rebuild("latest"));
  }

  TEST_CASE("rebuild: of two that no lock keeps apart the later one counts each event once, and the other is busy") {
    const TempDir directory;
    fill(directory.file());
    connect(directory.file()).execute("UPDATE totals SET sum = 77");
    Unlocked first(directory, "one");
    Unlocked second(directory, "two");
    CHECK(first.rebuild.step());
    CHECK(second.rebuild.step());
    CHECK(error_of([&] { static_cast<void>(first.rebuild.step()); }) == ErrorCode::busy);
    // What it gives up is not its own any more.
    first.rebuild.abandon();
    second.run();
    Store store(stepped(directory.file()));
    CHECK(total(store) == std::int64_t{many});
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: one that another has overtaken before its end does not take the place of the result") {
    const TempDir directory;
    fill(directory.file());
    Unlocked first(directory, "one");
    Unlocked second(directory, "two");
    CHECK(first.rebuild.step());
    CHECK(first.rebuild.step());
    second.run();
    CHECK(error_of([&] { first.run(); }) == ErrorCode::busy);
    CHECK(first.rebuild.next_attempt() > first.clock->now());
    Store store(stepped(directory.file()));
    CHECK(total(store) == std::int64_t{many});
    const std::int64_t tables = tables_in(store);
    // Asked for once more, it begins anew.
    first.run();
    CHECK(total(store) == std::int64_t{many});
    CHECK(tables_in(store) == tables);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: where another has made outdated tables again meanwhile, there is nothing to do") {
    const TempDir directory;
    fill(directory.file());
    Store store(stepped(directory.file()));
    const std::int64_t generation = number(store, "SELECT generation FROM projections WHERE number = 1");
    Unlocked late(directory, "one", projection::Rebuild::Because::outdated);
    CHECK_FALSE(late.rebuild.step());
    CHECK(number(store, "SELECT generation FROM projections WHERE number = 1") == generation);
  }

  TEST_CASE("rebuild: events that fail wait for their attempts, and all other streams go on meanwhile") {
    const TempDir directory;
    bool broken = false;
    StoreOptions options = with_fragile(idle(directory.file()), [&](const RecordedEvent& event) {
      return broken && event.stream.id != "fine" && event.version == Version{1};
    });
    options.projector = {.attempts_max = 3, .retry_backoff = 10ms};
    Store store(std::move(options));
    constexpr std::int64_t streams = 300;
    for (int id = 1; id <= streams; ++id) append(store, std::to_string(id), 1);
    append_many(store, "fine", many);
    append(store, "1", 2);
    broken = true;
    const Instant start = store.clock().now();
    std::vector<std::int64_t> told;
    CHECK(store.rebuild("fragile", [&](std::int64_t done, std::int64_t) {
      if (told.empty() || told.back() != done) told.push_back(done);
      // What is in the new tables grows while the first ones wait.
      if (done == 1'000) CHECK(store.clock().now() == start);
      return true;
    }));
    // The pauses of one event, and not of each in turn.
    CHECK(store.clock().now() - start == 30ms);
    CHECK(told == std::vector<std::int64_t>{1'000, 2'000, streams + std::int64_t{many} + 1});
    CHECK(store.dead_letters().size() == streams + 1);
    CHECK(number(store, "SELECT count(*) FROM fragile") == std::int64_t{many});
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: what waits behind a failed event of its stream comes after it, in order and once") {
    const TempDir directory;
    int failures = 0;
    bool broken = false;
    StoreOptions options = with_fragile(idle(directory.file()), [&](const RecordedEvent& event) {
      const bool fails = event.stream.id == "slow" && (event.version == Version{3} || event.version == Version{1'200});
      return broken && fails && ++failures % 3 != 0;
    });
    options.projector = {.attempts_max = 3, .retry_backoff = 10ms};
    Store store(std::move(options));
    append_many(store, "slow", 1'500);
    append_many(store, "fine", many);
    append_many(store, "slow", 1'500);
    broken = true;
    CHECK(store.rebuild("fragile"));
    CHECK(failures == 6);
    CHECK(store.dead_letters().empty());
    CHECK(number(store, "SELECT count(*) FROM fragile") == 3'000 + std::int64_t{many});
    CHECK(number(store,
                 "SELECT count(*) FROM (SELECT version, lag(version, 1, 0) OVER (PARTITION BY stream ORDER BY "
                 "rowid) AS before FROM fragile) WHERE version <> before + 1") == 0);
    broken = false;
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: a letter that is discarded meanwhile is left out of the new rows") {
    const TempDir directory;
    bool broken = true;
    const auto bad = [&](const RecordedEvent& event) { return broken && amount(event) == 13; };
    Store store(with_fragile(stepped(directory.file()), bad));
    append(store, "bad", 13);
    append_many(store, "a", many);
    append(store, "bad", 14);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 2);
    broken = false;
    Store other(with_fragile(idle(directory.file()), bad));
    int discarded = 0;
    CHECK(store.rebuild("fragile", [&](std::int64_t, std::int64_t) {
      if (discarded == 0) discarded = static_cast<int>(other.discard_dead_letters({.position = Position{1}}));
      return true;
    }));
    CHECK(discarded == 1);
    CHECK(number(store, "SELECT count(*) FROM fragile WHERE position = 1") == 0);
    CHECK(number(store, "SELECT count(*) FROM dead_letters WHERE discarded_at IS NOT NULL") == 1);
    CHECK(number(store, "SELECT count(*) FROM fragile") == std::int64_t{many} + 1);
    CHECK(store.dead_letters().empty());
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: what comes behind a letter that is discarded meanwhile is in the new rows") {
    const TempDir directory;
    const auto bad = [](const RecordedEvent& event) { return amount(event) == 13; };
    StoreOptions options = with_fragile(stepped(directory.file()), bad);
    options.projector.attempts_max = 1;
    Store store(std::move(options));
    append(store, "bad", 13);
    append_many(store, "a", many);
    run_until_idle(store);
    Store other(with_fragile(idle(directory.file()), bad));
    std::int64_t discarded = 0;
    CHECK(store.rebuild("fragile", [&](std::int64_t done, std::int64_t) {
      if (done == 1'000 && discarded == 0) {
        discarded = other.discard_dead_letters({.position = Position{1}});
        append(store, "bad", 14);
      }
      return true;
    }));
    CHECK(discarded == 1);
    CHECK(store.dead_letters().empty());
    CHECK(number(store, "SELECT count(*) FROM fragile") == std::int64_t{many} + 1);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: a letter that is retried meanwhile is in the new rows, though it has failed here before that") {
    const TempDir directory;
    bool broken = true;
    const auto bad = [&](const RecordedEvent& event) { return broken && amount(event) == 13; };
    StoreOptions options = with_fragile(stepped(directory.file()), bad);
    options.projector.attempts_max = 1;
    Store store(std::move(options));
    append(store, "bad", 13);
    append_many(store, "a", many);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 1);
    Store other(with_fragile(idle(directory.file()), bad));
    CHECK(store.rebuild("fragile", [&](std::int64_t done, std::int64_t) {
      if (done == 1'000 && broken) {
        broken = false;
        CHECK(other.retry_dead_letters() == 1);
      }
      return true;
    }));
    CHECK(number(store, "SELECT count(*) FROM fragile WHERE position = 1") == 1);
    CHECK(store.dead_letters().empty());
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rebuild: one that a crash has interrupted can be run again") {
    const TempDir directory;
    const TempDir crashed;
    fill(directory.file());
    Store store(stepped(directory.file()));
    const std::int64_t tables = tables_in(store);
    static_cast<void>(store.rebuild("latest", [&](std::int64_t done, std::int64_t) {
      if (done == 1'000) copy_files(directory, crashed);
      return true;
    }));
    Store reopened(stepped(crashed.file()));
    CHECK(number(reopened, "SELECT version FROM latest") == std::int64_t{many});
    CHECK(tables_in(reopened) > tables);
    CHECK(reopened.rebuild("latest"));
    CHECK(tables_in(reopened) == tables);
    CHECK(reopened.verify().problems.empty());
  }

  TEST_CASE("rebuild: what its caller throws says nothing about the file") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    CHECK(error_of([&] {
            store.rebuild("totals", [](std::int64_t, std::int64_t) -> bool { throw Error(ErrorCode::io, "no paper"); });
          }) == ErrorCode::io);
    append(store, "a", 1);
    CHECK(store.log().head() == Position{2});
  }

  TEST_CASE("rebuild: of a projection that is not there it is invalid") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK(error_of([&] { static_cast<void>(store.rebuild("nothing")); }) == ErrorCode::invalid);
  }

  TEST_CASE("step: projecting goes on while somebody else's rebuild keeps the projector's own waiting") {
    const TempDir directory;
    fill(directory.file());
    Store other(idle(directory.file()));
    CHECK(other.rebuild("latest", [&](std::int64_t done, std::int64_t all) {
      if (done == 1'000) {
        Store store(with_rules(directory.file(), 2));
        append(store, "b", 1);
        for (int step = 0; step < 10; ++step) store.step();
        CHECK(status(store, "latest").position.value == std::int64_t{many} + 1);
        REQUIRE(store.next_step());
        CHECK(*store.next_step() > store.clock().now());
      }
      return done <= all;
    }));
  }
}
