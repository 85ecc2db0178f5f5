// Rows of the log's tables as events and back: columns, checksums, look-ups.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "freshet/bus.hpp"
#include "freshet/event.hpp"
#include "freshet/event_log.hpp"
#include "freshet/log_request.hpp"
#include "freshet/types.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// The last event of the log; zeros if there is none.
struct Last {
  Position position;
  Timestamp recorded_at;
};
[[nodiscard]] Last last_of_log(sqlite::Connection& connection);

// A stream's number and its last event.
struct StreamEnd {
  std::int64_t number = 0;
  Position position;
  Version version;
};
// Nothing: no event was ever recorded for it.
[[nodiscard]] std::optional<StreamEnd> find_stream_end(sqlite::Connection& connection, const StreamId& stream);
// Of a stream that is there.
[[nodiscard]] StreamEnd end_of_stream(sqlite::Connection& connection, std::int64_t number);

// The position of an event that is there.
[[nodiscard]] Position position_of(sqlite::Connection& connection, std::int64_t stream, Version version);
// The version of a stream that is there, as it was at a position.
[[nodiscard]] Version version_at(sqlite::Connection& connection, std::int64_t stream, Position position);

// Nothing: no event was ever recorded for it.
[[nodiscard]] std::optional<std::int64_t> find_stream(sqlite::Connection& connection, const StreamId& stream);

// The number of a stream that was not there yet. Nothing: it is there.
[[nodiscard]] std::optional<std::int64_t> make_stream(sqlite::Connection& connection, const StreamId& stream);

// Over everything that the event says, but for the store's own number of its stream, which is another one in a copy.
// The stored value is compared with it whenever an event is read.
[[nodiscard]] std::int64_t checksum(const RecordedEvent& event);

// Within the bounds of correlation.hpp.
[[nodiscard]] bool is_correlation_id(std::string_view id);

// How a format holds events. The statements give the same columns in the same order; only those of the log give the
// stream's name. Parameters: the name of a stream in its two parts, for those of one, and a bound that does not belong
// to what is read, a position or a version.
struct EventTable {
  std::string_view of_log;
  std::string_view of_log_backwards;
  std::string_view of_stream;
  std::string_view of_stream_backwards;
  std::int64_t (*checksum)(const RecordedEvent& event);
};

// What the row of such a statement says; its first two columns are the position and the version.
[[nodiscard]] StreamId stream_in(const sqlite::Statement& row);
[[nodiscard]] RecordedEvent event_in(const sqlite::Statement& row, Position position, Version version, StreamId stream);
[[nodiscard]] bool is_intact(const RecordedEvent& event, const sqlite::Statement& row, const EventTable& table);

// Rows of the log by position, or of a stream by version, between two bounds that do not belong to them. All that lies
// there has to be there: Error `corrupt` names a row that is missing, or damaged.
class EventRows {
 public:
  // For `until`, forwards: read on as far as there are rows.
  static constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();

  EventRows(sqlite::Connection& connection, std::int64_t after, std::int64_t until, Direction direction);
  // The stream is borrowed.
  EventRows(sqlite::Connection& connection, const StreamId& stream, std::int64_t after, std::int64_t until,
            Direction direction);

  // Moves to the next row, from before the first one. False: there is none.
  [[nodiscard]] bool next();

  [[nodiscard]] std::string_view category() const;
  [[nodiscard]] RecordedEvent event() const;

 private:
  [[noreturn]] void fail_without(std::int64_t number) const;

  const EventTable& table_;
  const StreamId* const stream_;
  sqlite::Statement& statement_;
  const sqlite::Run run_;
  const std::int64_t after_;
  const std::int64_t until_;
  const Direction direction_;
  std::int64_t last_;  // Where it is: the number of the row, or the bound at which it begins.
};

// As EventLog's methods of these names, on the connection's present snapshot. A damaged event is Error
// `corrupt` and names its position.
[[nodiscard]] std::vector<RecordedEvent> read_all(sqlite::Connection& connection, Position after,
                                                  std::size_t events_max);
[[nodiscard]] std::vector<RecordedEvent> read_stream(sqlite::Connection& connection, const StreamId& stream,
                                                     Version after, std::size_t events_max);
// For verification: a damaged event is given as it is, and called damaged.
struct Scanned {
  RecordedEvent event;
  bool intact = true;
};
[[nodiscard]] std::vector<Scanned> scan(sqlite::Connection& connection, Position after, std::size_t events_max);

// The events of a stream above version `after` and before version `until`, which is there.
[[nodiscard]] std::vector<RecordedEvent> read_versions(sqlite::Connection& connection, const StreamId& stream,
                                                       Version after, Version until,
                                                       std::size_t events_max = all_events);

void insert(sqlite::Connection& connection, const RecordedEvent& event);

// Together they cost less: SQLite looks for the ends of the table and of its index once a statement.
inline constexpr std::size_t rows_a_statement = 16;
void insert(sqlite::Connection& connection, std::span<const Message> messages);

}  // namespace freshet::log
