// Money and items as a person types them.
#include "orders/money.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace freshet::orders;

TEST_SUITE("money") {
  TEST_CASE("minor_digits: two, where ISO 4217 says nothing else") {
    CHECK(minor_digits("EUR") == 2);
    CHECK(minor_digits("BRL") == 2);
    CHECK(minor_digits("JPY") == 0);
    CHECK(minor_digits("KWD") == 3);
    CHECK(minor_digits("CLF") == 4);
  }
  TEST_CASE("parse_money: major units with up to the currency's decimals") {
    CHECK(parse_money("49.99", "EUR") == 4'999);
    CHECK(parse_money("49.9", "EUR") == 4'990);
    CHECK(parse_money("49", "EUR") == 4'900);
    CHECK(parse_money("0", "EUR") == 0);
    CHECK(parse_money("0.01", "EUR") == 1);
    CHECK(parse_money("007.50", "EUR") == 750);
  }
  TEST_CASE("parse_money: the currency says how many decimals there are") {
    CHECK(parse_money("500", "JPY") == 500);
    CHECK_FALSE(parse_money("500.0", "JPY"));
    CHECK(parse_money("1.234", "KWD") == 1'234);
    CHECK(parse_money("1.5", "CLF") == 15'000);
    CHECK_FALSE(parse_money("49.999", "EUR"));
  }
  TEST_CASE("parse_money: signs, spaces and other writings are refused") {
    CHECK_FALSE(parse_money("", "EUR"));
    CHECK_FALSE(parse_money("-1", "EUR"));
    CHECK_FALSE(parse_money("+1", "EUR"));
    CHECK_FALSE(parse_money(" 1", "EUR"));
    CHECK_FALSE(parse_money("1.", "EUR"));
    CHECK_FALSE(parse_money("5.", "JPY"));
    CHECK_FALSE(parse_money(".5", "EUR"));
    CHECK_FALSE(parse_money(".", "EUR"));
    CHECK_FALSE(parse_money("1,50", "EUR"));
    CHECK_FALSE(parse_money("1.2.3", "EUR"));
    CHECK_FALSE(parse_money("1.-5", "EUR"));
    CHECK_FALSE(parse_money("1e3", "EUR"));
    CHECK_FALSE(parse_money("nan", "EUR"));
  }
  TEST_CASE("parse_money: up to the largest amount, however many digits are typed") {
    CHECK(parse_money("90071992547409.91", "EUR") == amount_minor_max);
    CHECK_FALSE(parse_money("90071992547409.92", "EUR"));
    CHECK_FALSE(parse_money("99999999999999999999999999999999", "EUR"));
    CHECK(parse_money("9007199254740991", "JPY") == amount_minor_max);
  }
  TEST_CASE("format_money: as many decimals as the currency has") {
    CHECK(format_money(4'999, "EUR") == "49.99");
    CHECK(format_money(5, "EUR") == "0.05");
    CHECK(format_money(0, "EUR") == "0.00");
    CHECK(format_money(100, "EUR") == "1.00");
    CHECK(format_money(500, "JPY") == "500");
    CHECK(format_money(1, "CLF") == "0.0001");
  }
  TEST_CASE("format_money: below zero with a minus") {
    CHECK(format_money(-5, "EUR") == "-0.05");
    CHECK(format_money(-4'999, "EUR") == "-49.99");
    CHECK(format_money(-7, "JPY") == "-7");
    CHECK(format_money(std::numeric_limits<std::int64_t>::min(), "EUR") == "-92233720368547758.08");
  }
  TEST_CASE("parse_item: a SKU, a quantity and a price in major units") {
    CHECK(parse_item("book:2:49.99", "EUR") == Item{"book", 2, 4'999});
    CHECK(parse_item("book:2:500", "JPY") == Item{"book", 2, 500});
  }
  TEST_CASE("parse_item: a SKU may hold colons") {
    CHECK(parse_item("urn:isbn:0451:1:9.99", "EUR") == Item{"urn:isbn:0451", 1, 999});
    CHECK(parse_item("::1:9.99", "EUR") == Item{":", 1, 999});
  }
  TEST_CASE("parse_item: what the parts may be is left to check()") {
    CHECK(parse_item(":0:1", "EUR") == Item{"", 0, 100});
  }
  TEST_CASE("parse_item: three parts, the last two of them numbers") {
    CHECK_FALSE(parse_item("", "EUR"));
    CHECK_FALSE(parse_item("book", "EUR"));
    CHECK_FALSE(parse_item("book:2", "EUR"));
    CHECK_FALSE(parse_item("2:49.99", "EUR"));
    CHECK_FALSE(parse_item(":", "EUR"));
    CHECK_FALSE(parse_item("book:-1:49.99", "EUR"));
    CHECK_FALSE(parse_item("book:1.5:49.99", "EUR"));
    CHECK_FALSE(parse_item("book::49.99", "EUR"));
    CHECK_FALSE(parse_item("book:1:", "EUR"));
    CHECK_FALSE(parse_item("book:1:x", "EUR"));
  }
}
