// One line of an import: what is accepted, what is not and why, and its key.
#include <doctest/doctest.h>

#include <string>

#include "base/time_text.hpp"
#include "order_fixture.hpp"
#include "orders/import.hpp"

using namespace freshet;
using namespace freshet::orders;

namespace {

// JSON in tests is easier on the eyes with ' for ".
std::string json(std::string text) {
  for (char& character : text) {
    if (character == '\'') character = '"';
  }
  return text;
}

ImportLine good(const std::string& text) {
  auto parsed = parse_import_line(json(text));
  REQUIRE_MESSAGE(std::holds_alternative<ImportLine>(parsed), std::get<std::string>(parsed));
  return std::get<ImportLine>(parsed);
}

// What is wrong with a line; empty if nothing is.
std::string bad(const std::string& text) {
  const auto parsed = parse_import_line(json(text));
  const auto* why = std::get_if<std::string>(&parsed);
  return why == nullptr ? "" : *why;
}

// A line to place an order, with its items, or with other fields from the items on.
std::string placing(const std::string& items) {
  return "{'at':'2017-10-02','command':'place','order':'123','customer':'c9','currency':'BRL','items':" + items + "}";
}

std::string paying(const std::string& amount) {
  return "{'at':'2017-10-02','command':'pay','order':'123','amount_minor':" + amount + "}";
}

constexpr const char* book = "[{'sku':'book','quantity':1,'unit_price_minor':4999}]";

}  // namespace

