// The SQL of the log's tables, and the checksum of an event.
#include "log/event_rows.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/ensure.hpp"
#include "base/joined.hpp"
#include "base/utf8.hpp"
#include "freshet/error.hpp"
#include "log/event_hash.hpp"
#include "log/events_of_3.hpp"
#include "log/format.hpp"

namespace freshet::log {
namespace {

constexpr std::string_view json_content_type = "application/json";

constexpr std::string_view select_of_log =
    "SELECT e.position, e.version, e.stream, e.type, e.schema_version, e.data, e.content_type, e.metadata, "
    "e.occurred_at, e.recorded_at, e.xxh3, e.append_end, e.correlation_id, e.causation_id, s.category, s.id "
    "FROM events e JOIN streams s ON s.number = e.stream WHERE e.position ";
constexpr std::string_view above_position = "> ? ORDER BY e.position";
constexpr std::string_view below_position = "< ? ORDER BY e.position DESC";
constexpr std::string_view select_of_stream =
    "SELECT position, version, stream, type, schema_version, data, content_type, metadata, occurred_at, recorded_at, "
    "xxh3, append_end, correlation_id, causation_id FROM events WHERE stream = "
    "(SELECT number FROM streams WHERE category = ? AND id = ?) AND version ";
constexpr std::string_view above_version = "> ? ORDER BY version";
constexpr std::string_view below_version = "< ? ORDER BY version DESC";

constexpr EventTable newest_table = {.of_log = joined<select_of_log, above_position>,
                                     .of_log_backwards = joined<select_of_log, below_position>,
                                     .of_stream = joined<select_of_stream, above_version>,
                                     .of_stream_backwards = joined<select_of_stream, below_version>,
                                     .checksum = checksum};

const EventTable& table_of(sqlite::Connection& connection) {
  return connection.has_user_version(format_version) ? newest_table : event_table_of_3();
}

// Room that is made for events before it is known how many there are.
constexpr std::size_t events_expected = 4;

constexpr int columns = 14;  // The table of events has so many.
constexpr std::string_view one_row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

Timestamp timestamp(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

void check_intact(const RecordedEvent& event, const sqlite::Statement& row, const EventTable& table) {
  if (is_intact(event, row, table)) return;
  throw Error(ErrorCode::corrupt,
              "the event at position " + std::to_string(event.position.value) + " is damaged: its checksum differs");
}

// Of a failure the transaction is undone. So SQLite need not be able to undo one statement of several rows (which is
// its default, ABORT), and copies no pages for that.
constexpr std::string_view insert_into = "INSERT OR FAIL INTO events VALUES ";
constexpr std::string_view between_rows = ", ";

template <std::size_t rows>
constexpr auto insert_letters = [] {
  std::array<char, insert_into.size() + rows * one_row.size() + (rows - 1) * between_rows.size()> letters{};
  auto* end = std::ranges::copy(insert_into, letters.begin()).out;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row > 0) end = std::ranges::copy(between_rows, end).out;
    end = std::ranges::copy(one_row, end).out;
  }
  return letters;
}();

template <std::size_t rows>
constexpr std::string_view insert_rows{insert_letters<rows>.data(), insert_letters<rows>.size()};

void bind(sqlite::Statement& statement, std::size_t row, const RecordedEvent& event) {
  int parameter = static_cast<int>(row) * columns;
  statement.bind(++parameter, event.position.value);
  statement.bind(++parameter, event.stream_number);
  statement.bind(++parameter, event.version.value);
  if (event.append_end == event.position) {
    statement.bind_null(++parameter);
  } else {
    statement.bind(++parameter, event.append_end.value);
  }
  statement.bind(++parameter, std::string_view{event.type});
  statement.bind(++parameter, std::int64_t{event.schema_version});
  if (event.content_type == json_content_type) {
    statement.bind(++parameter, std::string_view{event.data});
    statement.bind_null(++parameter);
  } else {
    statement.bind_blob(++parameter, event.data);
    statement.bind(++parameter, std::string_view{event.content_type});
  }
  if (event.metadata.empty()) {
    statement.bind_null(++parameter);
  } else {
    statement.bind(++parameter, std::string_view{event.metadata});
  }
  if (event.correlation) {
    statement.bind(++parameter, std::string_view{event.correlation->correlation_id});
    statement.bind(++parameter, std::string_view{event.correlation->causation_id});
  } else {
    statement.bind_null(++parameter);
    statement.bind_null(++parameter);
  }
  statement.bind(++parameter, std::int64_t{event.occurred_at.time_since_epoch().count()});
  statement.bind(++parameter, std::int64_t{event.recorded_at.time_since_epoch().count()});
  statement.bind(++parameter, checksum(event));
}

}  // namespace

Last last_of_log(sqlite::Connection& connection) {
  sqlite::Run run(connection.statement("SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1"));
  if (!run.next()) return {};
  return {.position = Position{run.integer(0)}, .recorded_at = timestamp(run.integer(1))};
}

