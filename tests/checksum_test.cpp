// Tests of stored events that were changed behind the library's back.
#include <doctest/doctest.h>

#include <set>

#include "engine_fixture.hpp"
#include "log/event_rows.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// Three events, of which the second is changed by `sql`.
void damage(const std::filesystem::path& file, const std::string& sql) {
  {
    Store store(idle(file));
    append(store, "a", 1);
    append(store, "b", 2);
    append(store, "a", 3);
  }
  auto connection = connect(file);
  drop_triggers(connection);
  connection.execute(sql);
}

constexpr const char* flip = "UPDATE events SET data = '3' WHERE position = 2";

}  // namespace

TEST_SUITE("checksum") {
  TEST_CASE("read_all: a damaged event is corrupt, and the message names its position") {
    const TempDir directory;
    damage(directory.file(), flip);
    Store store(idle(directory.file()));
    const auto read = [&] { static_cast<void>(store.log().read_all(Position{}, all_events)); };
    CHECK(error_of(read) == ErrorCode::corrupt);
    CHECK(holds(message_of(read), "position 2"));
    CHECK(store.log().read_all(Position{2}, all_events).size() == 1);
  }

  TEST_CASE("read_stream: a damaged event is corrupt, and other streams can be read") {
    const TempDir directory;
    damage(directory.file(), flip);
    Store store(idle(directory.file()));
    CHECK(error_of([&] { static_cast<void>(store.log().read_stream(stream("b"), Version{}, 9)); }) ==
          ErrorCode::corrupt);
    CHECK(store.log().read_stream(stream("a"), Version{}, 9).size() == 2);
  }

  TEST_CASE("checksum: covers everything that an event says") {
    for (const char* change :
         {"type = 'Other'", "schema_version = 2", "data = '22'", "content_type = 'text/plain'", "metadata = '{}'",
          "occurred_at = 1", "recorded_at = 1", "version = 2", "stream = 1, version = 9", "append_end = 3",
          "correlation_id = 'a', causation_id = 'b'", "xxh3 = xxh3 + 1"}) {
      const TempDir directory;
      damage(directory.file(), std::string("UPDATE events SET ") + change + " WHERE position = 2");
      Store store(idle(directory.file()));
      INFO(change);
      CHECK(error_of([&] { static_cast<void>(store.log().read_all(Position{}, 9)); }) == ErrorCode::corrupt);
    }
  }

  TEST_CASE("checksum: covers the stream's name") {
    const TempDir directory;
    damage(directory.file(), "UPDATE streams SET id = 'c' WHERE id = 'b'");
    Store store(idle(directory.file()));
    CHECK(error_of([&] { static_cast<void>(store.log().read_all(Position{}, 9)); }) == ErrorCode::corrupt);
  }

  TEST_CASE("checksum: is the same in every release") {
    RecordedEvent event{.position = Position{1}, .version = Version{2}, .stream = {"order", "3"}, .stream_number = 4};
    event.type = "OrderPaid";
    event.data = "{}";
    event.content_type = "application/json";
    const std::int64_t first = log::checksum(event);
    CHECK(first == -8439172384719014314);
    // A byte that moves from one text to its neighbour changes it.
    event.type = "OrderPai";
    event.content_type = "dapplication/json";
    CHECK(log::checksum(event) != first);
  }

  TEST_CASE("checksum: is the same in a copy, whatever number the stream has there") {
    RecordedEvent event{.position = Position{1}, .version = Version{2}, .stream = {"order", "3"}, .stream_number = 4};
    const std::int64_t here = log::checksum(event);
    event.stream_number = 5;
    CHECK(log::checksum(event) == here);
  }

  TEST_CASE("checksum: covers what the event belongs to, and the end of its append") {
    RecordedEvent event{.position = Position{1}, .version = Version{2}, .stream = {"order", "3"}};
    std::set<std::int64_t> seen{log::checksum(event)};
    event.append_end = Position{2};
    CHECK(seen.insert(log::checksum(event)).second);
    event.correlation = {"a", "bc"};
    CHECK(seen.insert(log::checksum(event)).second);
    event.correlation = {"ab", "c"};
    CHECK(seen.insert(log::checksum(event)).second);
  }

  TEST_CASE("step: the projector stops at a damaged event, and says which") {
    const TempDir directory;
    damage(directory.file(), flip);
    Store store(stepped(directory.file()));
    run_until_idle(store);
    const Reading reading = store.read({.projections = {"totals"}, .consistency = Strong{}});
    CHECK(reading.freshness().stale);
    REQUIRE_FALSE(reading.warnings().empty());
    CHECK(holds(reading.warnings().front(), "position 2 is damaged"));
  }

  TEST_CASE("step: the projector stops at a gap in the log, and says where") {
    const TempDir directory;
    damage(directory.file(), "DELETE FROM events WHERE position = 2");
    Store store(stepped(directory.file()));
    run_until_idle(store);
    const Reading reading = store.read({.projections = {"totals"}, .consistency = Strong{}});
    REQUIRE_FALSE(reading.warnings().empty());
    CHECK(holds(reading.warnings().front(), "no event at position 2"));
  }
}
