// Imports into a real store: what is counted, what is reported, and that a repetition changes nothing.
#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "freshet/error.hpp"
#include "order_store.hpp"
#include "orders/import.hpp"

using namespace freshet;
using namespace freshet::orders;

namespace {

using Lines = std::vector<std::string>;

std::string line(const std::string& command, const std::string& order, const std::string& more = "") {
  return R"({"at":"2017-10-02T10:56:33Z","command":")" + command + R"(","order":")" + order + "\"" + more + "}";
}

std::string placing(const std::string& order) {
  return line("place", order,
              R"(,"customer":"c9","currency":"BRL","items":[{"sku":"book","quantity":1,"unit_price_minor":4999}])");
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& each : lines) text += each + "\n";
  return text;
}

// An order that is placed, paid and shipped too early: two lines to apply and two to refuse.
std::string small_file() {
  return joined({placing("1"), line("ship", "1"), line("pay", "1"), line("pay", "2")});
}

struct Imported {
  ImportResult result;
  Lines problems;
};

Imported import_lines(OrderStore& fixture, std::istream& lines, ImportOptions options = {}) {
  Imported imported;
  options.on_problem = [&](std::int64_t number, std::string_view verdict, const std::string& why) {
    imported.problems.push_back(std::to_string(number) + " " + std::string{verdict} + ": " + why);
  };
  imported.result = fixture.orders().import(lines, options);
  return imported;
}

Imported import_text(OrderStore& fixture, const std::string& text, ImportOptions options = {}) {
  std::istringstream lines(text);
  return import_lines(fixture, lines, std::move(options));
}

// A first line, and then one without an end.
class EndlessLine final : public std::streambuf {
 public:
  explicit EndlessLine(std::string first) : first_(std::move(first)), more_(std::size_t{1} << 16U, 'x') {}

 private:
  int_type underflow() override {
    std::string& text = std::exchange(is_first_, false) ? first_ : more_;
    setg(text.data(), text.data(), text.data() + text.size());
    return traits_type::to_int_type(text.front());
  }

  std::string first_;
  std::string more_;
  bool is_first_ = true;
};

// The counts of a result on one line: lines, applied, duplicates, rejected, invalid.
std::string counts(const ImportResult& result) {
  std::string text = std::to_string(result.lines);
  for (const auto count : {result.applied, result.duplicates, result.rejected, result.invalid}) {
    text += " " + std::to_string(count);
  }
  return text;
}

std::string many_orders(int count) {
  std::string text;
  for (int order = 0; order < count; ++order) text += placing(std::to_string(order)) + "\n";
  return text;
}

}  // namespace

