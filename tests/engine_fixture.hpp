// Small stores for tests of the engine, on a clock that stands still until it is moved.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "freshet/error.hpp"
#include "freshet/store.hpp"
#include "projections.hpp"
#include "sqlite/connection.hpp"
#include "temp_dir.hpp"

namespace freshet {

// For doctest's messages.
inline std::ostream& operator<<(std::ostream& out, Position position) {
  return out << position.value;
}
inline std::ostream& operator<<(std::ostream& out, Version version) {
  return out << version.value;
}

}  // namespace freshet

namespace freshet::tests {

// Throws on events of this amount, each time.
inline Fragile::Throws on_amount(std::int64_t chosen) {
  return [chosen](const RecordedEvent& event) { return amount(event) == chosen; };
}

inline std::shared_ptr<VirtualClock> virtual_clock() {
  return std::make_shared<VirtualClock>(Timestamp{std::chrono::days{20'000}});
}

// In one thread, on a clock of its own.
inline StoreOptions stepped(const std::filesystem::path& file, BusOptions bus = {}) {
  return {.file = file,
          .engine = Engine::stepped,
          .projections = {std::make_shared<Totals>(), std::make_shared<Latest>()},
          .durability = Durability::process_crash,
          .bus = std::move(bus),
          .clock = virtual_clock()};
}

inline StoreOptions threaded(const std::filesystem::path& file, BusOptions bus = {}) {
  StoreOptions options = stepped(file, std::move(bus));
  options.engine = Engine::threads;
  options.clock = nullptr;
  return options;
}

// As stepped(), and nothing is projected.
inline StoreOptions idle(const std::filesystem::path& file) {
  StoreOptions options = stepped(file);
  options.engine = Engine::off;
  return options;
}

inline StoreOptions with_fragile(StoreOptions options, Fragile::Throws throws) {
  options.projections.push_back(std::make_shared<Fragile>(std::move(throws)));
  return options;
}

inline BusOptions delayed(Duration delay) {
  return {.delay = FixedDelay{delay}};
}

inline StreamId stream(const std::string& id) {
  return {"account", id};
}

inline NewEvent event(std::int64_t amount) {
  return {.type = "Deposited", .data = std::to_string(amount)};
}

inline std::vector<NewEvent> events(std::size_t count, std::int64_t amount = 1) {
  return std::vector<NewEvent>(count, event(amount));
}

inline Appended append(Store& store, const std::string& id, std::int64_t amount,
                       Projecting projecting = Projecting::asynchronous) {
  const NewEvent one = event(amount);
  const auto result = store.log().append(
      {.stream = stream(id), .expected = ExpectedVersion::any(), .events = {&one, 1}, .projecting = projecting});
  REQUIRE(std::holds_alternative<Appended>(result));
  return std::get<Appended>(result);
}

// Many events of one stream, in as few transactions as it takes.
inline void append_many(Store& store, const std::string& id, std::size_t count) {
  while (count > 0) {
    const auto some = events(std::min(count, append_events_max));
    static_cast<void>(store.log().append({.stream = stream(id), .expected = ExpectedVersion::any(), .events = some}));
    count -= some.size();
  }
}

// Steps, and moves the clock to the next step, until nothing is on its way.
inline void run_until_idle(Store& store) {
  while (true) {
    if (store.step()) continue;
    const auto next = store.next_step();
    if (!next) return;
    store.clock().sleep_until(*next);
  }
}

inline void sleep(Store& store, Duration duration) {
  store.clock().sleep_until(store.clock().now() + duration);
}

// Steps while something is due now.
inline void run_due(Store& store) {
  while (store.step() || (store.next_step() && *store.next_step() <= store.clock().now())) {
  }
}

inline std::int64_t number(Reading& reading, std::string_view sql) {
  Rows rows = reading.query(sql);
  return rows.next() ? rows.integer(0) : 0;
}

// A number in the file as it is now.
inline std::int64_t number(Store& store, std::string_view sql) {
  Reading reading = store.read({.projections = {"totals"}});
  return number(reading, sql);
}

inline std::int64_t total(Store& store) {
  return number(store, "SELECT sum FROM totals");
}

inline std::int64_t count_of_events(Store& store) {
  return number(store, "SELECT events FROM totals");
}

inline ProjectionStatus status(Store& store, std::string_view name) {
  for (const ProjectionStatus& each : store.projections()) {
    if (each.name == name) return each;
  }
  FAIL("no status of the projection");
  return {};
}

// A connection as the library opens them, for looking and for doing damage.
inline sqlite::Connection connect(const std::filesystem::path& file) {
  return sqlite::Connection({.file = file, .busy_timeout = std::chrono::seconds{5}});
}

inline void drop_triggers(sqlite::Connection& connection) {
  connection.execute(
      "DROP TRIGGER events_are_not_updated; DROP TRIGGER events_are_not_deleted;"
      "DROP TRIGGER streams_are_not_updated; DROP TRIGGER streams_are_not_deleted;");
}

// The code of the Error that `body` throws.
template <typename Body>
ErrorCode error_of(Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const Error& error) {
    return error.code();
  }
  FAIL("no error was thrown");
  return ErrorCode::io;
}

template <typename Body>
std::string message_of(Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("no error was thrown");
  return {};
}

inline bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace freshet::tests
