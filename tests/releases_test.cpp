// Tests of releases of an application that follow one another on a file: new rules make their read tables again, and
// old ones leave them alone.
#include <doctest/doctest.h>

#include "rebuild_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// Rules of a later release: one table is new.
class TotalsAndDays : public Totals {
 public:
  TotalsAndDays() : Totals(2) {}
  [[nodiscard]] std::vector<std::string> tables() const override { return {"totals", "days"}; }
  void create(Tables& tables) const override {
    Totals::create(tables);
    tables.execute("CREATE TABLE {days} (day INTEGER PRIMARY KEY)");
  }
};

// It projects nothing by itself.
StoreOptions idle_with_rules(const std::filesystem::path& file, int schema_version) {
  StoreOptions options = with_rules(file, schema_version);
  options.engine = Engine::off;
  return options;
}

}  // namespace

TEST_SUITE("releases") {
  TEST_CASE("open: a raised schema version makes the tables again, while the old rows answer") {
    const TempDir directory;
    fill(directory.file());
    Store store(with_rules(directory.file(), 2));
    CHECK(status(store, "totals").schema_version == 1);
    CHECK(total(store) == std::int64_t{many});
    store.step();
    CHECK(total(store) == std::int64_t{many});
    append(store, "b", 1);
    run_until_idle(store);
    CHECK(status(store, "totals").schema_version == 2);
    CHECK(total(store) == 10 * (std::int64_t{many} + 1));
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("step: what arrives while the only tables are made again is in them afterwards") {
    const TempDir directory;
    const auto only_totals = [&](int schema_version) {
      StoreOptions options = stepped(directory.file());
      options.projections = {std::make_shared<Totals>(schema_version)};
      return options;
    };
    {
      Store store(only_totals(1));
      append_many(store, "a", 2'500);
      run_until_idle(store);
    }
    Store store(only_totals(2));
    for (int number = 0; number < 5; ++number) {
      append(store, "b", 1);  // Delivered between the batches of the rebuild.
      store.step();
    }
    run_until_idle(store);
    append(store, "c", 1);
    run_until_idle(store);
    CHECK(status(store, "totals").position == Position{2'506});
    CHECK(total(store) == 10 * 2'506);
  }

  TEST_CASE("drain: waits for tables that are made again") {
    const TempDir directory;
    fill(directory.file());
    Store store(with_rules(directory.file(), 2));
    CHECK(store.drain());
    CHECK(total(store) == 10 * std::int64_t{many});
  }

  TEST_CASE("open: rules with one more table are put in place of those without") {
    const TempDir directory;
    fill(directory.file());
    StoreOptions options = stepped(directory.file());
    options.projections.front() = std::make_shared<TotalsAndDays>();
    Store store(options);
    CHECK(store.drain());
    CHECK(status(store, "totals").schema_version == 2);
    CHECK(number(store, "SELECT count(*) FROM days") == 0);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("open: a schema version below the stored one is refused") {
    const TempDir directory;
    Store(with_rules(directory.file(), 2)).close();
    CHECK(error_of([&] { Store store(with_rules(directory.file(), 1)); }) == ErrorCode::unsupported_format);
    Store store(with_rules(directory.file(), 2));
    CHECK(total(store) == 0);
  }

  TEST_CASE("step: an old release that is still open leaves newer tables alone") {
    const TempDir directory;
    Store old(with_rules(directory.file(), 1));
    append(old, "a", 1);
    run_until_idle(old);
    Store newer(idle_with_rules(directory.file(), 2));
    CHECK(newer.rebuild("totals"));
    append(old, "a", 2);
    run_until_idle(old);
    CHECK(status(old, "totals").schema_version == 2);
    CHECK(total(old) == 10);
    old.close();
    Store next(with_rules(directory.file(), 2));
    run_until_idle(next);
    CHECK(total(next) == 30);
  }

  TEST_CASE("close: an old release that has drained does not wait for the tables of a newer one") {
    const TempDir directory;
    Store old(with_rules(directory.file(), 1));
    append(old, "a", 1);
    CHECK(old.drain());
    Store newer(idle_with_rules(directory.file(), 2));
    CHECK(newer.rebuild("totals"));
    append(newer, "a", 2);
    CHECK_FALSE(old.drain());
    old.close();
    CHECK(total(newer) == 10);
  }

  TEST_CASE("drain: an old release finds newer tables, says so, and leaves them to the newer release, and them alone") {
    const TempDir directory;
    std::string told;
    StoreOptions options = with_rules(directory.file(), 1);
    options.on_notice = [&](const Notice& notice) { told += notice.message; };
    Store old(options);
    append(old, "a", 1);
    run_until_idle(old);
    Store newer(with_rules(directory.file(), 2));
    CHECK(newer.rebuild("totals"));
    append(old, "a", 2);
    CHECK_FALSE(old.drain());
    CHECK(holds(told, "a newer release made the tables of the projection 'totals', which is left to it"));
    CHECK_FALSE(old.is_projecting());
    CHECK(newer.drain());
    CHECK(total(newer) == 30);
    append(newer, "a", 3);
    CHECK_FALSE(newer.drain());
    CHECK(total(newer) == 60);
    CHECK(old.drain());
    CHECK_FALSE(old.read({.projections = {"latest"}, .consistency = Strong{}}).freshness().stale);
  }

  TEST_CASE("step: a release builds what an older one that is open does not know, and each goes on with its own") {
    const TempDir directory;
    Store old(with_rules(directory.file(), 1));
    append(old, "a", 1);
    run_until_idle(old);
    Store young(with_fragile(with_rules(directory.file(), 2), on_amount(0)));
    run_until_idle(young);
    CHECK(status(young, "totals").schema_version == 2);
    CHECK(total(young) == 10);
    CHECK(number(young, "SELECT count(*) FROM fragile") == 1);
    append(young, "b", 2, Projecting::synchronous);
    append(old, "c", 3);
    run_until_idle(old);
    sleep(young, 100ms);
    run_until_idle(young);
    CHECK(total(young) == 60);
    CHECK(number(young, "SELECT count(*) FROM fragile") == 3);
    CHECK(status(young, "latest").behind_events == 0);
    CHECK(young.drain());
    old.close();
    sleep(young, 100ms);
    CHECK_FALSE(young.step());
    CHECK(young.is_projecting());
  }

  TEST_CASE("step: two applications with projections of their own on one file each keep theirs current") {
    const TempDir directory;
    StoreOptions first_options = stepped(directory.file());
    StoreOptions second_options = stepped(directory.file());
    first_options.projections = {std::make_shared<Totals>()};
    second_options.projections = {std::make_shared<Latest>()};
    Store first(first_options);
    Store second(second_options);
    for (int amount = 1; amount <= 3; ++amount) {
      append(first, "a", amount);
      append(second, "b", amount);
      CHECK(first.drain());
      CHECK(second.drain());
      CHECK_FALSE(first.read({.projections = {"totals"}, .consistency = Strong{}}).freshness().stale);
      CHECK_FALSE(second.read({.projections = {"latest"}, .consistency = Strong{}}).freshness().stale);
    }
    CHECK(first.is_projecting());
    CHECK(second.is_projecting());
    CHECK(total(first) == 12);
  }

  TEST_CASE("step: what one of two closes is taken over by the other, with what it has already") {
    const TempDir directory;
    StoreOptions one = stepped(directory.file());
    one.projections = {std::make_shared<Totals>()};
    std::optional<Store> first(std::in_place, one);
    first->step();
    Store second(stepped(directory.file(), delayed(1s)));
    append(second, "a", 1);
    second.step();
    CHECK_FALSE(second.is_projecting());
    CHECK(second.drain() == false);  // `totals` is the first one's; `latest` has the event by then.
    CHECK(status(second, "latest").behind_events == 0);
    CHECK(status(second, "totals").behind_events == 1);
    first.reset();
    CHECK(second.drain());
    CHECK(second.is_projecting());
    CHECK(total(second) == 1);
    CHECK(number(second, "SELECT count(*) FROM dead_letters") == 0);
    CHECK(second.verify().problems.empty());
  }

  TEST_CASE("read: who projects is named where an answer is stale, and in the state of a projection") {
    const TempDir directory;
    Store first(stepped(directory.file()));
    first.step();
    Store second(idle(directory.file()));
    append(second, "a", 1);
    const std::string named = "process " + std::to_string(getpid()) + " projects 'totals'";
    for (const Consistency& consistency : {Consistency{Eventual{}}, Consistency{Strong{}}}) {
      const Reading reading = second.read({.projections = {"totals"}, .consistency = consistency, .timeout = 0ms});
      CHECK(reading.freshness().stale);
      CHECK(holds(reading.warnings().front(), named));
    }
    CHECK(status(second, "totals").projected_by == getpid());
    first.close();
    CHECK_FALSE(status(second, "totals").projected_by);
    CHECK_FALSE(holds(second.read({.projections = {"totals"}, .consistency = Strong{}}).warnings().front(), "process"));
  }

  TEST_CASE("rebuild: an old release does not replace the tables of a newer one") {
    const TempDir directory;
    Store old(with_rules(directory.file(), 1));
    append(old, "a", 1);
    Store newer(with_rules(directory.file(), 2));
    CHECK(newer.rebuild("totals"));
    CHECK(error_of([&] { static_cast<void>(old.rebuild("totals")); }) == ErrorCode::unsupported_format);
    CHECK(error_of([&] { append(old, "a", 2, Projecting::synchronous); }) == ErrorCode::unsupported_format);
    CHECK(status(newer, "totals").schema_version == 2);
    CHECK(total(newer) == 10);
  }

  TEST_CASE("open: a projection that is new to a log with events is filled") {
    const TempDir directory;
    fill(directory.file());
    Store store(with_fragile(stepped(directory.file()), on_amount(0)));
    CHECK(status(store, "fragile").position == Position{0});
    append(store, "b", 1);
    run_until_idle(store);
    CHECK(number(store, "SELECT count(*) FROM fragile") == std::int64_t{many} + 1);
    CHECK(status(store, "fragile").position.value == std::int64_t{many} + 1);
    CHECK(total(store) == std::int64_t{many} + 1);
  }

  TEST_CASE("append: a synchronous one is refused while a projection is being made again") {
    const TempDir directory;
    fill(directory.file());
    Store store(with_rules(directory.file(), 2));
    CHECK(error_of([&] { append(store, "a", 1, Projecting::synchronous); }) == ErrorCode::projection_failed);
    run_until_idle(store);
    append(store, "a", 1, Projecting::synchronous);
    CHECK(total(store) == 10 * (std::int64_t{many} + 1));
  }

  TEST_CASE("read: rows of older rules are stale, and say so, until they are made again") {
    const TempDir directory;
    fill(directory.file());
    Store store(with_rules(directory.file(), 2));
    ReadRequest request{.projections = {"totals"}};
    for (const Consistency& consistency : {Consistency{Eventual{}}, Consistency{Strong{}}}) {
      request.consistency = consistency;
      const Reading reading = store.read(request);
      CHECK(reading.freshness().stale);
      CHECK(reading.freshness().waited == 0ms);
      REQUIRE(reading.warnings().size() == 1);
      CHECK(reading.warnings().front() ==
            "stale: the rows of the projection 'totals' are of its schema version 1, which "
            "is to be replaced by version 2");
    }
    request.on_timeout = OnTimeout::error;
    CHECK(error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::stale);
    request.on_timeout = OnTimeout::replay;
    CHECK(store.read(request).must_replay());
    CHECK_FALSE(store.read({.projections = {"latest"}}).freshness().stale);
    run_until_idle(store);
    const Reading reading = store.read(request);
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.warnings().empty());
  }

  TEST_CASE("read: an old release says that it shows the rows of a newer one") {
    const TempDir directory;
    Store old(with_rules(directory.file(), 1));
    append(old, "a", 1);
    run_until_idle(old);
    Store newer(idle_with_rules(directory.file(), 2));
    CHECK(newer.rebuild("totals"));
    const Reading reading = old.read({.projections = {"totals"}, .consistency = Strong{}});
    CHECK_FALSE(reading.freshness().stale);
    REQUIRE(reading.warnings().size() == 1);
    CHECK(reading.warnings().front() ==
          "the rows of the projection 'totals' are of its schema version 2, which a newer "
          "release has made; this one has version 1");
    CHECK(newer.read({.projections = {"totals"}}).warnings().empty());
  }

  TEST_CASE("open: new tables that cannot be made yet are made from the beginning once they can") {
    const TempDir directory;
    fill(directory.file());
    class Waiting final : public Totals {
     public:
      explicit Waiting(int times) : Totals(2), times_(times) {}
      void create(Tables& tables) const override {
        if (times_-- > 0) throw Error(ErrorCode::busy, "not yet");
        Totals::create(tables);
      }

     private:
      mutable int times_;
    };
    StoreOptions options = stepped(directory.file());
    options.projections.front() = std::make_shared<Waiting>(2);
    Store store(std::move(options));
    CHECK(store.drain());
    CHECK(store.dead_letters().empty());
    CHECK(total(store) == 10 * std::int64_t{many});
  }
}
