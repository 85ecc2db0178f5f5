// Tests of events that go from one log to another: exported, imported, and refused where they do not fit.
#include "log/foreign_events.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

std::vector<ExportedEvent> exported(Store& store) {
  std::vector<ExportedEvent> events;
  store.log().export_events([&](const ExportedEvent& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

CommandIdentity draw(int pictures) {
  return CommandIdentity("draw").add(pictures);
}

// What a retry of it is answered.
Appended answer_to(const std::string& key, const std::string& id, Store& store) {
  return std::get<Appended>(store.log().find_command(key, stream(id), draw(2)).value());
}

// Three events of two streams; the first two were appended under one key.
std::vector<ExportedEvent> sample() {
  const TempDir directory;
  Store store(stepped(directory.file()));
  NewEvent picture{.type = "Drawn", .data = std::string("\x00\xff", 2), .content_type = "image/png"};
  picture.metadata = R"({"by": "ada"})";
  picture.occurred_at = Timestamp{1'234'567us};
  const std::vector<NewEvent> two{event(1), picture};
  static_cast<void>(store.log().append({.stream = stream("a"),
                                        .expected = ExpectedVersion::none(),
                                        .events = two,
                                        .command_id = "key",
                                        .identity = draw(2),
                                        .outcome = "done"}));
  sleep(store, 1s);
  append(store, "b", 2);
  return exported(store);
}

// Imports all of them, in one transaction, and returns how many were not there.
int import(Store& store, const std::vector<ExportedEvent>& events) {
  int imported = 0;
  store.log().write([&](AppendTransaction& transaction) {
    for (const ExportedEvent& each : events) imported += transaction.import_event(each) ? 1 : 0;
  });
  return imported;
}

// Why a store that holds the sample up to `held` does not take `event`.
std::string refusal(std::size_t held, const ExportedEvent& event) {
  const TempDir directory;
  Store store(stepped(directory.file()));
  auto events = sample();
  events.resize(held);
  import(store, events);
  std::string why = message_of([&] { import(store, {event}); });
  CHECK(store.log().head().value == static_cast<std::int64_t>(held));
  return why;
}

bool are_same(const ExportedEvent& left, const ExportedEvent& right) {
  return log::checksum(left.event) == log::checksum(right.event) && left.command_id == right.command_id &&
         left.outcome == right.outcome && left.identity == right.identity;
}

}  // namespace

TEST_SUITE("foreign_events") {
  TEST_CASE("export_events: each event comes with the command that it was appended under") {
    const auto events = sample();
    REQUIRE(events.size() == 3);
    CHECK(events[0].command_id == "key");
    CHECK(events[1].command_id == "key");
    CHECK(events[1].outcome == "done");
    CHECK(events[1].identity == draw(2).kept());
    CHECK_FALSE(events[2].command_id.has_value());
    CHECK(events[2].event.position == Position{3});
  }

  TEST_CASE("export_events: ends when it is told to") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 1'200);
    int taken = 0;
    store.log().export_events([&](const ExportedEvent&) { return ++taken < 700; });
    CHECK(taken == 700);
  }

  TEST_CASE("import_event: the events are the same in an empty log, and so is what the log answers") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const auto events = sample();
    CHECK(import(store, events) == 3);
    const auto again = exported(store);
    REQUIRE(again.size() == 3);
    for (std::size_t index = 0; index < 3; ++index) CHECK(are_same(events[index], again[index]));
    const Appended command = answer_to("key", "a", store);
    CHECK(command.duplicate);
    CHECK(command.first == Position{1});
    CHECK(command.last == Position{2});
    CHECK(command.version == Version{2});
    CHECK(command.outcome == "done");
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("import_event: what is there already is passed over, and the rest is appended") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const auto events = sample();
    CHECK(import(store, {events[0]}) == 1);
    CHECK(import(store, events) == 2);
    CHECK(import(store, events) == 0);
    CHECK(answer_to("key", "a", store).last == Position{2});
  }

  TEST_CASE("import_event: a stream that was written before goes on behind what is imported") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    const TempDir other;
    Store copy(stepped(other.file()));
    import(copy, exported(store));
    append(copy, "a", 2);
    import(store, exported(copy));
    const NewEvent one = event(3);
    const auto result = store.log().append(
        {.stream = stream("a"), .expected = ExpectedVersion::exactly(Version{2}), .events = {&one, 1}});
    CHECK(std::holds_alternative<Appended>(result));
  }

  TEST_CASE("import_event: the read tables follow") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    auto events = sample();
    events[1].event.data = "5";
    import(store, events);
    run_until_idle(store);
    CHECK(total(store) == 8);
    append(store, "b", 4);
    CHECK(store.log().version(stream("b")) == Version{2});
  }

  TEST_CASE("import_event: a gap is refused, in the positions and in the versions") {
    auto events = sample();
    CHECK(holds(refusal(1, events[2]), "position 3 does not follow position 1"));
    events[2].event.version = Version{2};
    CHECK(holds(refusal(2, events[2]), "version 2 of 'account/b' does not follow version 0"));
  }

  TEST_CASE("import_event: an event that contradicts the log is refused, with what differs") {
    auto events = sample();
    events[1].event.data = "other";
    CHECK(holds(refusal(3, events[1]), "another event at position 2: its data differs"));
    events[2].event.recorded_at += 1us;
    CHECK(holds(refusal(3, events[2]), "its time of recording differs"));
    events[0].command_id = "other";
    CHECK(holds(refusal(3, events[0]), "its idempotency key differs"));
    events[1] = sample()[1];
    events[1].identity = draw(3).kept();
    CHECK(holds(refusal(3, events[1]), "its command differs"));
  }

  TEST_CASE("import_event: a command of the log it comes from is told from others here too") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    import(store, sample());
    const auto find = [&](const StreamId& stream, const CommandIdentity& identity) {
      return store.log().find_command("key", stream, identity).value();
    };
    CHECK(std::holds_alternative<Appended>(find(stream("a"), draw(2))));
    CHECK(std::holds_alternative<KeyReused>(find(stream("a"), draw(3))));
    CHECK(std::holds_alternative<KeyReused>(find(stream("b"), draw(2))));
    CHECK(std::get<KeyReused>(find(stream("b"), draw(2))).command == "draw");
  }

  TEST_CASE("import_event: what is known of no command, as under format 3, is the same as any") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    auto events = sample();
    for (ExportedEvent& event : events) event.identity.reset();
    import(store, events);
    CHECK(exported(store)[0].identity == std::nullopt);
    CHECK(import(store, sample()) == 0);
    CHECK(std::holds_alternative<Appended>(store.log().find_command("key", stream("b"), draw(7)).value()));
  }

  TEST_CASE("import_event: a key that was used for something else is refused") {
    auto events = sample();
    events[2].command_id = "key";
    CHECK(holds(refusal(2, events[2]), "'key' was used for something else"));
    events[1].identity = draw(3).kept();
    CHECK(holds(refusal(1, events[1]), "'key' was used for something else"));
  }

  TEST_CASE("import_event: an event that was recorded before the last one is refused") {
    auto events = sample();
    events[2].event.recorded_at -= 10s;
    CHECK(holds(refusal(2, events[2]), "before the event at position 2"));
  }

  TEST_CASE("import_event: the bounds of an append hold") {
    auto events = sample();
    events[0].event.type.clear();
    CHECK(holds(refusal(0, events[0]), "an event's type"));
    events[0] = sample()[0];
    events[0].identity->name = "\xff";
    CHECK(holds(refusal(0, events[0]), "a command's name"));
    events[2].identity = draw(1).kept();
    CHECK(holds(refusal(2, events[2]), "an idempotency key, or no identity"));
    events[1].event.position = Position{0};
    CHECK(holds(refusal(1, events[1]), "positions count from 1"));
  }
}
