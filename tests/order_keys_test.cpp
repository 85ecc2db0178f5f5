// Idempotency keys of orders: a retry is answered as before, and a key is of one command alone.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "order_store.hpp"

using namespace freshet;
using namespace freshet::orders;
using namespace std::chrono_literals;

namespace {

KeyReused key_reused(const CommandResult& result) {
  REQUIRE(std::holds_alternative<KeyReused>(result));
  return std::get<KeyReused>(result);
}

}  // namespace

TEST_SUITE("order_keys") {
  TEST_CASE("execute: a retry gets the first answer again, also after a restart, and records nothing") {
    OrderStore fixture;
    fixture.done("1", place());
    const Done first = fixture.done("1", Pay{}, keyed("k"));
    fixture.done("1", Ship{});
    fixture.reopen();
    const Done again = fixture.done("1", Pay{}, keyed("k"));
    CHECK(again.duplicate);
    CHECK(again.version == first.version);
    CHECK(again.position == first.position);
    CHECK(again.status == Status::paid);
    CHECK(fixture.store().log().head() == Position{3});
  }
  TEST_CASE("execute: a refusal is remembered under its key, whatever becomes of the order") {
    OrderStore fixture;
    fixture.done("1", place());
    CHECK(std::holds_alternative<Rejection>(fixture.execute("1", Ship{}, keyed("k"))));
    fixture.done("1", Pay{});
    const auto again = fixture.execute("1", Ship{}, keyed("k"));
    REQUIRE(std::holds_alternative<Rejection>(again));
    CHECK(std::get<Rejection>(again).message ==
          "cannot ship: the order is created, and only a paid order can be shipped");
    CHECK(fixture.store().log().head() == Position{2});
  }
  TEST_CASE("execute: that there was no such order is remembered as well") {
    OrderStore fixture;
    static_cast<void>(fixture.execute("1", Pay{}, keyed("k")));
    fixture.done("1", place());
    const auto again = fixture.execute("1", Pay{}, keyed("k"));
    REQUIRE(std::holds_alternative<Rejection>(again));
    CHECK(std::get<Rejection>(again).code == Rejection::Code::not_found);
  }
  TEST_CASE("execute: a key that another command used is not used again") {
    OrderStore fixture;
    fixture.done("1", place(), keyed("k"));
    const KeyReused reused = key_reused(fixture.execute("1", Pay{}, keyed("k")));
    CHECK(reused.stream == StreamId{"order", "1"});
    CHECK(reused.command == "place");
    CHECK(fixture.store().log().head() == Position{1});
  }
  TEST_CASE("execute: a key that another order used is not used again") {
    OrderStore fixture;
    fixture.done("1", place(), keyed("k"));
    CHECK(key_reused(fixture.execute("2", place(), keyed("k"))).stream.id == "1");
  }
  TEST_CASE("execute: the key of a refusal belongs to its command, order and arguments") {
    OrderStore fixture;
    static_cast<void>(fixture.execute("1", Pay{}, keyed("k")));
    CHECK(key_reused(fixture.execute("2", Pay{}, keyed("k"))).stream.id == "1");
    CHECK(key_reused(fixture.execute("1", Ship{}, keyed("k"))).command == "pay");
    CHECK(key_reused(fixture.execute("1", Pay{5}, keyed("k"))).command == "pay");
    fixture.done("1", place());
    const auto again = fixture.execute("1", Pay{}, keyed("k"));
    REQUIRE(std::holds_alternative<Rejection>(again));
    CHECK(std::get<Rejection>(again).duplicate);
  }
  TEST_CASE("execute: a key that another application used is not used again") {
    OrderStore fixture;
    const std::vector<NewEvent> events{{.type = "ParcelPacked", .data = "{}"}};
    static_cast<void>(fixture.store().log().append(
        {.stream = {"parcel", "7"}, .expected = ExpectedVersion::none(), .events = events, .command_id = "k"}));
    const KeyReused reused = key_reused(fixture.execute("1", place(), keyed("k")));
    CHECK(reused.stream == StreamId{"parcel", "7"});
    CHECK(reused.command.empty());
  }
  TEST_CASE("execute: whatever a user says otherwise makes another command of a key") {
    OrderStore fixture;
    Command first{place(), parse_timestamp("2017-10-02T10:56:33Z")};
    std::get<Place>(first.action).items.push_back({"pen", 1, 120});
    const auto execute = [&](const Command& command) { return fixture.orders().execute("1", command, keyed("k")); };
    static_cast<void>(std::get<Done>(execute(first)));
    const std::vector<std::function<void(Place&)>> differences = {
        [](Place& place) { place.customer += "x"; },
        [](Place& place) { place.currency = "USD"; },
        [](Place& place) { ++place.freight_minor; },
        [](Place& place) { place.items.front().sku += "x"; },
        [](Place& place) { ++place.items.front().quantity; },
        [](Place& place) { ++place.items.front().unit_price_minor; },
        [](Place& place) { place.items.push_back(place.items.front()); },
        [](Place& place) { std::swap(place.items.front(), place.items.back()); }};
    for (const auto& differ : differences) {
      Command other = first;
      differ(std::get<Place>(other.action));
      CHECK(key_reused(execute(other)).command == "place");
    }
    CHECK(key_reused(execute({first.action, std::nullopt})).command == "place");
    CHECK(key_reused(execute({first.action, parse_timestamp("2017-10-02T10:56:34Z")})).command == "place");
    CHECK(std::get<Done>(execute(first)).duplicate);
    CHECK(fixture.store().log().head() == Position{1});
  }
  TEST_CASE("execute: texts and amounts of the other commands are arguments too") {
    OrderStore fixture;
    const auto differ = [&](const Action& first, const Action& other) {
      static_cast<void>(fixture.execute("1", first, keyed(name(first))));
      CHECK(key_reused(fixture.execute("1", other, keyed(name(first)))).command == name(first));
      CHECK_FALSE(std::holds_alternative<KeyReused>(fixture.execute("1", first, keyed(name(first)))));
    };
    differ(place(), Place{});
    differ(Pay{5}, Pay{});
    differ(Ship{"dhl", "7"}, Ship{"dhl7", ""});
    differ(Deliver{}, Cancel{});
    differ(Cancel{"late"}, Cancel{});
    differ(Refund{"broken"}, Refund{"late"});
  }
  TEST_CASE("execute: how a command is to be carried out is no argument, and no time that is not given") {
    OrderStore fixture;
    const ExecuteOptions careful{.expected = ExpectedVersion::none(),
                                 .idempotency_key = "k",
                                 .projecting = Projecting::synchronous,
                                 .correlation = Correlation{"click", "7"}};
    fixture.done("1", place(), careful);
    fixture.clock().sleep_until(fixture.clock().now() + 1h);
    CHECK(fixture.done("1", place(), keyed("k")).duplicate);
  }
  TEST_CASE("execute: a retry of an order placed without an id gets the id of the first one") {
    OrderStore fixture;
    const auto first = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, keyed("k"));
    const auto again = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, keyed("k"));
    CHECK(std::get<Done>(again).order_id == std::get<Done>(first).order_id);
    CHECK(std::get<Done>(again).duplicate);
    CHECK(fixture.store().log().head() == Position{1});
  }
  TEST_CASE("execute: an id that is given is an argument, and one that is made up is none") {
    OrderStore fixture;
    const auto made_up = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, keyed("k"));
    const std::string id = std::get<Done>(made_up).order_id;
    CHECK(key_reused(fixture.execute(id, place(), keyed("k"))).stream.id == id);
    CHECK(key_reused(fixture.execute("1", place(), keyed("k"))).stream.id == id);
    fixture.done("1", place(), keyed("l"));
    const auto other = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, keyed("l"));
    CHECK(key_reused(other).stream.id == "1");
    Place more = place();
    more.freight_minor = 7;
    CHECK(key_reused(fixture.orders().execute(std::nullopt, {more, std::nullopt}, keyed("k"))).stream.id == id);
    CHECK(fixture.store().log().head() == Position{2});
  }
  TEST_CASE("execute: a retry of an order placed without an id gets its answer whatever version it expects") {
    OrderStore fixture;
    const auto first = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, keyed("k"));
    ExecuteOptions options = keyed("k");
    options.expected = ExpectedVersion::exactly(Version{1});
    const auto again = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, options);
    CHECK(std::get<Done>(again).order_id == std::get<Done>(first).order_id);
  }
  TEST_CASE("Orders: of retries at the same moment one is carried out, and all get its answer") {
    OrderStore fixture({}, Engine::threads);
    std::vector<std::string> ids_got(4);
    std::vector<std::thread> threads;
    for (std::string& id : ids_got) {
      threads.emplace_back([&fixture, &id] {
        const auto result = fixture.orders().execute(std::nullopt, {place(), std::nullopt}, keyed("k"));
        if (const auto* done = std::get_if<Done>(&result)) id = done->order_id;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(ids_got == std::vector<std::string>(4, ids_got.front()));
    CHECK(ids_got.front().size() == 13);
    CHECK(fixture.store().log().head() == Position{1});
  }
}
