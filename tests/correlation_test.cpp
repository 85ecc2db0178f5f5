// Tests of correlation and causation ids: from the append into the metadata and back.
#include "freshet/correlation.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"
#include "freshet/decider.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

const Correlation ids{"click-7", "command-9"};

RecordedEvent with_metadata(std::string metadata) {
  return {.version = Version{3}, .stream = {"order", "123"}, .metadata = std::move(metadata)};
}

std::string correlation_in(std::string metadata) {
  const auto found = correlation_of(with_metadata(std::move(metadata)));
  return found ? found->correlation_id + " " + found->causation_id : "none";
}

ErrorCode refusal(std::string_view metadata, const Correlation& correlation) {
  return error_of([&] { static_cast<void>(with_correlation(metadata, correlation)); });
}

// Every command deposits one.
struct Depositing {
  struct State {};
  struct Command {};
  using Event = std::string;
  using Rejection = std::string;
  static State initial() { return {}; }
  static void evolve(State& /*state*/, const Event& /*event*/) {}
  static std::variant<std::vector<Event>, Rejection> decide(const Command& /*command*/, const State& /*state*/) {
    return std::vector<Event>{"1"};
  }
  static NewEvent encode(const Event& event) { return {.type = "Deposited", .data = event}; }
  static Event decode(const RecordedEvent& event) { return event.data; }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }
};

}  // namespace

TEST_SUITE("correlation") {
  TEST_CASE("with_correlation: joins the members of a JSON object") {
    CHECK(with_correlation("", ids) == R"({"correlation_id":"click-7","causation_id":"command-9"})");
    CHECK(with_correlation(" { } ", ids) == R"({"correlation_id":"click-7","causation_id":"command-9" } )");
    CHECK(with_correlation(R"({"who":"ada"})", ids) ==
          R"({"correlation_id":"click-7","causation_id":"command-9","who":"ada"})");
  }

  TEST_CASE("with_correlation: metadata that names an id already keeps its own") {
    const std::string own = R"({"causation_id":"mine"})";
    CHECK(with_correlation(own, ids) == own);
  }

  TEST_CASE("with_correlation: refuses ids out of bounds and metadata that is no object") {
    CHECK(refusal("[]", ids) == ErrorCode::invalid);
    CHECK(refusal("text", ids) == ErrorCode::invalid);
    CHECK(refusal("", {"", "x"}) == ErrorCode::invalid);
    CHECK(refusal("", {"x", ""}) == ErrorCode::invalid);
    CHECK(refusal("", {"x", "\xff"}) == ErrorCode::invalid);
    CHECK(refusal("", {std::string(correlation_id_bytes_max + 1, 'x'), "x"}) == ErrorCode::invalid);
  }

  TEST_CASE("correlation_of: gives back what was put in, whatever the ids hold") {
    for (const std::string& id : {std::string("plain"), std::string("\"quoted\" \\ back"), std::string("tab\tline\n"),
                                  std::string("käse/7"), std::string(1, '\x01'), std::string("}{],:")}) {
      const auto found = correlation_of(with_metadata(with_correlation(R"({"a":[1,{"b":"}"}]})", {id, "c" + id})));
      REQUIRE(found.has_value());
      CHECK(found->correlation_id == id);
      CHECK(found->causation_id == "c" + id);
    }
  }

  TEST_CASE("correlation_of: reads JSON as others write it") {
    CHECK(correlation_in(R"({"n":{"correlation_id":"inner"},"causation_id":"\u0062\/","correlation_id":"\u00e4"})") ==
          "ä b/");
    CHECK(correlation_in(R"({ "correlation_id" : "a" , "x" : [ "," , { } ] , "causation_id" : "\ud83d\ude00" })") ==
          "a \U0001F600");
  }

  TEST_CASE("correlation_of: nothing where there are not two texts") {
    for (const char* metadata :
         {"", "{}", "[]", "null", R"({"correlation_id":"a"})", R"({"correlation_id":1,"causation_id":"b"})",
          R"({"correlation_id":"a","causation_id":"\ud83d"})", R"({"correlation_id":"a","causation_id":"\x"})",
          R"({"correlation_id":"a","causation_id":"unfinished)", R"({"a":"correlation_id","b":"causation_id"})"}) {
      CHECK(correlation_in(metadata) == "none");
    }
  }

  TEST_CASE("follow_up: is caused by the event, and of its correlation") {
    CHECK(event_id(with_metadata("")) == "order/123@3");
    const Correlation carried = follow_up(with_metadata(with_correlation("", ids)));
    CHECK(carried.correlation_id == "click-7");
    CHECK(carried.causation_id == "order/123@3");
    CHECK(follow_up(with_metadata("")).correlation_id == "order/123@3");
  }

  TEST_CASE("execute: the ids of a command are in its events, and those of what follows lead back to it") {
    const TempDir directory;
    Store store(idle(directory.file()));
    static_cast<void>(execute<Depositing>(store.log(), stream("a"), {}, {.correlation = ids}));
    const auto first = store.log().read_all(Position{}, all_events).front();
    static_cast<void>(execute<Depositing>(store.log(), stream("b"), {}, {.correlation = follow_up(first)}));
    const auto second = store.log().read_all(Position{1}, all_events).front();
    CHECK(correlation_of(first)->causation_id == "command-9");
    CHECK(correlation_of(second)->correlation_id == "click-7");
    CHECK(correlation_of(second)->causation_id == "account/a@1");
  }

  TEST_CASE("append: ids that metadata cannot hold are refused, and nothing is recorded") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const NewEvent one{.type = "Deposited", .data = "1", .metadata = "[]"};
    CHECK(error_of([&] {
            static_cast<void>(store.log().append(
                {.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}, .correlation = ids}));
          }) == ErrorCode::invalid);
    CHECK(store.log().head() == Position{});
  }
}