// Both name only what the index of streams holds, so that the table of events is not looked at.
std::optional<StreamEnd> find_stream_end(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run run(connection.statement("SELECT e.stream, e.position, e.version FROM streams s CROSS JOIN events e "
                                       "ON e.stream = s.number WHERE s.category = ? AND s.id = ? "
                                       "ORDER BY e.version DESC LIMIT 1"),
                  std::string_view{stream.category}, std::string_view{stream.id});
  if (!run.next()) return std::nullopt;
  return StreamEnd{run.integer(0), Position{run.integer(1)}, Version{run.integer(2)}};
}

StreamEnd end_of_stream(sqlite::Connection& connection, std::int64_t number) {
  sqlite::Run run(connection.statement("SELECT position, version FROM events WHERE stream = ? "
                                       "ORDER BY version DESC LIMIT 1"),
                  number);
  if (!run.next()) return {number, {}, {}};
  return {number, Position{run.integer(0)}, Version{run.integer(1)}};
}

Position position_of(sqlite::Connection& connection, std::int64_t stream, Version version) {
  sqlite::Run run(connection.statement("SELECT position FROM events WHERE stream = ? AND version = ?"), stream,
                  version.value);
  if (run.next()) return Position{run.integer(0)};
  throw Error(ErrorCode::corrupt, "there is no event at version " + std::to_string(version.value) + " of stream " +
                                      std::to_string(stream) + ", where one must be");
}

Version version_at(sqlite::Connection& connection, std::int64_t stream, Position position) {
  if (position < Position{1}) return {};
  const StreamEnd end = end_of_stream(connection, stream);
  if (end.position <= position) return end.version;
  // Positions and versions of a stream rise together, and versions have no gaps.
  std::int64_t below = 0;
  for (std::int64_t above = end.version.value; above - below > 1;) {
    const std::int64_t middle = below + (above - below) / 2;
    (position_of(connection, stream, Version{middle}) <= position ? below : above) = middle;
  }
  return Version{below};
}

std::optional<std::int64_t> find_stream(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run run(connection.statement("SELECT number FROM streams WHERE category = ? AND id = ?"),
                  std::string_view{stream.category}, std::string_view{stream.id});
  if (!run.next()) return std::nullopt;
  return run.integer(0);
}

std::optional<std::int64_t> make_stream(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run(connection.appending("INSERT INTO streams (category, id) VALUES (?, ?) ON CONFLICT DO NOTHING"),
              std::string_view{stream.category}, std::string_view{stream.id})
      .finish();
  if (connection.rows_changed() == 0) return std::nullopt;
  return connection.last_inserted();
}

std::int64_t checksum(const RecordedEvent& event) {
  const std::array numbers{event.position.value,
                           event.append_end.value,
                           event.version.value,
                           std::int64_t{event.schema_version},
                           std::int64_t{event.occurred_at.time_since_epoch().count()},
                           std::int64_t{event.recorded_at.time_since_epoch().count()}};
  // An id is never empty, so none is told from any.
  const std::string_view correlation = event.correlation ? event.correlation->correlation_id : std::string_view{};
  const std::string_view causation = event.correlation ? event.correlation->causation_id : std::string_view{};
  return hash_of(numbers,
                 std::array<std::string_view, 8>{event.stream.category, event.stream.id, event.type, event.content_type,
                                                 event.metadata, event.data, correlation, causation});
}

bool is_correlation_id(std::string_view id) {
  return !id.empty() && id.size() <= correlation_id_bytes_max && is_utf8(id);
}

StreamId stream_in(const sqlite::Statement& row) {
  return {std::string(row.text(14)), std::string(row.text(15))};
}

RecordedEvent event_in(const sqlite::Statement& row, Position position, Version version, StreamId stream) {
  RecordedEvent event{.position = position,
                      .version = version,
                      .stream = std::move(stream),
                      .stream_number = row.integer(2),
                      .type = std::string(row.text(3)),
                      .schema_version = static_cast<int>(row.integer(4)),
                      .data = std::string(row.text(5)),
                      .content_type = std::string(row.is_null(6) ? json_content_type : row.text(6)),
                      .metadata = std::string(row.text(7)),
                      .occurred_at = timestamp(row.integer(8)),
                      .recorded_at = timestamp(row.integer(9)),
                      .append_end = row.is_null(11) ? position : Position{row.integer(11)}};
  // Metadata of an older format may hold anything.
  if (!row.is_null(12) && is_correlation_id(row.text(12)) && is_correlation_id(row.text(13))) {
    event.correlation = {std::string(row.text(12)), std::string(row.text(13))};
  }
  return event;
}

bool is_intact(const RecordedEvent& event, const sqlite::Statement& row, const EventTable& table) {
  return table.checksum(event) == row.integer(10);
}

