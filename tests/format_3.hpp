// Files as the release that wrote format 3 would have left them.
#pragma once

#include <filesystem>
#include <string>

#include "log/events_of_3.hpp"
#include "log/upgrade.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/loose_tables.hpp"

namespace freshet::tests {

namespace detail {

// Word for word what format 3 had in the place of tables that are other ones now.
inline constexpr const char* tables_of_3 = R"sql(
CREATE TABLE events (
  position       INTEGER PRIMARY KEY,
  stream         INTEGER NOT NULL,  -- streams.number
  version        INTEGER NOT NULL,
  type           TEXT NOT NULL,
  schema_version INTEGER NOT NULL,  -- the form of this type's data, from 1
  data           ANY NOT NULL,      -- JSON text; a blob where content_type says something else
  content_type   TEXT,              -- NULL: application/json
  metadata       TEXT,              -- JSON; NULL: none
  occurred_at    INTEGER NOT NULL,  -- microseconds since 1970, UTC
  recorded_at    INTEGER NOT NULL,  -- likewise; rises with the position
  checksum       INTEGER NOT NULL   -- XXH3, 64 bits, of all of the above
) STRICT;
CREATE UNIQUE INDEX events_of_stream ON events (stream, version);
CREATE TABLE commands (
  id      TEXT PRIMARY KEY,
  stream  INTEGER,  -- streams.number; NULL: refused before the stream existed
  target  TEXT,     -- then the stream's name, as category/id
  first   INTEGER NOT NULL,
  last    INTEGER NOT NULL,
  version INTEGER NOT NULL,
  outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE store (
  id         TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  epoch      TEXT NOT NULL  -- anew in each backup: from there on its history is another one
) STRICT;
CREATE TABLE projections (
  number             INTEGER PRIMARY KEY,
  name               TEXT NOT NULL UNIQUE,
  schema_version     INTEGER NOT NULL,
  generation         INTEGER NOT NULL,  -- counts rebuilds
  position           INTEGER NOT NULL,
  revision           INTEGER NOT NULL,  -- counts changes of this row and of the two tables below
  duplicates_skipped INTEGER NOT NULL
) STRICT;
)sql";

inline constexpr const char* triggers_of_3 = R"sql(
CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
)sql";

}  // namespace detail

// Gives events the checksums of format 3.
inline void seal_as_3(sqlite::Connection& connection) {
  const log::EventTable& table = log::event_table_of_3();
  sqlite::Statement events(connection, table.of_log, sqlite::may_manage);
  const sqlite::Run run(events, std::int64_t{0});
  while (events.step()) {
    const RecordedEvent event =
        log::event_in(events, Position{events.integer(0)}, Version{events.integer(1)}, log::stream_in(events));
    sqlite::Run(connection.statement("UPDATE events SET checksum = ? WHERE position = ?"), table.checksum(event),
                event.position.value)
        .finish();
  }
}

// Turns a file of this release into one of format 3 that says the same, but for the ends of appends and what keys
// belong to: the ids of a correlation are in the metadata.
inline void turn_into_3(const std::filesystem::path& file) {
  sqlite::Connection connection({.file = file});
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  connection.execute(
      "DROP TRIGGER events_are_not_updated; DROP TRIGGER events_are_not_deleted;"
      "DROP INDEX events_of_stream;");
  sqlite::rename_table(connection, "events", "kept_events");
  // A foreign key would follow a table that gets another name.
  for (const std::string name : {"commands", "store", "projections"}) {
    connection.execute("CREATE TEMP TABLE kept_" + name + " AS SELECT * FROM " + name);
    sqlite::drop(connection, name);
  }
  connection.execute(detail::tables_of_3);
  sqlite::Run(connection.appending(
                  "INSERT INTO events SELECT position, stream, version, type, schema_version, data, content_type, "
                  "CASE WHEN correlation_id IS NULL THEN metadata ELSE "
                  "json_object('correlation_id', correlation_id, 'causation_id', causation_id) END, "
                  "occurred_at, recorded_at, 0 FROM kept_events"))
      .finish();
  connection.execute(
      "INSERT INTO commands SELECT id, stream, target, first, last, version, outcome FROM kept_commands;"
      "INSERT INTO store SELECT id, created_at, epoch FROM kept_store;"
      "INSERT INTO projections SELECT number, name, schema_version, generation, position, revision, "
      "duplicates_skipped FROM kept_projections;");
  connection.execute("DROP TABLE kept_commands; DROP TABLE kept_store; DROP TABLE kept_projections");
  for (const char* name : {"kept_events", "epochs", "projection_tables"}) sqlite::drop(connection, name);
  seal_as_3(connection);
  connection.execute(std::string(detail::triggers_of_3) + "PRAGMA user_version = 3");
  transaction.commit();
}

}  // namespace freshet::tests
