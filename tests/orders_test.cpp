// Commands and queries of the order service, on a real store.
#include "orders/orders.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "freshet/error.hpp"
#include "order_store.hpp"

using namespace freshet;
using namespace freshet::orders;
using namespace std::chrono_literals;

namespace {

// The ids of a page's orders, in its order.
std::vector<std::string> ids(const Page& page) {
  std::vector<std::string> result;
  for (const OrderView& view : page.orders) result.push_back(view.order_id);
  return result;
}

using Ids = std::vector<std::string>;

Command placing_at(const char* time) {
  return {place(), parse_timestamp(time)};
}

}  // namespace

TEST_SUITE("orders") {
  TEST_CASE("execute: a command is answered with its event, version, position and the new status") {
    OrderStore fixture;
    fixture.done("1", place());
    fixture.done("2", place());
    const Done done = fixture.done("1", Pay{});
    CHECK(done.order_id == "1");
    CHECK(done.event == "OrderPaid");
    CHECK(done.status == Status::paid);
    CHECK(done.version == Version{2});
    CHECK(done.position == Position{3});
    CHECK_FALSE(done.duplicate);
  }
  TEST_CASE("execute: what the rules forbid is refused, and nothing is recorded") {
    OrderStore fixture;
    fixture.done("1", place());
    const auto result = fixture.execute("1", Ship{});
    REQUIRE(std::holds_alternative<Rejection>(result));
    CHECK(std::get<Rejection>(result).message ==
          "cannot ship: the order is created, and only a paid order can be shipped");
    CHECK(fixture.store().log().head() == Position{1});
  }
  TEST_CASE("execute: a command on an order that does not exist is not found") {
    OrderStore fixture;
    const auto result = fixture.execute("1", Pay{});
    REQUIRE(std::holds_alternative<Rejection>(result));
    CHECK(std::get<Rejection>(result).code == Rejection::Code::not_found);
  }
  TEST_CASE("execute: another version than expected is a conflict that tells the actual one") {
    OrderStore fixture;
    fixture.done("1", place());
    fixture.done("1", Pay{});
    const auto result = fixture.execute("1", Ship{}, {.expected = ExpectedVersion::exactly(Version{1})});
    REQUIRE(std::holds_alternative<Conflict>(result));
    CHECK(std::get<Conflict>(result).actual == Version{2});
  }

  TEST_CASE("execute: an order placed without an id gets one of its own") {
    OrderStore fixture;
    const auto first = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, {});
    const auto second = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, {});
    const std::string id = std::get<Done>(first).order_id;
    CHECK(id.size() == 13);
    CHECK(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz") == std::string::npos);
    CHECK(std::get<Done>(second).order_id != id);
    CHECK(std::get<Done>(second).version == Version{1});
  }
  TEST_CASE("execute: a run that is repeated on a virtual clock makes up the same ids") {
    OrderStore fixture;
    OrderStore other;
    const auto first = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, {});
    const auto second = other.orders().execute(std::nullopt, {place(), std::nullopt}, {});
    CHECK(std::get<Done>(first).order_id == std::get<Done>(second).order_id);
  }
  TEST_CASE("execute: an order placed without an id is at no version that could be expected but 0") {
    OrderStore fixture;
    const auto result = fixture.orders().execute(std::nullopt, {place(), std::nullopt},
                                                 {.expected = ExpectedVersion::exactly(Version{1})});
    REQUIRE(std::holds_alternative<Conflict>(result));
    CHECK(std::get<Conflict>(result).actual == Version{0});
  }

  TEST_CASE("get: an eventual read inside the staleness window shows the order as it was") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    fixture.store().drain();
    fixture.done("1", Pay{});
    const auto answer = fixture.orders().get("1");
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.status == Status::created);
    CHECK(answer.value->version == Version{1});
    CHECK(answer.freshness.source == Source::read_model);
    CHECK(answer.freshness.stale);
    CHECK(answer.freshness.version == Version{1});
    CHECK(answer.freshness.latest_version == Version{2});
    CHECK(answer.freshness.behind_events == 1);
    CHECK(answer.warnings.size() == 1);
  }
  TEST_CASE("get: all that is known of an order") {
    OrderStore fixture;
    static_cast<void>(fixture.orders().execute("1", placing_at("2017-10-02T10:56:33Z"), {}));
    static_cast<void>(fixture.orders().execute("1", {Pay{9'000}, parse_timestamp("2017-10-03T08:00:00.5Z")}, {}));
    fixture.store().drain();
    const auto answer = fixture.orders().get("1");
    REQUIRE(answer.value.has_value());
    const Order& order = answer.value->order;
    CHECK(order.status == Status::paid);
    CHECK(order.customer == "c9");
    CHECK(order.currency == "EUR");
    CHECK(order.items == place().items);
    CHECK(order.freight_minor == 350);
    CHECK(order.amount_minor == placed_minor);
    CHECK(order.paid_minor == 9'000);
    CHECK(format_timestamp(order.placed_at) == "2017-10-02T10:56:33.000000Z");
    CHECK(format_timestamp(order.updated_at) == "2017-10-03T08:00:00.500000Z");
    CHECK_FALSE(answer.freshness.stale);
  }
  TEST_CASE("get: an order that is not yet in the read tables has no value, and is behind the log") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    const auto answer = fixture.orders().get("1");
    CHECK_FALSE(answer.value.has_value());
    CHECK(answer.freshness.latest_version == Version{1});
    CHECK(answer.freshness.stale);
  }
  TEST_CASE("get: an order that does not exist has no value, and nothing is missing") {
    OrderStore fixture;
    const auto answer = fixture.orders().get("1");
    CHECK_FALSE(answer.value.has_value());
    CHECK(answer.freshness.latest_version == Version{0});
    CHECK_FALSE(answer.freshness.stale);
  }
  TEST_CASE("get: a read of a version waits until the read tables show it") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    fixture.done("1", Pay{});
    const auto answer = fixture.orders().get("1", {.consistency = AtLeastVersion{Version{2}}});
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.status == Status::paid);
    CHECK_FALSE(answer.freshness.stale);
    CHECK(answer.freshness.waited == 50ms);
  }
  TEST_CASE("get: a read of a version that takes too long is answered stale, with a warning") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    const auto answer = fixture.orders().get("1", {.consistency = AtLeastVersion{Version{1}}, .timeout = 20ms});
    CHECK_FALSE(answer.value.has_value());
    CHECK(answer.freshness.stale);
    CHECK(answer.freshness.waited == 20ms);
    CHECK(answer.warnings.size() == 1);
  }
  TEST_CASE("get: a read of a version that takes too long is an error where that is asked for") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    CHECK_THROWS_AS(static_cast<void>(fixture.orders().get(
                        "1", {.consistency = Strong{}, .timeout = 20ms, .on_timeout = OnTimeout::error})),
                    Error);
  }
  TEST_CASE("get: a read that takes too long is a replay where that is asked for") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    const auto answer =
        fixture.orders().get("1", {.consistency = Strong{}, .timeout = 20ms, .on_timeout = OnTimeout::replay});
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.items == place().items);
    CHECK(answer.freshness.source == Source::event_log);
    CHECK_FALSE(answer.freshness.stale);
    CHECK(answer.freshness.version == Version{1});
    CHECK(answer.freshness.waited == 20ms);
  }
  TEST_CASE("get: a strong read, and one of a position, wait for what was committed") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    CHECK(fixture.orders().get("1", {.consistency = Strong{}}).value.has_value());
    const Done done = fixture.done("2", place());
    CHECK(fixture.orders().get("2", {.consistency = AtLeastPosition{done.position}}).value.has_value());
  }
  TEST_CASE("get: a read of a certain age at most waits only for what is older") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    CHECK_FALSE(fixture.orders().get("1", {.consistency = MaxStaleness{10ms}}).value.has_value());
    fixture.clock().sleep_until(fixture.clock().now() + 20ms);
    CHECK(fixture.orders().get("1", {.consistency = MaxStaleness{10ms}}).value.has_value());
  }
  TEST_CASE("get: a synchronous command leaves no staleness window") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    fixture.done("1", Pay{}, {.projecting = Projecting::synchronous});
    const auto answer = fixture.orders().get("1");
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.status == Status::paid);
    CHECK_FALSE(answer.freshness.stale);
  }

  TEST_CASE("replay: a command's effect is read at once, from the log") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    const auto answer = fixture.orders().replay("1");
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.status == Status::created);
    CHECK(answer.value->order.amount_minor == placed_minor);
    CHECK(answer.freshness.source == Source::event_log);
    CHECK(answer.freshness.behind_events == 0);
  }
  TEST_CASE("replay: no value for an order that does not exist") {
    OrderStore fixture;
    const auto answer = fixture.orders().replay("1");
    CHECK_FALSE(answer.value.has_value());
    CHECK(answer.freshness.latest_version == Version{0});
  }

  TEST_CASE("as_of: the order as it was at a version") {
    OrderStore fixture;
    fixture.done("1", place());
    fixture.done("1", Pay{});
    fixture.done("1", Ship{});
    const auto answer = fixture.orders().as_of("1", Version{2});
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.status == Status::paid);
    CHECK(answer.value->version == Version{2});
    CHECK(answer.freshness.latest_version == Version{3});
    CHECK(answer.freshness.behind_events == 1);
    CHECK_FALSE(answer.freshness.stale);
    CHECK_FALSE(fixture.orders().as_of("1", Version{0}).value.has_value());
  }
  TEST_CASE("as_of: a version that is yet to come is answered with the last one, and a warning") {
    OrderStore fixture;
    fixture.done("1", place());
    const auto answer = fixture.orders().as_of("1", Version{5});
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->version == Version{1});
    CHECK(answer.freshness.stale);
    CHECK(answer.warnings == Ids{"order '1' has no version 5 yet; its last is 1"});
  }
  TEST_CASE("as_of: the order as it was at a time, up to the first event that happened later") {
    OrderStore fixture;
    static_cast<void>(fixture.orders().execute("1", placing_at("2017-10-02"), {}));
    static_cast<void>(fixture.orders().execute("1", {Pay{}, parse_timestamp("2017-10-05")}, {}));
    static_cast<void>(fixture.orders().execute("1", {Ship{}, parse_timestamp("2017-10-04")}, {}));
    CHECK(fixture.orders().as_of("1", *parse_timestamp("2017-10-05")).value->order.status == Status::shipped);
    CHECK(fixture.orders().as_of("1", *parse_timestamp("2017-10-04")).value->order.status == Status::created);
    CHECK_FALSE(fixture.orders().as_of("1", *parse_timestamp("2017-10-01")).value.has_value());
  }

  TEST_CASE("list: orders newest first, and what was placed later first among those of one time") {
    OrderStore fixture;
    static_cast<void>(fixture.orders().execute("old", placing_at("2017-10-01"), {}));
    static_cast<void>(fixture.orders().execute("new", placing_at("2017-10-03"), {}));
    static_cast<void>(fixture.orders().execute("mid-1", placing_at("2017-10-02"), {}));
    static_cast<void>(fixture.orders().execute("mid-2", placing_at("2017-10-02"), {}));
    fixture.store().drain();
    const auto answer = fixture.orders().list({});
    CHECK(ids(answer.value) == Ids{"new", "mid-2", "mid-1", "old"});
    CHECK(answer.value.next == std::nullopt);
    CHECK(answer.freshness.position == Position{4});
  }
  TEST_CASE("list: page by page, each order once") {
    OrderStore fixture;
    for (const char* id : {"1", "2", "3", "4", "5"}) fixture.done(id, place());
    fixture.store().drain();
    const Page first = fixture.orders().list({.limit = 2}).value;
    const Page second = fixture.orders().list({.limit = 2, .after = first.next}).value;
    const Page third = fixture.orders().list({.limit = 2, .after = second.next}).value;
    CHECK(ids(first) == Ids{"5", "4"});
    CHECK(ids(second) == Ids{"3", "2"});
    CHECK(ids(third) == Ids{"1"});
    CHECK(third.next == std::nullopt);
  }
  TEST_CASE("list: a page that holds the last order names no next one") {
    OrderStore fixture;
    for (const char* id : {"1", "2"}) fixture.done(id, place());
    fixture.store().drain();
    CHECK(fixture.orders().list({.limit = 2}).value.next == std::nullopt);
  }
  TEST_CASE("list: of a status, of a customer, or of both") {
    OrderStore fixture;
    Place other = place();
    other.customer = "c1";
    fixture.done("1", place());
    fixture.done("2", other);
    fixture.done("3", other);
    fixture.done("3", Pay{});
    fixture.store().drain();
    CHECK(ids(fixture.orders().list({.status = Status::created}).value) == Ids{"2", "1"});
    CHECK(ids(fixture.orders().list({.customer = "c1"}).value) == Ids{"3", "2"});
    CHECK(ids(fixture.orders().list({.status = Status::created, .customer = "c1"}).value) == Ids{"2"});
    CHECK(ids(fixture.orders().list({.status = Status::refunded}).value).empty());
  }
  TEST_CASE("list: judged for the whole log, and waits for it") {
    OrderStore fixture(delayed(50ms));
    fixture.done("1", place());
    CHECK(fixture.orders().list({}).freshness.stale);
    const auto answer = fixture.orders().list({}, {.consistency = Strong{}});
    CHECK(ids(answer.value) == Ids{"1"});
    CHECK_FALSE(answer.freshness.stale);
  }
  TEST_CASE("list: a cursor that no list made, or a limit out of bounds, is an error") {
    OrderStore fixture;
    for (const char* cursor : {"", ".", "1", "1.", ".1", "1.x", "1.2.3", "9999999999999999999.1"}) {
      CHECK_THROWS_AS(static_cast<void>(fixture.orders().list({.after = cursor})), Error);
    }
    CHECK_THROWS_AS(static_cast<void>(fixture.orders().list({.limit = 0})), Error);
    CHECK_THROWS_AS(static_cast<void>(fixture.orders().list({.limit = list_limit_max + 1})), Error);
  }

  TEST_CASE("stats: orders by status, and revenue by currency and day") {
    OrderStore fixture;
    auto orders = fixture.orders();
    static_cast<void>(orders.execute("1", placing_at("2017-10-02T23:59:59.999999Z"), {}));
    static_cast<void>(orders.execute("1", {Pay{5'000}, parse_timestamp("2017-10-03")}, {}));
    static_cast<void>(orders.execute("2", placing_at("2017-10-03"), {}));
    static_cast<void>(orders.execute("2", {Pay{}, parse_timestamp("2017-10-03")}, {}));
    static_cast<void>(orders.execute("2", {Refund{}, parse_timestamp("2017-10-05")}, {}));
    fixture.store().drain();
    const Stats stats = orders.stats().value;
    CHECK(stats.orders == 2);
    CHECK(stats.by_status == std::map<Status, std::int64_t>{{Status::paid, 1}, {Status::refunded, 1}});
    CHECK(stats.revenue_minor == std::map<std::string, std::int64_t>{{"EUR", 5'000}});
    REQUIRE(stats.by_day.size() == 3);
    CHECK(stats.by_day[0].day == "2017-10-02");
    CHECK(stats.by_day[0].orders == 1);
    CHECK(stats.by_day[0].revenue_minor == 0);
    CHECK(stats.by_day[1].orders == 1);
    CHECK(stats.by_day[1].revenue_minor == 5'000 + placed_minor);
    CHECK(stats.by_day[2].day == "2017-10-05");
    CHECK(stats.by_day[2].revenue_minor == -placed_minor);
  }
  TEST_CASE("stats: of an empty store") {
    OrderStore fixture;
    const auto answer = fixture.orders().stats({.consistency = Strong{}});
    CHECK(answer.value.orders == 0);
    CHECK(answer.value.by_status.empty());
    CHECK(answer.value.by_day.empty());
    CHECK_FALSE(answer.freshness.stale);
  }

  TEST_CASE("Orders: orders placed at the same moment without an id are different orders") {
    OrderStore fixture({}, Engine::threads);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&fixture] {
        for (int order = 0; order < 25; ++order) {
          static_cast<void>(fixture.orders().execute(std::nullopt, {place(), std::nullopt}, {}));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(fixture.orders().stats({.consistency = Strong{}, .timeout = 30s}).value.orders == 100);
  }
  TEST_CASE("Orders: on threads and real time, a strong read sees every command that was answered before") {
    OrderStore fixture(delayed(1ms), Engine::threads);
    for (const char* id : {"1", "2", "3", "4", "5"}) {
      fixture.done(id, place());
      fixture.done(id, Pay{});
    }
    const auto answer = fixture.orders().stats({.consistency = Strong{}, .timeout = 30s});
    CHECK_FALSE(answer.freshness.stale);
    CHECK(answer.value.by_status == std::map<Status, std::int64_t>{{Status::paid, 5}});
    CHECK(answer.value.revenue_minor.at("EUR") == 5 * placed_minor);
  }
}
