// Tests of reading the log: both directions, streams and categories, bounds, damage, and lazy ranges.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <ranges>

#include "engine_fixture.hpp"
#include "freshet/event_range.hpp"
#include "freshet/session.hpp"
#include "log/reading.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

using Positions = std::vector<std::int64_t>;

template <typename Events>
Positions positions_of(Events&& events) {
  Positions positions;
  for (const RecordedEvent& event : events) positions.push_back(event.position.value);
  return positions;
}

Positions read(const EventLog& log, const LogRequest& request) {
  return positions_of(log.read(request));
}

void append_to(Store& store, const StreamId& stream, std::int64_t amount) {
  const NewEvent one = event(amount);
  static_cast<void>(store.log().append({.stream = stream, .expected = ExpectedVersion::any(), .events = {&one, 1}}));
}

// Streams of two categories, in turn: 1 a, 2 b, 3 c, 4 a, ...
void append_in_turn(Store& store, int events) {
  const std::array<StreamId, 3> streams = {StreamId{"account", "a"}, {"account", "b"}, {"rare", "a"}};
  for (int value = 1; value <= events; ++value)
    append_to(store, streams.at(static_cast<std::size_t>(value - 1) % 3), value);
}

// What the request means, by looking at every event.
Positions meant(const std::vector<RecordedEvent>& log, const LogRequest& request) {
  Positions positions;
  for (const RecordedEvent& event : log) {
    if (event.position <= request.after || (request.until && event.position >= *request.until)) continue;
    if (request.stream && event.stream != *request.stream) continue;
    if (request.category && event.stream.category != *request.category) continue;
    positions.push_back(event.position.value);
  }
  if (request.direction == Direction::backwards) std::ranges::reverse(positions);
  if (positions.size() > request.events_max) positions.resize(request.events_max);
  return positions;
}

// Both directions, several bounds; then the same as a range, in batches of one event, or of some.
void compare(const EventLog& log, const std::vector<RecordedEvent>& all, LogRequest request) {
  for (const Direction direction : {Direction::forwards, Direction::backwards}) {
    for (const std::size_t events_max : {std::size_t{0}, std::size_t{1}, std::size_t{3}, all_events}) {
      request.direction = direction;
      request.events_max = events_max;
      request.bytes_max = all_bytes;
      CAPTURE(request.after);
      CAPTURE(request.until.value_or(Position{-9}));
      CAPTURE(events_max);
      CAPTURE((direction == Direction::backwards));
      const Positions expected = meant(all, request);
      CHECK(read(log, request) == expected);
      for (const std::size_t bytes_max : {std::size_t{1}, std::size_t{5}}) {
        request.bytes_max = bytes_max;
        CHECK(positions_of(EventRange(log, request)) == expected);
      }
    }
  }
}

void compare_selections(const EventLog& log, const std::vector<RecordedEvent>& all, const LogRequest& between) {
  compare(log, all, between);
  for (const StreamId& stream : {StreamId{"account", "a"}, StreamId{"rare", "a"}, StreamId{"rare", "nobody"}}) {
    LogRequest request = between;
    request.stream = stream;
    compare(log, all, request);
  }
  for (const char* category : {"account", "rare", "nothing"}) {
    LogRequest request = between;
    request.category = category;
    compare(log, all, request);
  }
}

// The steps of SQLite's machine that reading takes, in hundreds.
int steps_of(sqlite::Connection& connection, const LogRequest& request) {
  int steps = 0;
  sqlite3_progress_handler(
      connection.handle(), 100, [](void* count) { return ++*static_cast<int*>(count), 0; }, &steps);
  static_cast<void>(log::read(connection, request));
  sqlite3_progress_handler(connection.handle(), 0, nullptr, nullptr);
  return steps;
}

// Nine events in turn, and then `sql`.
void damage(const std::filesystem::path& file, const std::string& sql) {
  {
    Store store(idle(file));
    append_in_turn(store, 9);
  }
  auto connection = connect(file);
  drop_triggers(connection);
  connection.execute(sql);
}

constexpr const char* without_4 = "DELETE FROM events WHERE position = 4";

}  // namespace

