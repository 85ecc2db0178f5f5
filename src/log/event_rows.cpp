// The SQL of the log's tables, and the checksum of an event.
#include "log/event_rows.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <limits>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"

namespace freshet::log {
namespace {

constexpr std::string_view json_content_type = "application/json";

constexpr std::string_view select_after_position =
    "SELECT e.position, e.version, e.stream, e.type, e.schema_version, e.data, e.content_type, e.metadata, "
    "e.occurred_at, e.recorded_at, e.checksum, s.category, s.id FROM events e JOIN streams s ON s.number = e.stream "
    "WHERE e.position > ? ORDER BY e.position LIMIT ?";
// The same columns in the same order, but for the stream's name, which is known.
constexpr std::string_view select_of_stream =
    "SELECT position, version, stream, type, schema_version, data, content_type, metadata, occurred_at, recorded_at, "
    "checksum FROM events WHERE stream = ? AND version >= ? AND version < ? ORDER BY version LIMIT ?";

constexpr int columns = 11;  // Of the table.
constexpr const char* one_row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

Timestamp timestamp(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

std::int64_t limit(std::size_t events_max) {
  constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();
  return std::cmp_less(events_max, no_limit) ? static_cast<std::int64_t>(events_max) : no_limit;
}

StreamId stream_in(const sqlite::Statement& row) {
  return {std::string(row.text(11)), std::string(row.text(12))};
}

Scanned to_scanned(const sqlite::Statement& row, StreamId stream) {
  RecordedEvent event{.position = Position{row.integer(0)},
                      .version = Version{row.integer(1)},
                      .stream = std::move(stream),
                      .stream_number = row.integer(2),
                      .type = std::string(row.text(3)),
                      .schema_version = static_cast<int>(row.integer(4)),
                      .data = std::string(row.text(5)),
                      .content_type = std::string(row.is_null(6) ? json_content_type : row.text(6)),
                      .metadata = std::string(row.text(7)),
                      .occurred_at = timestamp(row.integer(8)),
                      .recorded_at = timestamp(row.integer(9))};
  const bool intact = checksum(event) == row.integer(10);
  return {std::move(event), intact};
}

RecordedEvent to_event(const sqlite::Statement& row, StreamId stream) {
  Scanned scanned = to_scanned(row, std::move(stream));
  if (!scanned.intact) {
    throw Error(ErrorCode::corrupt, "the event at position " + std::to_string(scanned.event.position.value) +
                                        " is damaged: its checksum differs");
  }
  return std::move(scanned.event);
}

// Each event is sound by itself; a page that has taken another's place shows in their order.
void check_follows(std::int64_t number, std::int64_t before, const char* what) {
  if (number == before + 1) return;
  throw Error(ErrorCode::corrupt,
              std::string("there is no event at ") + what + ' ' + std::to_string(before + 1) + ", where one must be");
}

// Feeds a text with its length, so that no two events feed the same bytes.
void update(XXH3_state_t& state, std::string_view text) {
  const std::uint64_t size = text.size();
  XXH3_64bits_update(&state, &size, sizeof size);
  XXH3_64bits_update(&state, text.data(), text.size());
}

// Of a failure the transaction is undone. So SQLite need not be able to undo one statement of several rows (which is
// its default, ABORT), and copies no pages for that.
std::string insert_sql(std::size_t rows) {
  std::string sql = "INSERT OR FAIL INTO events VALUES ";
  for (std::size_t row = 0; row < rows; ++row) {
    if (row > 0) sql += ", ";
    sql += one_row;
  }
  return sql;
}

void bind(sqlite::Statement& statement, std::size_t row, const RecordedEvent& event) {
  int parameter = static_cast<int>(row) * columns;
  statement.bind(++parameter, event.position.value);
  statement.bind(++parameter, event.stream_number);
  statement.bind(++parameter, event.version.value);
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

std::optional<std::int64_t> find_stream(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run run(connection.statement("SELECT number FROM streams WHERE category = ? AND id = ?"),
                  std::string_view{stream.category}, std::string_view{stream.id});
  if (!run.next()) return std::nullopt;
  return run.integer(0);
}

std::optional<std::int64_t> make_stream(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run(connection.statement("INSERT INTO streams (category, id) VALUES (?, ?) ON CONFLICT DO NOTHING"),
              std::string_view{stream.category}, std::string_view{stream.id})
      .finish();
  if (connection.rows_changed() == 0) return std::nullopt;
  return connection.last_inserted();
}

std::int64_t checksum(const RecordedEvent& event) {
  static_assert(std::endian::native == std::endian::little, "numbers are fed as they lie in memory");
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  const std::int64_t numbers[] = {event.position.value,
                                  event.version.value,
                                  event.stream_number,
                                  event.schema_version,
                                  event.occurred_at.time_since_epoch().count(),
                                  event.recorded_at.time_since_epoch().count()};
  XXH3_64bits_update(&state, numbers, sizeof numbers);
  update(state, event.stream.category);
  update(state, event.stream.id);
  update(state, event.type);
  update(state, event.content_type);
  update(state, event.metadata);
  update(state, event.data);
  return std::bit_cast<std::int64_t>(XXH3_64bits_digest(&state));
}

std::vector<RecordedEvent> read_all(sqlite::Connection& connection, Position after, std::size_t events_max) {
  auto& statement = connection.statement(select_after_position);
  const sqlite::Run run(statement, after.value, limit(events_max));
  std::vector<RecordedEvent> events;
  while (statement.step()) {
    events.push_back(to_event(statement, stream_in(statement)));
    check_follows(events.back().position.value, after.value++, "position");
  }
  return events;
}

std::vector<RecordedEvent> read_versions(sqlite::Connection& connection, const NumberedStream& stream, Version from,
                                         Version until, std::size_t events_max) {
  auto& statement = connection.statement(select_of_stream);
  const sqlite::Run run(statement, stream.number, from.value, until.value, limit(events_max));
  std::vector<RecordedEvent> events;
  while (statement.step()) {
    events.push_back(to_event(statement, stream.id));
    check_follows(events.back().version.value, from.value++ - 1, "version");
  }
  return events;
}

std::vector<Scanned> scan(sqlite::Connection& connection, Position after, std::size_t events_max) {
  auto& statement = connection.statement(select_after_position);
  const sqlite::Run run(statement, after.value, limit(events_max));
  std::vector<Scanned> scanned;
  while (statement.step()) scanned.push_back(to_scanned(statement, stream_in(statement)));
  return scanned;
}

std::vector<RecordedEvent> read_stream(sqlite::Connection& connection, const StreamId& stream, Version after,
                                       std::size_t events_max) {
  const auto number = find_stream(connection, stream);
  if (!number) return {};
  return read_versions(connection, {stream, *number}, Version{after.value + 1},
                       Version{std::numeric_limits<std::int64_t>::max()}, events_max);
}

void insert(sqlite::Connection& connection, const RecordedEvent& event) {
  static const std::string sql = insert_sql(1);
  auto& statement = connection.statement(sql);
  sqlite::Run run(statement);
  bind(statement, 0, event);
  run.finish();
}

void insert(sqlite::Connection& connection, std::span<const Message> messages) {
  static const std::string sql = insert_sql(rows_a_statement);
  for (; messages.size() >= rows_a_statement; messages = messages.subspan(rows_a_statement)) {
    auto& statement = connection.statement(sql);
    sqlite::Run run(statement);
    for (std::size_t row = 0; row < rows_a_statement; ++row) bind(statement, row, *messages[row].event);
    run.finish();
  }
  for (const Message& message : messages) insert(connection, *message.event);
}

}  // namespace freshet::log