TEST_SUITE("import_line") {
  TEST_CASE("parse_import_line: an order is placed") {
    const auto line = good(
        "{'at':'2017-10-02T10:56:33Z','command':'place','order':'123','customer':'c9','region':'SP','currency':'BRL',"
        "'items':[{'sku':'book','quantity':1,'unit_price_minor':4999}],'freight_minor':350,'amount_minor':5349}");
    CHECK(line.order_id == "123");
    CHECK(line.command.at == parse_timestamp("2017-10-02T10:56:33Z"));
    const auto& place = std::get<Place>(line.command.action);
    CHECK(place.customer == "c9");
    CHECK(place.currency == "BRL");
    CHECK(place.items == std::vector<Item>{{"book", 1, 4'999}});
    CHECK(place.freight_minor == 350);
  }
  TEST_CASE("parse_import_line: freight and the amount may be left out") {
    CHECK(std::get<Place>(good(placing(book)).command.action).freight_minor == 0);
  }
  TEST_CASE("parse_import_line: the other commands, with what they may carry") {
    CHECK(std::get<Pay>(good(paying("7")).command.action).amount_minor == 7);
    CHECK(std::get<Pay>(good("{'at':'2017-10-02','command':'pay','order':'1'}").command.action).amount_minor ==
          std::nullopt);
    CHECK(std::get<Ship>(
              good("{'at':'2017-10-02','command':'ship','order':'1','carrier':'DHL','tracking':'42'}").command.action)
              .tracking == "42");
    CHECK(name(good("{'at':'2017-10-02','command':'deliver','order':'1'}").command.action) == std::string{"deliver"});
    CHECK(std::get<Cancel>(good("{'at':'2017-10-02','command':'cancel','order':'1','reason':'r'}").command.action)
              .reason == "r");
    CHECK(std::get<Refund>(good("{'at':'2017-10-02','command':'refund','order':'1'}").command.action).reason == "");
  }
  TEST_CASE("parse_import_line: fields that a command does not have are ignored, whatever they hold") {
    CHECK(bad("{'at':'2017-10-02','command':'deliver','order':'1','items':7,'customer':[1,{'a':null}],'x':1e99}") ==
          "");
    CHECK(bad("{'at':'2017-10-02','command':'pay','order':'1','payments':[{'type':'card','amount_minor':'?'}]}") == "");
  }
  TEST_CASE("parse_import_line: white space around the object does no harm") {
    CHECK(bad(" \t" + placing(book) + " \r") == "");
  }

  TEST_CASE("parse_import_line: a line is one JSON object") {
    CHECK(bad("{'at':'2017-10-02',") == "no valid JSON: error at byte 20");
    CHECK(bad("place 123") == "no valid JSON: error at byte 1");
    CHECK(bad("{} {}") == "no valid JSON: error at byte 4");
    CHECK(bad("{'order':'\xff'}") == "no valid JSON: error at byte 11");
    CHECK(bad("[]") == "not a JSON object");
    CHECK(bad("null") == "not a JSON object");
    CHECK(bad("'text'") == "not a JSON object");
  }
  TEST_CASE("parse_import_line: every line says when, what and which order") {
    CHECK(bad("{}") == "at is missing");
    CHECK(bad("{'at':'2017-10-02'}") == "command is missing");
    CHECK(bad("{'at':'2017-10-02','command':'pay'}") == "order is missing");
    CHECK(bad("{'at':'2017-10-02','command':'pay','order':123}") == "order is not a string");
    CHECK(bad("{'at':'2017-10-02','command':'pay','order':''}") == "the order id is empty");
    CHECK(bad("{'at':1506941793,'command':'pay','order':'1'}") == "at is not a string");
    CHECK(bad("{'at':'yesterday','command':'pay','order':'1'}") == "at is no time such as 2017-10-02T10:56:33Z");
    CHECK(bad("{'at':'2017-02-30','command':'pay','order':'1'}") == "at is no time such as 2017-10-02T10:56:33Z");
    CHECK(bad("{'at':'2017-10-02','command':'Pay','order':'1'}") ==
          "command is none of place, pay, ship, deliver, cancel and refund");
  }
  TEST_CASE("parse_import_line: an order needs a customer, a currency and items") {
    CHECK(bad("{'at':'2017-10-02','command':'place','order':'1'}") == "customer is missing");
    CHECK(bad("{'at':'2017-10-02','command':'place','order':'1','customer':'c'}") == "currency is missing");
    CHECK(bad("{'at':'2017-10-02','command':'place','order':'1','customer':'c','currency':'BRL'}") ==
          "items is missing");
    CHECK(bad("{'at':'2017-10-02','command':'place','order':'1','customer':'c','currency':'R$','items':" +
              std::string{book} + "}") == "the currency is not three capital letters such as EUR");
  }
  TEST_CASE("parse_import_line: items are an array of objects") {
    CHECK(bad(placing("[]")) == "an order needs at least one item");
    CHECK(bad(placing("{}")) == "items is not an array");
    CHECK(bad(placing("'book'")) == "items is not an array");
    CHECK(bad(placing("['book']")) == "item 1 is not an object");
    CHECK(bad(placing("[[{'sku':'book','quantity':1,'unit_price_minor':1}]]")) == "item 1 is not an object");
    CHECK(bad(placing("[{}]")) == "the sku of item 1 is missing or not a string");
    CHECK(bad(placing("[{'sku':'a','quantity':1,'unit_price_minor':1},{'sku':7}]")) ==
          "the sku of item 2 is missing or not a string");
    CHECK(bad(placing("[{'sku':'a','quantity':1.0,'unit_price_minor':1}]")) ==
          "the quantity of item 1 is missing or not an integer");
    CHECK(bad(placing("[{'sku':'a','quantity':1,'unit_price_minor':'1'}]")) ==
          "the unit_price_minor of item 1 is missing or not an integer");
    CHECK(bad(placing("[{'sku':'a','quantity':0,'unit_price_minor':1}]")) ==
          "the quantity of item 1 is 0, and must be from 1 to 1000000000");
    CHECK(bad(placing("[{'sku':'','quantity':1,'unit_price_minor':1}]")) == "the SKU of item 1 is empty");
  }
  TEST_CASE("parse_import_line: an amount is right, or the line is invalid") {
    const std::string items = book;
    CHECK(bad(placing(items + ",'freight_minor':1,'amount_minor':5000")) == "");
    CHECK(bad(placing(items + ",'freight_minor':1,'amount_minor':4999")) ==
          "amount_minor is not what items and freight come to");
    CHECK(bad(placing(items + ",'amount_minor':4999.0")) == "amount_minor is not an integer of 64 bits");
    CHECK(bad(placing(items + ",'freight_minor':-1,'amount_minor':4998")) ==
          "the freight is -1, and must be from 0 to 9007199254740991");
    CHECK(bad(placing(items + ",'freight_minor':9007199254740991")) == "the order's amount is above 9007199254740991");
  }
  TEST_CASE("parse_import_line: a payment is an integer in range") {
    CHECK(bad(paying("'7'")) == "amount_minor is not an integer of 64 bits");
    CHECK(bad(paying("7.5")) == "amount_minor is not an integer of 64 bits");
    CHECK(bad(paying("null")) == "amount_minor is not an integer of 64 bits");
    CHECK(bad(paying("99999999999999999999")) == "amount_minor is not an integer of 64 bits");
    CHECK(bad(paying("-1")) == "the amount is -1, and must be from 0 to 9007199254740991");
    CHECK(bad(paying("9007199254740992")) == "the amount is 9007199254740992, and must be from 0 to 9007199254740991");
  }
  TEST_CASE("parse_import_line: a deep or repetitive line takes no more than its length") {
    const std::string deep(100'000, '[');
    CHECK(bad(deep) == "not a JSON object");
    CHECK(bad(paying(deep)).starts_with("no valid JSON"));
  }
  TEST_CASE("parse_import_line: of two fields with one name the last counts") {
    CHECK(std::get<Pay>(good(paying("1,'amount_minor':2")).command.action).amount_minor == 2);
  }

  TEST_CASE("import_key: the order of fields, spaces and ignored fields make no difference") {
    const auto key = import_key(good("{'at':'2017-10-02T00:00:00Z','command':'pay','order':'1','amount_minor':5}"));
    CHECK(key.starts_with("import:"));
    CHECK(key.size() == 39);
    CHECK(key.find_first_not_of("0123456789abcdef", 7) == std::string::npos);
    CHECK(import_key(good("{ 'amount_minor':5, 'x':1, 'order':'1', 'command':'pay', 'at':'2017-10-02' }")) == key);
  }
  TEST_CASE("import_key: whatever a line says makes a difference") {
    const auto key = import_key(good(paying("5")));
    CHECK(import_key(good(paying("6"))) != key);
    CHECK(import_key(good("{'at':'2017-10-02','command':'pay','order':'123'}")) != key);
    CHECK(import_key(good("{'at':'2017-10-02','command':'pay','order':'124','amount_minor':5}")) != key);
    CHECK(import_key(good("{'at':'2017-10-03','command':'pay','order':'123','amount_minor':5}")) != key);
    CHECK(import_key(good("{'at':'2017-10-02','command':'ship','order':'123'}")) !=
          import_key(good("{'at':'2017-10-02','command':'deliver','order':'123'}")));
    CHECK(import_key(good("{'at':'2017-10-02','command':'ship','order':'1','carrier':'a'}")) !=
          import_key(good("{'at':'2017-10-02','command':'ship','order':'1','tracking':'a'}")));
  }
  TEST_CASE("import_key: the same line has the same key in every release") {
    CHECK(import_key(good(paying("5"))) == "import:48e4b879062138753ef0bd7514b0327d");
  }
}