TEST_SUITE("log_reading") {
  TEST_CASE("read: every request gives what it means, in either direction") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_in_turn(store, 7);
    const auto all = store.log().read({});
    CHECK(positions_of(all) == Positions{1, 2, 3, 4, 5, 6, 7});
    for (std::int64_t after = -1; after <= 8; ++after) {
      compare_selections(store.log(), all, {.after = Position{after}});
      for (std::int64_t until = -1; until <= 9; ++until) {
        compare_selections(store.log(), all, {.after = Position{after}, .until = Position{until}});
      }
    }
  }

  TEST_CASE("read: a category that is rare in a long log is merged from its streams") {
    const TempDir directory;
    Store store(idle(directory.file()));
    for (const int often : {3, 2, 1}) {
      for (int value = 1; value <= often; ++value) {
        append_to(store, {"rare", value == 2 ? "b" : "a"}, value);
        append_to(store, {"other", "a"}, value);
      }
      append_many(store, "a", 1'500);
    }
    const auto all = store.log().read({});
    const auto last = all.back().position.value;
    REQUIRE(last == 4'512);
    for (const Direction direction : {Direction::forwards, Direction::backwards}) {
      const LogRequest dense{.direction = direction, .category = "account"};
      CHECK(read(store.log(), dense) == meant(all, dense));
    }
    for (const std::int64_t after : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, std::int64_t{1'507}, last}) {
      for (const std::int64_t until : {std::int64_t{6}, std::int64_t{1'509}, std::int64_t{3'012}, last + 1}) {
        LogRequest request{.after = Position{after}, .until = Position{until}, .category = "rare"};
        compare(store.log(), all, request);
        request.category.reset();
        request.stream = StreamId{"rare", "a"};
        compare(store.log(), all, request);
      }
    }
  }

  TEST_CASE("read: what a rare category costs does not go by the length of the log") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_to(store, {"rare", "a"}, 1);
    append_many(store, "a", 5'000);
    auto connection = connect(directory.file());
    const LogRequest request{.direction = Direction::backwards, .category = "rare"};
    const int steps = steps_of(connection, request);
    append_many(store, "a", 15'000);
    CHECK(steps_of(connection, request) <= steps + 1);
  }

  TEST_CASE("read: the places of a long stream are found without looking at all of it") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 20'000);
    auto connection = connect(directory.file());
    const LogRequest request{.after = Position{10'000}, .stream = stream("a"), .events_max = 3};
    CHECK(positions_of(log::read(connection, request).events) == Positions{10'001, 10'002, 10'003});
    CHECK(steps_of(connection, request) < 20);
  }

  TEST_CASE("read: ends with the event that reaches the bytes asked for") {
    const TempDir directory;
    Store store(idle(directory.file()));
    for (const int value : {1, 22, 333, 4'444}) append(store, "a", value);
    CHECK(read(store.log(), {.bytes_max = 0}).empty());
    CHECK(read(store.log(), {.bytes_max = 1}) == Positions{1});
    CHECK(read(store.log(), {.bytes_max = 3}) == Positions{1, 2});
    CHECK(read(store.log(), {.bytes_max = 4}) == Positions{1, 2, 3});
    CHECK(read(store.log(), {.direction = Direction::backwards, .bytes_max = 4}) == Positions{4});
  }

  TEST_CASE("read: one stream or one category, not both") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const LogRequest both{.stream = stream("a"), .category = "account"};
    CHECK(error_of([&] { static_cast<void>(store.log().read(both)); }) == ErrorCode::invalid);
  }

  TEST_CASE("read: an event that is missing is corrupt, whichever way it would have been met") {
    const TempDir directory;
    damage(directory.file(), without_4);
    Store store(idle(directory.file()));
    const auto fails = [&](const LogRequest& request, const char* place) {
      const auto read = [&] { static_cast<void>(store.log().read(request)); };
      CHECK(error_of(read) == ErrorCode::corrupt);
      CHECK(holds(message_of(read), place));
    };
    for (const Direction direction : {Direction::forwards, Direction::backwards}) {
      fails({.direction = direction}, "position 4");
      fails({.after = Position{3}, .direction = direction}, "position 4");
      fails({.until = Position{5}, .direction = direction}, "position 4");
      fails({.direction = direction, .category = "rare"}, "position 4");
      fails({.after = Position{4}, .direction = direction, .stream = stream("a")}, "version 2");
    }
    CHECK(read(store.log(), {.after = Position{4}, .direction = Direction::backwards}) == Positions{9, 8, 7, 6, 5});
    CHECK(read(store.log(), {.direction = Direction::backwards, .stream = stream("b")}) == Positions{8, 5, 2});
  }

  TEST_CASE("read: a damaged event is corrupt backwards as well, and the message names its position") {
    const TempDir directory;
    damage(directory.file(), "UPDATE events SET data = '9' WHERE position = 4");
    Store store(idle(directory.file()));
    for (const LogRequest& request : {LogRequest{.direction = Direction::backwards},
                                      {.direction = Direction::backwards, .category = "account"},
                                      {.direction = Direction::backwards, .stream = stream("a")}}) {
      const auto read = [&] { static_cast<void>(store.log().read(request)); };
      CHECK(error_of(read) == ErrorCode::corrupt);
      CHECK(holds(message_of(read), "position 4 is damaged"));
    }
    CHECK(read(store.log(), {.direction = Direction::backwards, .events_max = 2}) == Positions{9, 8});
    CHECK(read(store.log(), {.direction = Direction::backwards, .category = "rare"}) == Positions{9, 6, 3});
  }

  TEST_CASE("read: a merge finds an event that the index of streams takes for another one") {
    const TempDir directory;
    {
      Store store(idle(directory.file()));
      append_to(store, {"rare", "a"}, 1);
      append_to(store, {"rare", "b"}, 2);
      append_many(store, "a", 3'000);
    }
    // The index of another table, in which two events have changed places, is put in the place of the index of streams.
    sqlite3* database = nullptr;
    sqlite3_open(directory.file().c_str(), &database);
    CHECK(
        sqlite3_exec(database,
                     "CREATE TABLE app_other (stream, version); CREATE INDEX app_index ON app_other (stream, version);"
                     "INSERT INTO app_other (rowid, stream, version) SELECT CASE position WHEN 1 THEN 2 WHEN 2 THEN 1 "
                     "ELSE position END, stream, version FROM events; PRAGMA writable_schema = ON;"
                     "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE "
                     "name = 'app_index') WHERE name = 'events_of_stream'",
                     nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
    Store store(idle(directory.file()));
    const LogRequest request{.direction = Direction::backwards, .category = "rare"};
    const auto read = [&] { static_cast<void>(store.log().read(request)); };
    CHECK(error_of(read) == ErrorCode::corrupt);
    CHECK(holds(message_of(read), "than the index of streams says"));
  }

  TEST_CASE("range: shows what was committed when it began, and nothing that is appended meanwhile") {
    for (const Direction direction : {Direction::forwards, Direction::backwards}) {
      const TempDir directory;
      Store store(idle(directory.file()));
      append_in_turn(store, 6);
      Positions seen;
      EventRange range(store.log(), {.direction = direction, .category = "account", .bytes_max = 1});
      for (const RecordedEvent& event : range) {
        seen.push_back(event.position.value);
        append_to(store, {"account", "a"}, 7);
      }
      if (direction == Direction::backwards) std::ranges::reverse(seen);
      CHECK(seen == Positions{1, 2, 4, 5});
    }
  }

  TEST_CASE("range: holds no read transaction while its reader is slow") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_in_turn(store, 6);
    EventRange range(store.log(), {.bytes_max = 2});
    auto event = range.begin();
    append_in_turn(store, 3);
    auto connection = connect(directory.file());
    CHECK(connection.integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0);
    CHECK(std::filesystem::file_size(directory.file().string() + "-wal") == 0);
    CHECK((++event)->position == Position{2});
  }

  TEST_CASE("range: holds a batch in memory at most, and goes on behind it") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 2 * EventRange::batch_events_max + 1);
    for (const Direction direction : {Direction::forwards, Direction::backwards}) {
      const LogRequest request{.direction = direction};
      const auto positions = positions_of(EventRange(store.log(), request));
      CHECK(positions == meant(store.log().read({}), request));
    }
    CHECK(positions_of(EventRange(store.log(), {.events_max = 1'500})).size() == 1'500);
  }

  TEST_CASE("range: is an input range that goes through views, and its events can be moved away") {
    static_assert(std::ranges::input_range<EventRange> && std::ranges::view<EventRange>);
    const TempDir directory;
    Store store(idle(directory.file()));
    append_in_turn(store, 6);
    const auto is_even = [](const RecordedEvent& event) { return event.position.value % 2 == 0; };
    std::vector<RecordedEvent> kept;
    for (RecordedEvent& event :
         EventRange(store.log(), {.bytes_max = 3}) | std::views::filter(is_even) | std::views::take(2)) {
      kept.push_back(std::move(event));
    }
    REQUIRE(positions_of(kept) == Positions{2, 4});
    CHECK(kept.back().data == "4");
  }

  TEST_CASE("range: of a store that is closed meanwhile the events at hand are shown, and then it is closed") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_in_turn(store, 6);
    EventRange range(store.log(), {.bytes_max = 2});
    auto event = range.begin();
    store.close();
    CHECK((++event)->position == Position{2});
    CHECK(error_of([&] { ++event; }) == ErrorCode::closed);
    CHECK(event == range.end());
    CHECK(error_of([&] { static_cast<void>(EventRange(store.log(), {}).begin()); }) == ErrorCode::closed);
  }

  TEST_CASE("range: what a session has read through it counts as seen") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_in_turn(store, 6);
    Session session(store);
    CHECK(read(session.log(), {.until = Position{6}, .direction = Direction::backwards, .events_max = 2}) ==
          Positions{5, 4});
    CHECK(session.seen() == Position{5});
    CHECK(positions_of(EventRange(session.log(), {.stream = stream("a")})) == Positions{1, 4});
    CHECK(session.seen() == Position{6});
  }
}
