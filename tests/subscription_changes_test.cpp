// Tests of subscriptions to changes of read tables: told at once, told of every change, and conflated.
#include "subscription_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// The projections of the last news and their checkpoints, as text.
std::string last(Told<Changes>& told) {
  const auto all = told.all();
  REQUIRE_FALSE(all.empty());
  std::string text;
  for (const Change& change : all.back().projections) {
    text += change.projection + "=" + std::to_string(change.position.value) + " ";
  }
  return text;
}

}  // namespace

TEST_SUITE("subscription_changes") {
  TEST_CASE("subscribe_to_changes: the present state is told at once, and then each change") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 3);
    run_until_idle(store);
    Told<Changes> told;
    const auto subscription = store.subscribe_to_changes({.projections = {"totals"}}, told.keep());
    run_until_idle(store);
    CHECK(told.all().size() == 1);
    CHECK(last(told) == "totals=3 ");
    append(store, "a", 1);
    run_until_idle(store);
    CHECK(told.all().size() == 2);
    CHECK(last(told) == "totals=4 ");
    CHECK(told.all().back().head == Position{4});
  }

  TEST_CASE("subscribe_to_changes: an event that is not applied yet is no change") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    Told<Changes> told;
    const auto subscription = store.subscribe_to_changes({.projections = {"totals", "latest"}}, told.keep());
    run_due(store);
    append(store, "a", 1);
    run_due(store);
    CHECK(told.all().size() == 1);
    run_until_idle(store);
    CHECK(told.all().size() == 2);
    CHECK(last(told) == "totals=1 latest=1 ");
  }

  TEST_CASE("subscribe_to_changes: rows that change above the checkpoint are told") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    Told<Changes> told;
    const auto subscription = store.subscribe_to_changes({.projections = {"totals"}}, told.keep());
    append(store, "a", 1);
    run_due(store);
    append(store, "b", 1, Projecting::synchronous);
    run_due(store);
    CHECK(told.all().size() == 2);
    CHECK(last(told) == "totals=0 ");
  }

  TEST_CASE("subscribe_to_changes: whoever is slow is told the newest state, once") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Loop loop;
    Told<Changes> told;
    const auto subscription = store.subscribe_to_changes({.projections = {"totals"}}, told.keep(), loop.post());
    for (int event = 0; event < 10; ++event) {
      append(store, "a", 1);
      run_until_idle(store);
    }
    CHECK(loop.waiting() == 1);
    loop.run_one();
    run_until_idle(store);
    CHECK(loop.waiting() == 0);
    CHECK(told.all().size() == 1);
    CHECK(last(told) == "totals=10 ");
  }

  TEST_CASE("subscribe_to_changes: news that wait grow by other projections that change") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 1);
    run_until_idle(store);
    auto subscription = store.subscribe_to_changes({.projections = {"totals", "latest"}});
    run_until_idle(store);
    static_cast<void>(subscription.take());
    static_cast<void>(store.rebuild("latest"));
    run_until_idle(store);
    static_cast<void>(store.rebuild("totals"));
    run_until_idle(store);
    const auto changes = subscription.take();
    REQUIRE(changes);
    REQUIRE(changes->projections.size() == 2);
    CHECK(changes->projections[0].projection == "latest");
    CHECK(changes->projections[1].projection == "totals");
  }

  TEST_CASE("subscribe_to_changes: an unknown projection is invalid, and so is none") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK(message_of([&] { static_cast<void>(store.subscribe_to_changes({.projections = {"nobody"}})); }) ==
          "there is no projection 'nobody' in this store");
    CHECK(error_of([&] { static_cast<void>(store.subscribe_to_changes({})); }) == ErrorCode::invalid);
  }
}
