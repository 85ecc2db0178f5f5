// Reading events of format 3, and writing them anew.
#include "log/events_of_3.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/joined.hpp"
#include "freshet/error.hpp"
#include "log/event_hash.hpp"
#include "log/schema.hpp"
#include "sqlite/failure.hpp"
#include "sqlite/loose_tables.hpp"

namespace freshet::log {
namespace {

// The table while its events are carried over.
constexpr const char* old_table = "events_of_format_3";

std::int64_t checksum_of_3(const RecordedEvent& event) {
  const std::array numbers{event.position.value,
                           event.version.value,
                           event.stream_number,
                           std::int64_t{event.schema_version},
                           std::int64_t{event.occurred_at.time_since_epoch().count()},
                           std::int64_t{event.recorded_at.time_since_epoch().count()}};
  return hash_of(numbers, std::array<std::string_view, 6>{event.stream.category, event.stream.id, event.type,
                                                          event.content_type, event.metadata, event.data});
}

// The columns of an EventTable, the stream's name excepted. An event has both ids if its metadata name both, as texts.
constexpr std::string_view columns_before =
    "SELECT e.position, e.version, e.stream, e.type, e.schema_version, e.data, e.content_type, e.metadata, "
    "e.occurred_at, e.recorded_at, e.checksum, NULL, CASE WHEN ";
constexpr std::string_view has_ids =
    "json_valid(e.metadata) AND json_type(e.metadata, '$.correlation_id') = 'text' AND "
    "json_type(e.metadata, '$.causation_id') = 'text'";
constexpr std::string_view then_correlation = " THEN json_extract(e.metadata, '$.correlation_id') END, CASE WHEN ";
constexpr std::string_view then_causation = " THEN json_extract(e.metadata, '$.causation_id') END";
constexpr std::string_view select_columns = joined<columns_before, has_ids, then_correlation, has_ids, then_causation>;

constexpr std::string_view from_log =
    ", s.category, s.id FROM events e JOIN streams s ON s.number = e.stream WHERE e.position ";
constexpr std::string_view from_stream =
    " FROM events e WHERE stream = (SELECT number FROM streams WHERE category = ? AND id = ?) AND version ";
constexpr std::string_view above_position = "> ? ORDER BY e.position";
constexpr std::string_view below_position = "< ? ORDER BY e.position DESC";
constexpr std::string_view above_version = "> ? ORDER BY version";
constexpr std::string_view below_version = "< ? ORDER BY version DESC";

constexpr EventTable table = {.of_log = joined<select_columns, from_log, above_position>,
                              .of_log_backwards = joined<select_columns, from_log, below_position>,
                              .of_stream = joined<select_columns, from_stream, above_version>,
                              .of_stream_backwards = joined<select_columns, from_stream, below_version>,
                              .checksum = checksum_of_3};

// The names and the SQL of the triggers on the table of events.
std::vector<std::pair<std::string, std::string>> triggers(sqlite::Connection& connection) {
  std::vector<std::pair<std::string, std::string>> found;
  sqlite::Run run(
      connection.statement("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND "
                           "tbl_name = 'events'"));
  while (run.next()) found.emplace_back(run.text(0), run.text(1));
  return found;
}

// Everything that the row holds is taken over as it is stored, whatever the event says that was read from it.
void carry_over(const sqlite::Statement& row, sqlite::Statement& insert) {
  const RecordedEvent event = event_in(row, Position{row.integer(0)}, Version{row.integer(1)}, stream_in(row));
  const std::int64_t sound = checksum(event);
  sqlite::Run run(insert);
  int parameter = 0;
  for (const int column : {0, 2, 1, 11, 3, 4, 5, 6, 7}) insert.bind_column(++parameter, row, column);
  if (event.correlation) {
    insert.bind(++parameter, std::string_view{event.correlation->correlation_id});
    insert.bind(++parameter, std::string_view{event.correlation->causation_id});
  } else {
    insert.bind_null(++parameter);
    insert.bind_null(++parameter);
  }
  for (const int column : {8, 9}) insert.bind_column(++parameter, row, column);
  insert.bind(++parameter, is_intact(event, row, event_table_of_3()) ? sound : ~sound);
  run.finish();
}

// An event whose stream is missing is damaged, and goes along.
void carry_rows_over(sqlite::Connection& connection) {
  sqlite::Statement select(connection,
                           std::string(select_columns) + ", s.category, s.id FROM " + old_table +
                               " e LEFT JOIN streams s ON s.number = e.stream ORDER BY e.position",
                           sqlite::may_manage);
  sqlite::Statement insert(connection, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           sqlite::may_append);
  while (select.step()) carry_over(select, insert);
}

}  // namespace

const EventTable& event_table_of_3() {
  return table;
}

void carry_events_over(sqlite::Connection& connection) {
  // What is dropped here stands in the new table. To overwrite it as well, as some builds of SQLite do, would take as
  // long as to write it.
  connection.execute("PRAGMA secure_delete = OFF");
  const auto kept = triggers(connection);
  for (const auto& [name, sql] : kept) sqlite::drop(connection, name);
  connection.execute("DROP INDEX events_of_stream");
  sqlite::rename_table(connection, "events", old_table);
  const auto made = schema();
  connection.execute(std::string(made.at("events")));
  connection.execute(std::string(made.at("events_of_stream")));
  try {
    carry_rows_over(connection);
  } catch (const sqlite::Failure& failure) {
    if (failure.code() != ErrorCode::invalid) throw;
    throw Error(ErrorCode::corrupt,
                std::string("the table of events is damaged, and cannot be carried over: ") + failure.what());
  }
  sqlite::drop(connection, old_table);
  for (const auto& [name, sql] : kept) connection.execute(sql);
}

}  // namespace freshet::log
