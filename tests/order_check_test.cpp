// The bounds of what a command may say.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>

#include "order_fixture.hpp"

using namespace freshet;
using namespace freshet::orders;

namespace {

Place placing(Item item) {
  return {"c9", "EUR", {std::move(item)}, 0};
}

}  // namespace

TEST_SUITE("order_check") {
  TEST_CASE("check: a command within the bounds has no problem") {
    CHECK(check(place()) == std::nullopt);
    CHECK(check(Pay{amount_minor_max}) == std::nullopt);
    CHECK(check(Ship{}) == std::nullopt);
    CHECK(check(Cancel{"two\nlines"}) == std::nullopt);
  }
  TEST_CASE("check: a customer has a name") {
    Place command = place();
    command.customer = "";
    CHECK(check(command) == "the customer is empty");
    command.customer = std::string(id_bytes_max + 1, 'x');
    CHECK(check(command) == "the customer is longer than 200 bytes");
    command.customer = "\xff";
    CHECK(check(command) == "the customer is not valid UTF-8");
    command.customer = "two\nlines";
    CHECK(check(command) == "the customer has a control character in it");
  }
  TEST_CASE("check: a currency is three capital letters") {
    Place command = place();
    command.currency = "eur";
    CHECK(check(command) == "the currency is not three capital letters such as EUR");
    command.currency = "EURO";
    CHECK(check(command) == "the currency is not three capital letters such as EUR");
  }
  TEST_CASE("check: an order has items, but not without end") {
    Place command = place();
    command.items.clear();
    CHECK(check(command) == "an order needs at least one item");
    command.items.assign(items_max, {"book", 1, 1});
    CHECK(check(command) == std::nullopt);
    command.items.assign(items_max + 1, {"book", 1, 1});
    CHECK(check(command) == "an order has at most 10000 items");
  }
  TEST_CASE("check: an item has a SKU, a quantity and a price") {
    CHECK(check(placing({"", 1, 1})) == "the SKU of item 1 is empty");
    CHECK(check(placing({"book", 0, 1})) == "the quantity of item 1 is 0, and must be from 1 to 1000000000");
    CHECK(check(placing({"book", quantity_max, 0})) == std::nullopt);
    CHECK(check(placing({"book", quantity_max + 1, 0})).has_value());
    CHECK(check(placing({"book", 1, -1})) == "the price of item 1 is -1, and must be from 0 to 9007199254740991");
  }
  TEST_CASE("check: freight and the amount are bounded") {
    Place command = place();
    command.freight_minor = -1;
    CHECK(check(command) == "the freight is -1, and must be from 0 to 9007199254740991");
    command.freight_minor = amount_minor_max;
    CHECK(check(command) == "the order's amount is above 9007199254740991");
  }
  TEST_CASE("check: a payment is bounded") {
    CHECK(check(Pay{-1}) == "the amount is -1, and must be from 0 to 9007199254740991");
    CHECK(check(Pay{amount_minor_max + 1}).has_value());
  }
  TEST_CASE("check: texts that may be left out are bounded where they are given") {
    CHECK(check(Ship{std::string(id_bytes_max + 1, 'x'), ""}) == "the carrier is longer than 200 bytes");
    CHECK(check(Ship{"", "4\t2"}) == "the tracking number has a control character in it");
    CHECK(check(Cancel{std::string(text_bytes_max + 1, 'x')}) == "the reason is longer than 4000 bytes");
    CHECK(check(Refund{"\xc0\x80"}) == "the reason is not valid UTF-8");
  }
  TEST_CASE("check_order_id: 1 to 200 bytes of UTF-8 on one line") {
    CHECK(check_order_id("123") == std::nullopt);
    CHECK(check_order_id("Bücher/2017") == std::nullopt);
    CHECK(check_order_id(std::string(id_bytes_max, 'x')) == std::nullopt);
    CHECK(check_order_id("") == "the order id is empty");
    CHECK(check_order_id(std::string(id_bytes_max + 1, 'x')) == "the order id is longer than 200 bytes");
    CHECK(check_order_id("\xed\xa0\x80") == "the order id is not valid UTF-8");
    CHECK(check_order_id(std::string_view{"1\0", 2}) == "the order id has a control character in it");
  }
}
