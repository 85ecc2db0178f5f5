// Tests of subscriptions in one thread: what is told, in which batches, and how a subscription ends.
#include <poll.h>

#include <optional>

#include "subscription_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

bool is_readable(int descriptor) {
  pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;
}

std::vector<std::int64_t> told_positions(const std::optional<EventBatch>& batch) {
  return batch ? positions({*batch}) : std::vector<std::int64_t>{};
}

void damage(const TempDir& directory, const std::string& position) {
  sqlite::Connection connection = connect(directory.file());
  drop_triggers(connection);
  connection.execute("UPDATE events SET data = '7777' WHERE position = " + position);
}

}  // namespace

TEST_SUITE("subscription") {
  TEST_CASE("subscribe_to_events: what the log holds is told first, then what is appended, inside step()") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 3);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({}, told.keep());
    CHECK(told.all().empty());
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(1, 3));
    append_many(store, "b", 2);
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(1, 5));
    CHECK_FALSE(store.step());
    CHECK_FALSE(store.next_step());
  }

  TEST_CASE("subscribe_to_events: events are told when they are committed, however long the bus takes") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({}, told.keep());
    append(store, "a", 1);
    CHECK(store.next_step() == store.clock().now());
    CHECK(store.step());
    CHECK(positions(told.all()) == from_to(1, 1));
    CHECK(total(store) == 0);
  }

  TEST_CASE("subscribe_to_events: a later subscription goes on above where an earlier one was") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 4);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.after = Position{3}}, told.keep());
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(4, 4));
    CHECK(told.all().back().through == Position{4});
    CHECK(told.all().back().head == Position{4});
  }

  TEST_CASE("subscribe_to_events: a place of another history is refused, and one from before it began goes on") {
    const TempDir directory;
    const TempDir copies;
    const auto through_now = [](Store& store) {
      Told<EventBatch> told;
      const auto subscription = store.subscribe_to_events({}, told.keep());
      run_until_idle(store);
      return told.all().back();
    };
    EventBatch early;
    EventBatch late;
    {
      Store store(stepped(directory.file()));
      append_many(store, "a", 3);
      early = through_now(store);
      REQUIRE(store.backup(copies.file()).has_value());
      append_many(store, "a", 5);
      late = through_now(store);
    }
    CHECK(early.epoch == late.epoch);
    std::filesystem::copy_file(copies.file(), directory.file(), std::filesystem::copy_options::overwrite_existing);
    Store store(stepped(directory.file()));
    append_many(store, "new", 6);
    const auto subscribing = [&](Position after, const std::string& epoch) {
      return error_of([&] { static_cast<void>(store.subscribe_to_events({.after = after, .epoch = epoch})); });
    };
    CHECK(subscribing(late.through, late.epoch) == ErrorCode::foreign_session);
    CHECK(subscribing(Position{4}, early.epoch) == ErrorCode::foreign_session);
    CHECK(subscribing(Position{1}, "of another store") == ErrorCode::foreign_session);
    CHECK(subscribing(Position{10}, "") == ErrorCode::invalid);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.after = early.through, .epoch = early.epoch}, told.keep());
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(4, 9));
    CHECK(told.all().back().epoch == store.identity().epoch);
    CHECK(subscribing(Position{10}, store.identity().epoch) == ErrorCode::foreign_session);
    CHECK_NOTHROW(
        static_cast<void>(store.subscribe_to_events({.after = Position{9}, .epoch = store.identity().epoch})));
  }

  TEST_CASE("subscribe_to_events: of one stream its events alone are told, and the rest counts as looked at") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    for (const char* id : {"a", "b", "a", "b", "a", "b"}) append(store, id, 1);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.after = Position{1}, .stream = stream("a")}, told.keep());
    run_until_idle(store);
    CHECK(positions(told.all()) == std::vector<std::int64_t>{3, 5});
    CHECK(told.all().back().through == Position{6});
    append(store, "b", 1);
    append(store, "a", 1);
    run_until_idle(store);
    CHECK(positions(told.all()) == std::vector<std::int64_t>{3, 5, 8});
  }

  TEST_CASE("subscribe_to_events: a stream that does not exist yet is told of from its first event") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "other", 1);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.stream = stream("late")}, told.keep());
    run_until_idle(store);
    append(store, "late", 1);
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(2, 2));
  }

  TEST_CASE("subscribe_to_events: a rare category is found, some events of the others at a time") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 12'000);
    const NewEvent rare = event(7);
    static_cast<void>(
        store.log().append({.stream = {"rare", "one"}, .expected = ExpectedVersion::any(), .events = {&rare, 1}}));
    append(store, "a", 1);
    run_until_idle(store);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.category = "rare"}, told.keep());
    REQUIRE(store.step());
    CHECK(told.all().empty());
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(12'001, 12'001));
  }

  TEST_CASE("subscribe_to_events: a batch holds no more events than was asked for") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 100);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.events_max = 40}, told.keep());
    run_until_idle(store);
    const auto batches = told.all();
    REQUIRE(batches.size() == 3);
    CHECK(batches[0].events.size() == 40);
    CHECK(batches[1].through == Position{80});
    CHECK(batches[1].head == Position{100});
    CHECK(positions(batches) == from_to(1, 100));
  }

  TEST_CASE("subscribe_to_events: large events come in small batches") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const NewEvent large{.type = "Large", .data = std::string(batch_bytes_max / 8, '7'), .content_type = "text/plain"};
    for (int count = 0; count < 100; ++count) {
      static_cast<void>(
          store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&large, 1}}));
    }
    auto subscription = store.subscribe_to_events({.events_max = 100});
    while (!is_readable(subscription.descriptor())) REQUIRE(store.step());
    CHECK(subscription.take()->events.size() == 8);
  }

  TEST_CASE("subscribe_to_events: a batch of no event, or of too many, is invalid; so are two choices of events") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    for (const EventsRequest& request :
         {EventsRequest{.events_max = 0}, EventsRequest{.events_max = batch_events_max + 1},
          EventsRequest{.stream = stream("a"), .category = "account"}}) {
      CHECK(error_of([&] { static_cast<void>(store.subscribe_to_events(request)); }) == ErrorCode::invalid);
    }
  }

  TEST_CASE("Subscription: its own callback can destroy it, and is not called again") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 3);
    std::optional<Subscription<EventBatch>> subscription;
    int calls = 0;
    subscription.emplace(store.subscribe_to_events({.events_max = 1}, [&](const EventBatch&) {
      ++calls;
      subscription.reset();
    }));
    run_until_idle(store);
    CHECK(calls == 1);
  }

  TEST_CASE("Subscription: a callback can subscribe, read and step") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 5);
    Told<Changes> changes;
    std::optional<Subscription<Changes>> inner;
    std::int64_t seen = 0;
    const auto outer = store.subscribe_to_events({}, [&](const EventBatch&) {
      inner.emplace(store.subscribe_to_changes({.projections = {"totals"}}, changes.keep()));
      static_cast<void>(store.step());
      Reading reading = store.read({.projections = {"totals"}, .consistency = Strong{}});
      seen = number(reading, "SELECT sum FROM totals");
    });
    run_until_idle(store);
    CHECK(seen == 5);
    CHECK(changes.all().size() == 1);
  }

  TEST_CASE("Subscription: a callback that throws ends it, with the reason, and no other") {
    const TempDir directory;
    StoreOptions options = stepped(directory.file());
    std::vector<std::string> notices;
    options.on_notice = [&](const Notice& notice) { notices.push_back(notice.message); };
    Store store(options);
    append(store, "a", 1);
    Told<EventBatch> told;
    const auto wrong = store.subscribe_to_events({}, [](const EventBatch&) { throw std::runtime_error("no window"); });
    const auto right = store.subscribe_to_events({}, told.keep());
    run_until_idle(store);
    CHECK(wrong.ended() == "its callback has thrown: no window");
    CHECK_FALSE(right.ended());
    CHECK(told.all().size() == 1);
    REQUIRE(notices.size() == 1);
    CHECK(notices.front() == "a subscription has ended: its callback has thrown: no window");
  }

  TEST_CASE("Subscription: a Post that throws ends it as well") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    const auto subscription = store.subscribe_to_events(
        {}, [](const EventBatch&) {}, [](const std::function<void()>&) { throw std::runtime_error("no loop"); });
    run_until_idle(store);
    CHECK(subscription.ended() == "its callback has thrown: no loop");
  }

  TEST_CASE("Subscription: a damaged event ends it, after what came before") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 40);
    run_until_idle(store);
    damage(directory, "35");
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.events_max = 32}, told.keep());
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(1, 32));
    REQUIRE(subscription.ended());
    CHECK(holds(*subscription.ended(), "35"));
  }

  TEST_CASE("Subscription: closing the store ends it, and it may outlive the store") {
    const TempDir directory;
    std::optional<Store> store(std::in_place, stepped(directory.file()));
    append(*store, "a", 1);
    auto taken = store->subscribe_to_events({});
    const auto told = store->subscribe_to_events({}, [](const EventBatch&) { FAIL("told after the end"); });
    store->close();
    CHECK(taken.ended() == "the store is closed");
    CHECK(is_readable(taken.descriptor()));
    CHECK_FALSE(taken.take());
    CHECK(error_of([&] { static_cast<void>(store->subscribe_to_events({})); }) == ErrorCode::closed);
    store.reset();
    CHECK(told.ended() == "the store is closed");
  }

  TEST_CASE("Subscription: what its callback holds is let go of when it is destroyed") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const auto held = std::make_shared<int>(1);
    {
      const auto subscription = store.subscribe_to_events({}, [held](const EventBatch&) {});
      CHECK(held.use_count() > 1);
    }
    CHECK(held.use_count() == 1);
  }

  TEST_CASE("take: the descriptor is readable while there is something to take") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    auto subscription = store.subscribe_to_events({.events_max = 2});
    CHECK_FALSE(is_readable(subscription.descriptor()));
    CHECK_FALSE(subscription.take());
    append_many(store, "a", 3);
    run_until_idle(store);
    CHECK(is_readable(subscription.descriptor()));
    CHECK(told_positions(subscription.take()) == from_to(1, 2));
    CHECK_FALSE(is_readable(subscription.descriptor()));
    run_until_idle(store);
    CHECK(is_readable(subscription.descriptor()));
    CHECK(told_positions(subscription.take()) == from_to(3, 3));
    run_until_idle(store);
    CHECK_FALSE(is_readable(subscription.descriptor()));
  }

  TEST_CASE("Post: one closure is on its way at a time, and what is appended meanwhile waits in the log") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Loop loop;
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.events_max = 2}, told.keep(), loop.post());
    append_many(store, "a", 5);
    run_until_idle(store);
    CHECK(loop.waiting() == 1);
    CHECK(told.all().empty());
    for (int batch = 0; batch < 3; ++batch) {
      loop.run_one();
      run_until_idle(store);
    }
    CHECK(loop.waiting() == 0);
    CHECK(positions(told.all()) == from_to(1, 5));
  }

  TEST_CASE("Post: a closure that runs after the subscription was destroyed does nothing") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Loop loop;
    Told<EventBatch> told;
    {
      const auto subscription = store.subscribe_to_events({}, told.keep(), loop.post());
      append(store, "a", 1);
      run_until_idle(store);
    }
    loop.run_one();
    CHECK(told.all().empty());
  }

  TEST_CASE("Post: a loop may run its closures at once") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 3);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({.events_max = 1}, told.keep(),
                                                        [](const std::function<void()>& closure) { closure(); });
    run_until_idle(store);
    CHECK(positions(told.all()) == from_to(1, 3));
  }
}
