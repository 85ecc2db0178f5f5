// Scripts as text: lines, words, and what they mean.
#include "scenario/script.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "scenario/expect.hpp"
#include "scenario/steps.hpp"

namespace freshet::scenario {
namespace {

// A grammar in which every command is well formed, except `order bad`.
class AnyCommand final : public CommandLine {
 public:
  [[nodiscard]] std::vector<std::string> groups() const override { return {"order", "log"}; }
  [[nodiscard]] RunCommand command(const std::vector<std::string>& words) const override {
    if (words.at(1) == "bad") throw BadWords("bad is bad");
    return [](Stage& /*stage*/) { return Reply{}; };
  }
  [[nodiscard]] BusOptions bus(const std::vector<std::string>& /*words*/, const BusOptions& current) const override {
    return current;
  }
};

std::string error_of(const std::string& script) {
  const AnyCommand any;
  try {
    static_cast<void>(understand(script, any));
  } catch (const ScriptError& error) {
    return error.what();
  }
  return "";
}

std::string miss_of(const std::string& condition, const char* answer) {
  const auto miss = check(*parse_condition(condition), nlohmann::ordered_json::parse(answer));
  return miss ? miss->message : "";
}

}  // namespace

TEST_SUITE("script") {
  using Words = std::vector<std::string>;

  TEST_CASE("read_script: empty lines and comments are no lines, and lines keep their numbers") {
    const auto lines = read_script("# one\n\n  order get 1 # the first\r\n\tlog show\n");
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].number == 3);
    CHECK(lines[0].words == Words{"order", "get", "1"});
    CHECK(lines[1].number == 4);
    CHECK(lines[1].words == Words{"log", "show"});
  }

  TEST_CASE("read_script: quotes and backslashes keep blanks in a word") {
    const auto lines = read_script(R"(a "b c" 'd "e' f\ g h"i j"k "l\"m" '' n#o)");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].words == Words{"a", "b c", "d \"e", "f g", "hi jk", "l\"m", "", "n#o"});
  }

  TEST_CASE("read_script: what is said is taken as it was written") {
    const auto lines = read_script("echo It's \"fine\" # really\n");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].rest == "It's \"fine\" # really");
  }

  TEST_CASE("read_script: a line can begin with its client") {
    const auto lines = read_script("client alice: order get 1\n");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].client == "alice");
    CHECK(lines[0].words == Words{"order", "get", "1"});
  }

  TEST_CASE("read_script: text that cannot be split is refused with its line") {
    CHECK_THROWS_WITH(static_cast<void>(read_script("\na 'b")), "line 2: the quote ' is not closed");
    CHECK_THROWS_WITH(static_cast<void>(read_script("a \\")),
                      "line 1: nothing follows the backslash at the end of the line");
    CHECK_THROWS_WITH(static_cast<void>(read_script("a \x01")), "line 1: there is a control character in the text");
    CHECK_THROWS_WITH(static_cast<void>(read_script("a \xff")), "line 1: the text is not UTF-8");
    CHECK_THROWS_WITH(static_cast<void>(read_script("client alice order")),
                      "line 1: a client's line begins with 'client NAME:', such as 'client alice: order get 123'");
  }

  TEST_CASE("read_script: a line or a script that no person writes is refused before it is split") {
    const std::string longest = "echo " + std::string(script_line_bytes_max - 5, 'x') + "\n";
    CHECK(read_script(longest).size() == 1);
    CHECK_THROWS_WITH(static_cast<void>(read_script("\nx" + longest)), "line 2: longer than 1048576 bytes");
    std::string longer;
    while (longer.size() <= script_bytes_max) longer += "#" + std::string(script_line_bytes_max - 1, 'x') + "\n";
    CHECK_THROWS_WITH(static_cast<void>(read_script(longer)), "line 16: the script is longer than 16777216 bytes");
  }

  TEST_CASE("understand: an unknown word is refused with the nearest that is known") {
    CHECK(error_of("ordre get 1") == "line 1: unknown word 'ordre': did you mean 'order'?");
    CHECK(error_of("\nslep 5ms") == "line 2: unknown word 'slep': did you mean 'sleep'?");
    CHECK(error_of("xyzzyxyzzy").find("a line begins with one of order, log, ask") != std::string::npos);
  }

  TEST_CASE("understand: what the grammar of commands refuses is refused with its line") {
    CHECK(error_of("order get 1\norder bad") == "line 2: bad is bad");
  }

  TEST_CASE("understand: the script's own words are checked before anything runs") {
    CHECK(error_of("sleep soon") == "line 1: bad duration 'soon': write one such as 50ms or 1.5s");
    CHECK(error_of("sleep") == "line 1: 'sleep' is written 'sleep DURATION'");
    CHECK(error_of("crash server") == "line 1: 'crash' is written 'crash projector [before-commit]'");
    CHECK(error_of("bus") == "line 1: 'bus' needs an option such as --delay 50ms");
    CHECK(error_of("restart now") == "line 1: 'restart' is written 'restart'");
    CHECK(error_of("listen a sums") == "line 1: bad rule 'sums': there are adds, upserts and upserts-newer");
    CHECK(error_of("client a: sleep 5ms") == "line 1: a client gives commands, and 'sleep' is none");
    CHECK(error_of("expect status") ==
          "line 1: bad expectation 'status': write FIELD=VALUE, FIELD!=VALUE, FIELD>=NUMBER or FIELD<=NUMBER");
  }

  TEST_CASE("understand: only a listener that is there can be asked") {
    CHECK(error_of("listen wrong adds\nask wrnog 1") == "line 2: there is no listener 'wrnog': did you mean 'wrong'?");
    CHECK(error_of("ask wrong 1") == "line 1: there is no listener 'wrong': make one with 'listen wrong RULE'");
    CHECK(error_of("listen a adds\nlisten a adds") == "line 2: the name 'a' is taken: give the listener another one");
    CHECK(error_of("listen a adds\nask a 1 --deliveries 0") ==
          "line 2: bad value '0' for --deliveries: expected a whole number from 1");
  }

  TEST_CASE("check: values are compared as texts, and numbers by their value") {
    constexpr const char* answer = R"({"status": "paid", "n": 2.0, "ok": true, "none": null, "o": [{"x": "y"}]})";
    for (const char* holding :
         {"status=paid", "n=2", "n=2.0", "ok=true", "none=null", "o.0.x=y", "n>=1.5", "n<=2", "status!=created"}) {
      CHECK(miss_of(holding, answer) == "");
    }
  }

  TEST_CASE("check: a miss says what was expected and what was found") {
    constexpr const char* answer = R"({"status": "created", "version": 1})";
    CHECK(miss_of("status=paid", answer) == "expected status=paid, found status=created");
    CHECK(miss_of("version>=2", answer) == "expected version>=2, found version=1");
    CHECK(miss_of("status>=2", answer) == "expected status>=2, found status=created");
    CHECK(miss_of("version!=1", answer) == "expected version!=1, found version=1");
  }

  TEST_CASE("check: a field that is not there is named with the nearest that is") {
    CHECK(miss_of("freshness.stael=true", R"({"freshness": {"stale": true}})") ==
          "expected freshness.stael=true: the answer has no field 'freshness.stael': did you mean 'freshness.stale'?");
    CHECK(miss_of("o.1=x", R"({"o": ["y"]})").find("has no field 'o.1'") != std::string::npos);
    CHECK(miss_of("a=x", "{}") == "expected a=x: the answer has no field 'a': it is empty");
  }
}

}  // namespace freshet::scenario
