// Tests that nobody changes what was recorded, not even through SQL on one of the library's connections.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// A file with two events of one stream, and the message that a statement on it is refused with.
std::string refusal(const std::string& sql) {
  const TempDir directory;
  Store store(idle(directory.file()));
  append(store, "a", 1);
  append(store, "a", 2);
  auto connection = connect(directory.file());
  const std::string message = message_of([&] { connection.execute(sql); });
  CHECK(store.log().read_all(Position{}, all_events).size() == 2);
  CHECK(store.verify().problems.empty());
  return message;
}

constexpr const char* append_only = "the event log is append-only";

}  // namespace

TEST_SUITE("append_only") {
  TEST_CASE("events: UPDATE is refused") {
    CHECK(holds(refusal("UPDATE events SET data = '9' WHERE position = 1"), append_only));
  }

  TEST_CASE("events: DELETE is refused") {
    CHECK(holds(refusal("DELETE FROM events"), append_only));
  }

  TEST_CASE("events: INSERT OR REPLACE by position is refused") {
    CHECK(holds(refusal("INSERT OR REPLACE INTO events SELECT position, stream, 7, append_end, type, "
                        "schema_version, data, content_type, metadata, correlation_id, causation_id, "
                        "occurred_at, recorded_at, xxh3 FROM events WHERE position = 1"),
                append_only));
  }

  TEST_CASE("events: INSERT OR REPLACE by stream and version is refused") {
    CHECK(holds(refusal("INSERT OR REPLACE INTO events SELECT 7, stream, version, append_end, type, "
                        "schema_version, data, content_type, metadata, correlation_id, causation_id, "
                        "occurred_at, recorded_at, xxh3 FROM events WHERE position = 1"),
                append_only));
  }

  TEST_CASE("events: an upsert is refused") {
    CHECK(holds(refusal("INSERT INTO events SELECT * FROM events WHERE position = 1 "
                        "ON CONFLICT (position) DO UPDATE SET data = '9'"),
                append_only));
  }

  TEST_CASE("streams: UPDATE is refused") {
    CHECK(holds(refusal("UPDATE streams SET id = 'b'"), append_only));
  }

  TEST_CASE("streams: DELETE is refused") {
    CHECK(holds(refusal("DELETE FROM streams"), append_only));
  }

  TEST_CASE("streams: REPLACE by number is refused") {
    CHECK(holds(refusal("REPLACE INTO streams VALUES (1, 'account', 'b')"), append_only));
  }

  TEST_CASE("streams: REPLACE by name is refused") {
    CHECK(holds(refusal("REPLACE INTO streams VALUES (2, 'account', 'a')"), append_only));
  }
}