TEST_SUITE("order_import") {
  TEST_CASE("import: commands are applied in their order, and the events happened when the lines say") {
    OrderStore fixture;
    const auto imported = import_text(fixture, joined({placing("1"), line("pay", "1", R"(,"amount_minor":5000)")}));
    CHECK(counts(imported.result) == "2 2 0 0 0");
    const auto answer = fixture.orders().replay("1");
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->order.status == Status::paid);
    CHECK(answer.value->order.paid_minor == 5'000);
    CHECK(answer.value->order.updated_at == parse_timestamp("2017-10-02T10:56:33Z"));
  }
  TEST_CASE("import: what the rules refuse is reported with its line, and passed over") {
    OrderStore fixture;
    const auto imported = import_text(fixture, small_file());
    CHECK(counts(imported.result) == "4 2 0 2 0");
    CHECK_FALSE(imported.result.stopped);
    CHECK(imported.problems ==
          Lines{"2 rejected: order '1': cannot ship: the order is created, and only a paid order can be shipped",
                "4 rejected: order '2': there is no such order"});
  }
  TEST_CASE("import: what is no valid line is reported with its number, and passed over") {
    OrderStore fixture;
    const auto imported = import_text(fixture, joined({placing("1"), "{", line("pay", "1"), line("eat", "1")}));
    CHECK(counts(imported.result) == "4 2 0 0 2");
    CHECK(imported.problems == Lines{"2 invalid: no valid JSON: error at byte 2",
                                     "4 invalid: command is none of place, pay, ship, deliver, cancel and refund"});
  }
  TEST_CASE("import: blank lines are not counted as lines, but have a number") {
    OrderStore fixture;
    const auto imported = import_text(fixture, "\n \t\r\n" + placing("1") + "\n\n{\n");
    CHECK(counts(imported.result) == "2 1 0 0 1");
    CHECK(imported.problems == Lines{"5 invalid: no valid JSON: error at byte 2"});
  }
  TEST_CASE("import: a byte order mark, CR LF and a last line without an end do no harm") {
    OrderStore fixture;
    const auto imported = import_text(fixture, "\xEF\xBB\xBF" + placing("1") + "\r\n" + line("pay", "1"));
    CHECK(counts(imported.result) == "2 2 0 0 0");
  }
  TEST_CASE("import: an empty input has no lines") {
    OrderStore fixture;
    CHECK(counts(import_text(fixture, "").result) == "0 0 0 0 0");
    CHECK(counts(import_text(fixture, "\n\n").result) == "0 0 0 0 0");
  }
  TEST_CASE("import: a line that is too long is invalid, and the next one is read as usual") {
    OrderStore fixture;
    const std::string most(import_line_bytes_max, 'x');
    const auto imported = import_text(fixture, most + "\n" + most + "x\n" + placing("2") + "\n" + most + "x");
    CHECK(counts(imported.result) == "4 1 0 0 3");
    CHECK(imported.problems == Lines{"1 invalid: no valid JSON: error at byte 1",
                                     "2 invalid: longer than 8388608 bytes", "4 invalid: longer than 8388608 bytes"});
  }

  TEST_CASE("import: a line without an end ends it, and what came before stays") {
    OrderStore fixture;
    EndlessLine buffer{placing("1") + "\n"};
    std::istream lines(&buffer);
    const auto imported = import_lines(fixture, lines);
    CHECK(counts(imported.result) == "2 1 0 0 1");
    CHECK(imported.result.stopped);
    CHECK(imported.problems ==
          Lines{"2 invalid: longer than 8388608 bytes", "2 invalid: no end within 268435456 bytes"});
    CHECK(fixture.store().log().head() == Position{1});
  }

  TEST_CASE("import: a repetition records nothing, and counts what the first run refused") {
    OrderStore fixture;
    const auto first = import_text(fixture, small_file());
    const auto again = import_text(fixture, small_file());
    CHECK(counts(again.result) == "4 0 2 2 0");
    REQUIRE(again.problems.size() == 2);
    CHECK(again.problems[0] == first.problems[0] + " (as answered before)");
    CHECK(again.problems[1] == first.problems[1]);
    CHECK(fixture.store().log().head() == Position{2});
  }
  TEST_CASE("import: a line that was refused for want of an invalid one is applied with the mended file") {
    OrderStore fixture;
    CHECK(counts(import_text(fixture, joined({"{", line("pay", "1"), line("ship", "1")})).result) == "3 0 0 2 1");
    const std::string mended = joined({placing("1"), line("pay", "1"), line("ship", "1")});
    CHECK(counts(import_text(fixture, mended).result) == "3 3 0 0 0");
    CHECK(counts(import_text(fixture, mended).result) == "3 0 3 0 0");
  }
  TEST_CASE("import: a line that was refused for want of an invalid one is applied when that has come by itself") {
    OrderStore fixture;
    const std::string file = joined({"{", line("pay", "1")});
    import_text(fixture, file);
    import_text(fixture, placing("1"));
    CHECK(counts(import_text(fixture, file).result) == "2 1 0 0 1");
  }
  TEST_CASE("import: a refusal is remembered across batches, once a later line has changed the order") {
    OrderStore fixture;
    std::string file = placing("1") + "\n" + line("ship", "1") + "\n";
    for (std::size_t number = 0; number < import_batch_lines_max; ++number) {
      file += placing("other" + std::to_string(number)) + "\n";
    }
    file += line("pay", "1") + "\n" + line("ship", "1") + "\n";
    CHECK(counts(import_text(fixture, file).result) == "504 502 0 2 0");
    const Position head = fixture.store().log().head();
    CHECK(counts(import_text(fixture, file).result) == "504 0 502 2 0");
    CHECK(fixture.store().log().head() == head);
  }
  TEST_CASE("import: a line that is refused first and applied later stays applied") {
    OrderStore fixture;
    std::string file = placing("1") + "\n" + line("ship", "1") + "\n";
    for (std::size_t number = 0; number < import_batch_lines_max; ++number) {
      file += placing("other" + std::to_string(number)) + "\n";
    }
    file += line("ship", "1") + "\n" + line("deliver", "1") + "\n";
    ImportOptions options;
    options.on_progress = [&, paid = false](std::int64_t) mutable {
      if (!std::exchange(paid, true)) fixture.done("1", Pay{});
      return true;
    };
    CHECK(counts(import_text(fixture, file, options).result) == "504 503 0 1 0");
    CHECK(counts(import_text(fixture, file).result) == "504 0 504 0 0");
  }
  TEST_CASE("import: what is said twice in one file is applied once") {
    OrderStore fixture;
    CHECK(counts(import_text(fixture, joined({placing("1"), placing("1"), line("pay", "1")})).result) == "3 2 1 0 0");
  }
  TEST_CASE("import: a line whose key was used for something else is refused, and says for what") {
    OrderStore fixture;
    const auto parsed = std::get<ImportLine>(parse_import_line(placing("1")));
    fixture.done("2", place(), keyed(import_key(parsed)));
    const Imported imported = import_text(fixture, joined({placing("1"), placing("3")}));
    CHECK(imported.result.rejected == 1);
    CHECK(imported.result.applied == 1);
    CHECK(imported.problems == Lines{"1 rejected: order '1': its key was used for 'place' of order/2"});
  }
  TEST_CASE("import: a line is a retry of the same command, wherever that came from") {
    OrderStore fixture;
    const auto [id, command] = std::get<ImportLine>(parse_import_line(placing("1")));
    static_cast<void>(fixture.orders().execute(id, command, keyed(import_key({id, command}))));
    CHECK(import_text(fixture, placing("1")).result.duplicates == 1);
  }
  TEST_CASE("import: goes on from what commands did to an order before") {
    OrderStore fixture;
    fixture.done("1", place());
    CHECK(counts(import_text(fixture, joined({line("pay", "1"), line("ship", "1")})).result) == "2 2 0 0 0");
    CHECK(fixture.done("1", Deliver{}).version == Version{4});
  }

  TEST_CASE("import: with stop the first problem ends it, and what came before stays") {
    OrderStore fixture;
    const auto imported =
        import_text(fixture, joined({placing("1"), "{", placing("2")}), {.on_error = ImportOptions::OnError::stop});
    CHECK(counts(imported.result) == "2 1 0 0 1");
    CHECK(imported.result.stopped);
    CHECK(imported.problems.size() == 1);
    CHECK(fixture.store().log().head() == Position{1});
  }
  TEST_CASE("import: with stop a refusal ends it, again and again") {
    OrderStore fixture;
    const ImportOptions stop{.on_error = ImportOptions::OnError::stop};
    CHECK(counts(import_text(fixture, small_file(), stop).result) == "2 1 0 1 0");
    CHECK(counts(import_text(fixture, small_file(), stop).result) == "2 0 1 1 0");
  }
  TEST_CASE("import: progress is told after each batch") {
    OrderStore fixture;
    std::vector<std::int64_t> told;
    import_text(fixture, many_orders(1'200), {.on_progress = [&](std::int64_t lines) {
                  told.push_back(lines);
                  return true;
                }});
    CHECK(told == std::vector<std::int64_t>{500, 1'000, 1'200});
  }
  TEST_CASE("import: sees what others have done to an order since an earlier batch") {
    OrderStore fixture;
    std::string text;
    for (std::size_t number = 1; number <= import_batch_lines_max; ++number)
      text += placing(std::to_string(number)) + "\n";
    text += line("pay", "1") + "\n" + line("pay", "2") + "\n";
    std::istringstream lines(text);
    ImportOptions options;
    options.on_progress = [&, cancelled = false](std::int64_t) mutable {
      if (!std::exchange(cancelled, true)) fixture.done("1", Cancel{{}});
      return true;
    };
    const auto [result, problems] = import_lines(fixture, lines, options);
    CHECK(result.applied == 501);
    CHECK(problems ==
          Lines{"501 rejected: order '1': cannot pay: the order is cancelled, and only a created order can be "
                "paid"});
  }

  TEST_CASE("import: one that was ended half-way is run again, and the end is the same") {
    OrderStore fixture;
    const auto half = import_text(fixture, many_orders(700), {.on_progress = [](std::int64_t) { return false; }});
    CHECK(counts(half.result) == "500 500 0 0 0");
    CHECK(half.result.stopped);
    fixture.reopen();
    CHECK(counts(import_text(fixture, many_orders(700)).result) == "700 200 500 0 0");
    CHECK(fixture.store().log().head() == Position{700});
  }
  TEST_CASE("import: the read tables follow") {
    OrderStore fixture;
    import_text(fixture, many_orders(30));
    fixture.store().drain();
    CHECK(fixture.orders().stats().value.orders == 30);
    CHECK(fixture.orders().get("7").value->order.items == std::vector<Item>{{"book", 1, 4'999}});
  }
  TEST_CASE("import: an input that breaks is an error, and the batches before it stay") {
    // Gives its text, and then fails as a disk does.
    class Broken final : public std::stringbuf {
     public:
      using std::stringbuf::stringbuf;
      int_type underflow() override {
        const auto next = std::stringbuf::underflow();
        if (next == traits_type::eof()) throw std::runtime_error("broken");
        return next;
      }
    };
    OrderStore fixture;
    Broken text(many_orders(600));
    std::istream lines(&text);
    CHECK_THROWS_AS(static_cast<void>(fixture.orders().import(lines, {})), Error);
    CHECK(fixture.store().log().head() == Position{500});
  }
}
