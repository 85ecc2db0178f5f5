// Events and refusals as JSON.
#include "orders/codec.hpp"

#include <doctest/doctest.h>

#include <string>

#include "freshet/error.hpp"
#include "order_fixture.hpp"

using namespace freshet;
using namespace freshet::orders;

namespace {

RecordedEvent recorded(const std::string& type, const std::string& data) {
  return {.position = Position{17}, .version = Version{2}, .stream = {"order", "123"}, .type = type, .data = data};
}

// The fact after it was written and read.
std::string there_and_back(const Fact& fact) {
  const NewEvent event = OrderDecider::encode({fact, std::nullopt});
  return as_text(OrderDecider::decode(recorded(event.type, event.data)).fact);
}

// Why an event is refused; empty if it is not.
std::string damage(const std::string& type, const std::string& data) {
  try {
    static_cast<void>(OrderDecider::decode(recorded(type, data)));
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_SUITE("order_codec") {
  TEST_CASE("encode: an event is compact JSON, its fields in a fixed order") {
    CHECK(as_text(created()) == R"(OrderCreated {"customer":"c9","currency":"EUR","items":[{"sku":"book","quantity":2,)"
                                R"("unit_price_minor":4999}],"freight_minor":350,"amount_minor":10348})");
    CHECK(as_text(paid()) == R"(OrderPaid {"amount_minor":10348,"currency":"EUR"})");
    CHECK(as_text(OrderRefunded{1, "EUR", "broken"}) ==
          R"(OrderRefunded {"amount_minor":1,"currency":"EUR","reason":"broken"})");
  }
  TEST_CASE("encode: texts that were not said are left out") {
    CHECK(as_text(OrderShipped{}) == "OrderShipped {}");
    CHECK(as_text(OrderShipped{"", "42"}) == R"(OrderShipped {"tracking":"42"})");
    CHECK(as_text(OrderDelivered{}) == "OrderDelivered {}");
    CHECK(as_text(OrderCancelled{}) == "OrderCancelled {}");
  }
  TEST_CASE("encode: when it happened is beside the data, not in it") {
    const Timestamp at{Duration{1'500'000}};
    CHECK(OrderDecider::encode({OrderDelivered{}, at}).occurred_at == at);
    CHECK(OrderDecider::encode({OrderDelivered{}, std::nullopt}).occurred_at == std::nullopt);
  }

  TEST_CASE("decode: every fact reads back as it was written") {
    CHECK(there_and_back(created()) == as_text(created()));
    CHECK(there_and_back(paid()) == as_text(paid()));
    CHECK(there_and_back(OrderShipped{"DHL", "42"}) == as_text(OrderShipped{"DHL", "42"}));
    CHECK(there_and_back(OrderDelivered{}) == as_text(OrderDelivered{}));
    CHECK(there_and_back(OrderCancelled{"late"}) == as_text(OrderCancelled{"late"}));
    CHECK(there_and_back(OrderRefunded{1, "EUR", "late"}) == as_text(OrderRefunded{1, "EUR", "late"}));
  }
  TEST_CASE("decode: quotes, line ends and letters of any script read back as they were") {
    const OrderCancelled fact{"\"zu spät\"\n\\ \xF0\x9F\x98\x80 \x01"};
    CHECK(there_and_back(fact) == as_text(fact));
    CHECK(as_text(fact).find('\n') == std::string::npos);
  }
  TEST_CASE("decode: the largest amount reads back exactly") {
    CHECK(there_and_back(OrderPaid{amount_minor_max, "EUR"}) ==
          R"(OrderPaid {"amount_minor":9007199254740991,"currency":"EUR"})");
  }
  TEST_CASE("decode: the event happened when the log says") {
    auto event = recorded("OrderDelivered", "{}");
    event.occurred_at = Timestamp{Duration{1'500'000}};
    CHECK(OrderDecider::decode(event).at == event.occurred_at);
  }
  TEST_CASE("decode: fields that this release does not know are passed over") {
    CHECK(damage("OrderPaid", R"({"amount_minor":1,"currency":"EUR","tip":{"of":[1,{"sku":2}]},"card":null})") == "");
    CHECK(damage("OrderDelivered", R"({"customer":7,"items":"none"})") == "");
    CHECK(damage("OrderCreated", R"({"customer":"c","currency":"EUR","items":[{"sku":"a","quantity":1,)"
                                 R"("unit_price_minor":1,"colours":["red",{"sku":0}]}],"freight_minor":0,)"
                                 R"("amount_minor":1})") == "");
  }

  TEST_CASE("decode: damaged data is corrupt, and the sentence says where and what") {
    CHECK(damage("OrderPaid", R"({"amount_minor":1,"currency":"EU)") ==
          "event 'OrderPaid' at position 17 is damaged: no valid JSON: error at byte 33");
    CHECK(damage("OrderPaid", "[1]") == "event 'OrderPaid' at position 17 is damaged: not a JSON object");
    CHECK(damage("OrderPaid", "") == "event 'OrderPaid' at position 17 is damaged: no valid JSON: error at byte 1");
    CHECK(damage("OrderDelivered", "7") == "event 'OrderDelivered' at position 17 is damaged: not a JSON object");
  }
  TEST_CASE("decode: a missing field is corrupt") {
    CHECK(damage("OrderPaid", R"({"currency":"EUR"})") ==
          "event 'OrderPaid' at position 17 is damaged: amount_minor is missing");
    CHECK(damage("OrderCreated", R"({"customer":"c","currency":"EUR","freight_minor":0,"amount_minor":1})") ==
          "event 'OrderCreated' at position 17 is damaged: items is missing");
  }
  TEST_CASE("decode: a field of another type is corrupt") {
    CHECK(damage("OrderPaid", R"({"amount_minor":"1","currency":"EUR"})") ==
          "event 'OrderPaid' at position 17 is damaged: amount_minor is not an integer of 64 bits");
    CHECK(damage("OrderPaid", R"({"amount_minor":1.0,"currency":"EUR"})").ends_with("not an integer of 64 bits"));
    CHECK(damage("OrderPaid", R"({"amount_minor":18446744073709551615,"currency":"EUR"})")
              .ends_with("not an integer of 64 bits"));
    CHECK(damage("OrderCancelled", R"({"reason":5})").ends_with("reason is not a string"));
  }
  TEST_CASE("decode: an amount that could break a sum is corrupt") {
    CHECK(
        damage("OrderPaid", R"({"amount_minor":-1,"currency":"EUR"})").ends_with("amount_minor is no amount of money"));
    CHECK(damage("OrderPaid", R"({"amount_minor":9007199254740992,"currency":"EUR"})")
              .ends_with("amount_minor is no amount of money"));
  }
  TEST_CASE("decode: a type or a form that this release does not know is one of a newer release") {
    auto paid = recorded("OrderPaid", R"({"amount_minor":1,"currency":"EUR"})");
    paid.schema_version = 2;
    for (const RecordedEvent& newer : {recorded("InvoiceSent", "{}"), paid}) {
      try {
        static_cast<void>(OrderDecider::decode(newer));
        FAIL("no error was thrown");
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::unsupported_format);
        CHECK(std::string{error.what()}.ends_with("is none that this release knows of an order: use a newer release"));
      }
    }
  }

  TEST_CASE("is_order_event: whatever is in the streams of orders") {
    CHECK(is_order_event(recorded("OrderPaid", "{}")));
    CHECK(is_order_event(recorded("InvoiceSent", "{}")));
    auto elsewhere = recorded("OrderPaid", "{}");
    elsewhere.stream.category = "parcel";
    CHECK_FALSE(is_order_event(elsewhere));
  }

  TEST_CASE("read_items: items read back as they were written") {
    const std::vector<Item> items{{"book", 2, 4'999}, {"\"x\"", 1, 0}};
    CHECK(read_items(write_items(items)) == items);
    CHECK(read_items("[]").empty());
  }
  TEST_CASE("read_items: anything else is corrupt") {
    CHECK_THROWS_AS(static_cast<void>(read_items("")), Error);
    CHECK_THROWS_AS(static_cast<void>(read_items("{}")), Error);
    CHECK_THROWS_WITH(static_cast<void>(read_items(R"([{"sku":"a","quantity":1,"unit_price_minor":1},{"sku":"b"}])")),
                      "the items of an order are damaged: the quantity of item 2 is missing or not an integer");
  }

  TEST_CASE("encode_rejection: a refusal reads back as it was written") {
    const Rejection refusal{Rejection::Code::not_found, "ship", "there is no such order"};
    const auto again = OrderDecider::decode_rejection(OrderDecider::encode_rejection(refusal));
    CHECK(again.code == refusal.code);
    CHECK(again.command == refusal.command);
    CHECK(again.message == refusal.message);
    const Rejection other{Rejection::Code::not_allowed, "pay", "no"};
    CHECK(OrderDecider::decode_rejection(OrderDecider::encode_rejection(other)).code == other.code);
  }
  TEST_CASE("decode_rejection: anything else is corrupt") {
    CHECK_THROWS_AS(static_cast<void>(OrderDecider::decode_rejection("")), Error);
    CHECK_THROWS_WITH(static_cast<void>(OrderDecider::decode_rejection(R"({"code":"not_found","message":"m"})")),
                      "a recorded refusal is damaged: command is missing");
  }
}