EventRows::EventRows(sqlite::Connection& connection, std::int64_t after, std::int64_t until, Direction direction)
    : table_(table_of(connection)),
      stream_(nullptr),
      statement_(connection.statement(direction == Direction::backwards ? table_.of_log_backwards : table_.of_log)),
      run_(statement_, direction == Direction::backwards ? until : after),
      after_(after),
      until_(until),
      direction_(direction),
      last_(direction == Direction::backwards ? until : after) {
  ensure(direction == Direction::forwards || until != no_end, "who reads backwards knows where to begin");
}

EventRows::EventRows(sqlite::Connection& connection, const StreamId& stream, std::int64_t after, std::int64_t until,
                     Direction direction)
    : table_(table_of(connection)),
      stream_(&stream),
      statement_(
          connection.statement(direction == Direction::backwards ? table_.of_stream_backwards : table_.of_stream)),
      run_(statement_, std::string_view{stream.category}, std::string_view{stream.id},
           direction == Direction::backwards ? until : after),
      after_(after),
      until_(until),
      direction_(direction),
      last_(direction == Direction::backwards ? until : after) {
  ensure(direction == Direction::forwards || until != no_end, "who reads backwards knows where to begin");
}

// Each event is sound by itself; a page that has taken another's place shows in their order, and one that is lost where
// rows end too soon.
bool EventRows::next() {
  const std::int64_t step = direction_ == Direction::backwards ? -1 : 1;
  const std::int64_t end = direction_ == Direction::backwards ? after_ : until_;
  if ((end - last_) * step <= 1) return false;
  if (!statement_.step()) {
    if (end != no_end) fail_without(last_ + step);
    return false;
  }
  const std::int64_t number = statement_.integer(stream_ == nullptr ? 0 : 1);
  if (number - step != last_) fail_without(last_ + step);
  last_ = number;
  return true;
}

std::string_view EventRows::category() const {
  return statement_.text(14);
}

RecordedEvent EventRows::event() const {
  RecordedEvent event =
      stream_ == nullptr ? event_in(statement_, Position{last_}, Version{statement_.integer(1)}, stream_in(statement_))
                         : event_in(statement_, Position{statement_.integer(0)}, Version{last_}, *stream_);
  check_intact(event, statement_, table_);
  return event;
}

void EventRows::fail_without(std::int64_t number) const {
  throw Error(ErrorCode::corrupt, std::string("there is no event at ") +
                                      (stream_ == nullptr ? "position " : "version ") + std::to_string(number) +
                                      ", where one must be");
}

std::vector<RecordedEvent> read_all(sqlite::Connection& connection, Position after, std::size_t events_max) {
  EventRows rows(connection, std::max(after, Position{}).value, EventRows::no_end, Direction::forwards);
  std::vector<RecordedEvent> events;
  while (events.size() < events_max && rows.next()) events.push_back(rows.event());
  return events;
}

std::vector<RecordedEvent> read_versions(sqlite::Connection& connection, const StreamId& stream, Version after,
                                         Version until, std::size_t events_max) {
  EventRows rows(connection, stream, after.value, until.value, Direction::forwards);
  std::vector<RecordedEvent> events;
  while (events.size() < events_max && rows.next()) {
    if (events.empty()) events.reserve(std::min(events_max, events_expected));
    events.push_back(rows.event());
  }
  return events;
}

std::vector<Scanned> scan(sqlite::Connection& connection, Position after, std::size_t events_max) {
  const EventTable& table = table_of(connection);
  auto& statement = connection.statement(table.of_log);
  const sqlite::Run run(statement, after.value);
  std::vector<Scanned> scanned;
  while (scanned.size() < events_max && statement.step()) {
    Scanned& last = scanned.emplace_back(
        event_in(statement, Position{statement.integer(0)}, Version{statement.integer(1)}, stream_in(statement)));
    last.intact = is_intact(last.event, statement, table);
  }
  return scanned;
}

std::vector<RecordedEvent> read_stream(sqlite::Connection& connection, const StreamId& stream, Version after,
                                       std::size_t events_max) {
  return read_versions(connection, stream, std::max(after, Version{}), Version{EventRows::no_end}, events_max);
}

void insert(sqlite::Connection& connection, const RecordedEvent& event) {
  auto& statement = connection.appending(insert_rows<1>);
  sqlite::Run run(statement);
  bind(statement, 0, event);
  run.finish();
}

void insert(sqlite::Connection& connection, std::span<const Message> messages) {
  for (; messages.size() >= rows_a_statement; messages = messages.subspan(rows_a_statement)) {
    auto& statement = connection.appending(insert_rows<rows_a_statement>);
    sqlite::Run run(statement);
    for (std::size_t row = 0; row < rows_a_statement; ++row) bind(statement, row, *messages[row].event);
    run.finish();
  }
  for (const Message& message : messages) insert(connection, *message.event);
}

}  // namespace freshet::log
