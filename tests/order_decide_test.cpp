// The rules of an order, command by command.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/time_text.hpp"
#include "order_fixture.hpp"

using namespace freshet;
using namespace freshet::orders;

TEST_SUITE("order_decide") {
  TEST_CASE("place: an order is created with the amount of its items and freight") {
    given({}).when(place()).then(created());
  }
  TEST_CASE("place: an order that exists is not placed again") {
    given({created()})
        .when(place())
        .then_refused("cannot place: the order is created, and an order can be placed only once");
  }
  TEST_CASE("place: an order that was cancelled is not placed again") {
    given({created(), OrderCancelled{}})
        .when(place())
        .then_refused("cannot place: the order is cancelled, and an order can be placed only once");
  }
  TEST_CASE("place: items may be free, and the whole order too") {
    given({}).when(Place{"c9", "EUR", {{"gift", 1, 0}}, 0}).then(OrderCreated{"c9", "EUR", {{"gift", 1, 0}}, 0, 0});
  }
  TEST_CASE("place: the amount may be as large as an amount can be") {
    given({})
        .when(Place{"c9", "EUR", {{"star", 1, amount_minor_max - 1}}, 1})
        .then(OrderCreated{"c9", "EUR", {{"star", 1, amount_minor_max - 1}}, 1, amount_minor_max});
  }

  TEST_CASE("pay: a created order is paid in full") {
    given({created()}).when(Pay{}).then(OrderPaid{10'348, "EUR"});
  }
  TEST_CASE("pay: another amount may be paid than the order's, and nothing too") {
    given({created()}).when(Pay{0}).then(OrderPaid{0, "EUR"});
  }
  TEST_CASE("pay: an order is not paid twice") {
    given({created(), paid()})
        .when(Pay{})
        .then_refused("cannot pay: the order is paid, and only a created order can be paid");
  }
  TEST_CASE("pay: a cancelled order is not paid") {
    given({created(), OrderCancelled{}})
        .when(Pay{})
        .then_refused("cannot pay: the order is cancelled, and only a created order can be paid");
  }
  TEST_CASE("pay: an order that does not exist is not found") {
    given({}).when(Pay{}).then_not_found();
  }

  TEST_CASE("ship: a paid order is shipped, with what is known of the parcel") {
    given({created(), paid()}).when(Ship{"DHL", "42"}).then(OrderShipped{"DHL", "42"});
  }
  TEST_CASE("ship: an order is not shipped before it is paid") {
    given({created()})
        .when(Ship{})
        .then_refused("cannot ship: the order is created, and only a paid order can be shipped");
  }
  TEST_CASE("ship: an order is not shipped twice") {
    given({created(), paid(), OrderShipped{}})
        .when(Ship{})
        .then_refused("cannot ship: the order is shipped, and only a paid order can be shipped");
  }
  TEST_CASE("ship: an order that does not exist is not found") {
    given({}).when(Ship{}).then_not_found();
  }

  TEST_CASE("deliver: a shipped order is delivered") {
    given({created(), paid(), OrderShipped{}}).when(Deliver{}).then(OrderDelivered{});
  }
  TEST_CASE("deliver: an order is not delivered before it is shipped") {
    given({created(), paid()})
        .when(Deliver{})
        .then_refused("cannot deliver: the order is paid, and only a shipped order can be delivered");
  }
  TEST_CASE("deliver: an order is not delivered twice") {
    given({created(), paid(), OrderShipped{}, OrderDelivered{}})
        .when(Deliver{})
        .then_refused("cannot deliver: the order is delivered, and only a shipped order can be delivered");
  }
  TEST_CASE("deliver: an order that does not exist is not found") {
    given({}).when(Deliver{}).then_not_found();
  }

  TEST_CASE("cancel: a created order is cancelled, with the reason") {
    given({created()}).when(Cancel{"changed my mind"}).then(OrderCancelled{"changed my mind"});
  }
  TEST_CASE("cancel: a paid order is cancelled") {
    given({created(), paid()}).when(Cancel{}).then(OrderCancelled{});
  }
  TEST_CASE("cancel: what is on its way is not cancelled any more") {
    given({created(), paid(), OrderShipped{}})
        .when(Cancel{})
        .then_refused("cannot cancel: the order is shipped, and only a created or paid order can be cancelled");
  }
  TEST_CASE("cancel: an order is not cancelled twice") {
    given({created(), OrderCancelled{}})
        .when(Cancel{})
        .then_refused("cannot cancel: the order is cancelled, and only a created or paid order can be cancelled");
  }
  TEST_CASE("cancel: an order that does not exist is not found") {
    given({}).when(Cancel{}).then_not_found();
  }

  TEST_CASE("refund: the amount that was paid is given back, not the order's") {
    given({created(), OrderPaid{9'000, "EUR"}}).when(Refund{"broken"}).then(OrderRefunded{9'000, "EUR", "broken"});
  }
  TEST_CASE("refund: a shipped order is refunded") {
    given({created(), paid(), OrderShipped{}}).when(Refund{}).then(OrderRefunded{placed_minor, "EUR", ""});
  }
  TEST_CASE("refund: a delivered order is refunded") {
    given({created(), paid(), OrderShipped{}, OrderDelivered{}})
        .when(Refund{})
        .then(OrderRefunded{placed_minor, "EUR", ""});
  }
  TEST_CASE("refund: an order that was cancelled after it was paid is refunded") {
    given({created(), paid(), OrderCancelled{}}).when(Refund{}).then(OrderRefunded{placed_minor, "EUR", ""});
  }
  TEST_CASE("refund: an order that was cancelled before it was paid is not refunded") {
    given({created(), OrderCancelled{}})
        .when(Refund{})
        .then_refused(
            "cannot refund: the order is cancelled, and only an order that was paid can be refunded, and only once");
  }
  TEST_CASE("refund: an order that was not paid is not refunded") {
    given({created()})
        .when(Refund{})
        .then_refused(
            "cannot refund: the order is created, and only an order that was paid can be refunded, and only once");
  }
  TEST_CASE("refund: an order is not refunded twice") {
    given({created(), paid(), OrderRefunded{placed_minor, "EUR", ""}})
        .when(Refund{})
        .then_refused(
            "cannot refund: the order is refunded, and only an order that was paid can be refunded, and only once");
  }
  TEST_CASE("refund: an order that does not exist is not found") {
    given({}).when(Refund{}).then_not_found();
  }
  TEST_CASE("refund: nothing more happens to a refunded order") {
    given({created(), paid(), OrderRefunded{placed_minor, "EUR", ""}})
        .when(Ship{})
        .then_refused("cannot ship: the order is refunded, and only a paid order can be shipped");
  }

  TEST_CASE("decide: the event happened when the command says") {
    const auto at = parse_timestamp("2017-10-02T10:56:33Z");
    const auto decision = OrderDecider::decide({place(), at}, Order{});
    CHECK(std::get<std::vector<Event>>(decision).front().at == at);
  }

  TEST_CASE("evolve: an order remembers when it was placed and when it last changed") {
    const auto placed_at = parse_timestamp("2017-10-02");
    const auto paid_at = parse_timestamp("2017-10-03");
    Order order;
    OrderDecider::evolve(order, {created(), placed_at});
    OrderDecider::evolve(order, {paid(), paid_at});
    CHECK(order.placed_at == placed_at);
    CHECK(order.updated_at == paid_at);
    CHECK(order.status == Status::paid);
    CHECK(order.paid_minor == placed_minor);
  }

  TEST_CASE("total_minor: nothing if the sum is above the largest amount") {
    CHECK(total_minor({{"star", 1, amount_minor_max}}, 0) == amount_minor_max);
    CHECK_FALSE(total_minor({{"star", 1, amount_minor_max}}, 1));
    CHECK_FALSE(total_minor({{"star", quantity_max, amount_minor_max}}, 0));
    CHECK_FALSE(total_minor(std::vector<Item>(2'000, {"star", 1, amount_minor_max}), 0));
  }

  TEST_CASE("parse_status: each status by its name, and nothing else") {
    CHECK(parse_status("refunded") == Status::refunded);
    CHECK(parse_status(name(Status::created)) == Status::created);
    CHECK_FALSE(parse_status("none"));
    CHECK_FALSE(parse_status("Paid"));
  }
}
