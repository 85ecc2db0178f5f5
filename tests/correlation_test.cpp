// Tests of correlation and causation ids: from the append into the log and back.
#include "freshet/correlation.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"
#include "freshet/decider.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

const Correlation ids{"click-7", "command-9"};

// What an append with these ids throws.
ErrorCode refusal(const Correlation& correlation) {
  const TempDir directory;
  Store store(idle(directory.file()));
  const NewEvent plain{.type = "Deposited", .data = "1"};
  NewEvent own = plain;
  own.correlation = correlation;
  const ErrorCode of_event = error_of([&] {
    static_cast<void>(
        store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&own, 1}}));
  });
  const ErrorCode of_append = error_of([&] {
    static_cast<void>(store.log().append({.stream = stream("a"),
                                          .expected = ExpectedVersion::any(),
                                          .events = {&plain, 1},
                                          .correlation = correlation}));
  });
  CHECK(of_event == of_append);
  CHECK(store.log().head() == Position{});
  return of_append;
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
  static CommandIdentity identify(const Command& /*command*/) { return CommandIdentity("deposit"); }
  static NewEvent encode(const Event& event) { return {.type = "Deposited", .data = event}; }
  static Event decode(const RecordedEvent& event) { return event.data; }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }
};

}  // namespace

TEST_SUITE("correlation") {
  TEST_CASE("append: ids out of bounds are refused, and nothing is recorded") {
    CHECK(refusal({"", "x"}) == ErrorCode::invalid);
    CHECK(refusal({"x", ""}) == ErrorCode::invalid);
    CHECK(refusal({"x", "\xff"}) == ErrorCode::invalid);
    CHECK(refusal({std::string(correlation_id_bytes_max + 1, 'x'), "x"}) == ErrorCode::invalid);
  }

  TEST_CASE("append: an event's ids are as they were given, and its metadata are its own") {
    const TempDir directory;
    Store store(idle(directory.file()));
    for (const std::string& id : {std::string("plain"), std::string("\"quoted\" \\"), std::string(1, '\x01'),
                                  std::string("käse/7"), std::string(correlation_id_bytes_max, 'x')}) {
      for (const char* metadata : {"", "[]", R"({"correlation_id":"other","causation_id":"one"})"}) {
        NewEvent one{.type = "Deposited", .data = "1", .metadata = metadata};
        const Position before = store.log().head();
        static_cast<void>(store.log().append({.stream = stream("a"),
                                              .expected = ExpectedVersion::any(),
                                              .events = {&one, 1},
                                              .correlation = Correlation{id, "c" + id.substr(1)}}));
        const auto read = store.log().read_all(before, 1).front();
        CHECK((read.correlation == Correlation{id, "c" + id.substr(1)}));
        CHECK(read.metadata == metadata);
        one.correlation = ids;
        static_cast<void>(store.log().append({.stream = stream("b"),
                                              .expected = ExpectedVersion::any(),
                                              .events = {&one, 1},
                                              .correlation = Correlation{id, id}}));
        CHECK((store.log().read_stream(stream("b"), Version{}, all_events).back().correlation == ids));
      }
    }
  }

  TEST_CASE("append: metadata alone give an event no ids") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const NewEvent one{.type = "Deposited", .data = "1", .metadata = R"({"correlation_id":"a","causation_id":"b"})"};
    static_cast<void>(
        store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}}));
    CHECK_FALSE(store.log().read_all(Position{}, 1).front().correlation.has_value());
  }

  TEST_CASE("append: each event says where its append ends") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append(store, "a", 1);
    const std::vector<NewEvent> three(3, event(2));
    static_cast<void>(store.log().append({.stream = stream("b"), .expected = ExpectedVersion::any(), .events = three}));
    append(store, "a", 3);
    std::vector<std::int64_t> ends;
    for (const RecordedEvent& each : store.log().read_all(Position{}, all_events))
      ends.push_back(each.append_end.value);
    CHECK(ends == std::vector<std::int64_t>{1, 4, 4, 4, 5});
  }

  TEST_CASE("follow_up: is caused by the event, and of its correlation") {
    RecordedEvent cause{.version = Version{3}, .stream = {"order", "123"}};
    CHECK(event_id(cause) == "order/123@3");
    CHECK((follow_up(cause) == Correlation{"order/123@3", "order/123@3"}));
    cause.correlation = ids;
    CHECK((follow_up(cause) == Correlation{"click-7", "order/123@3"}));
  }

  TEST_CASE("execute: the ids of a command are in its events, and those of what follows lead back to it") {
    const TempDir directory;
    Store store(idle(directory.file()));
    static_cast<void>(execute<Depositing>(store.log(), stream("a"), {}, {.correlation = ids}));
    const auto first = store.log().read_all(Position{}, all_events).front();
    static_cast<void>(execute<Depositing>(store.log(), stream("b"), {}, {.correlation = follow_up(first)}));
    const auto second = store.log().read_all(Position{1}, all_events).front();
    CHECK(first.correlation->causation_id == "command-9");
    CHECK(second.correlation->correlation_id == "click-7");
    CHECK(second.correlation->causation_id == "account/a@1");
  }
}
