// The table of snapshots. It is made when the first one is kept, so that files without it are of the same format.
#include "log/state_snapshots.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

#include "base/deliberate_bug.hpp"
#include "log/event_rows.hpp"

namespace freshet::log {
namespace {

// Compared to the letter, so another form of it needs another name.
constexpr const char* table_sql =
    R"sql(CREATE TABLE state_snapshots (
  stream   INTEGER NOT NULL,
  name     TEXT NOT NULL,     -- of the state; several deciders may fold one stream
  schema   INTEGER NOT NULL,  -- of the state's form and meaning
  version  INTEGER NOT NULL,  -- of the stream; everything up to it is in the state
  position INTEGER NOT NULL,  -- of the event with this version
  state    BLOB NOT NULL,     -- as the application encodes it
  checksum INTEGER NOT NULL,  -- XXH3, 64 bits, of all of the above
  PRIMARY KEY (stream, name)
) STRICT)sql";

enum class Table {
  missing,
  usable,
  foreign,  // A projection has a table of this name, or this one was tampered with. No snapshots then.
};

Table look_for_table(sqlite::Connection& connection) {
  sqlite::Run run(connection.statement("SELECT sql FROM sqlite_master WHERE name = 'state_snapshots'"));
  if (!run.next()) return Table::missing;
  return run.text(0) == table_sql ? Table::usable : Table::foreign;
}

std::int64_t checksum(const StateSnapshot& snapshot, const StreamEnd& at) {
  const std::int64_t numbers[] = {at.number, at.version.value, at.position.value, snapshot.schema,
                                  static_cast<std::int64_t>(snapshot.name.size())};
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, numbers, sizeof numbers);
  XXH3_64bits_update(&state, snapshot.name.data(), snapshot.name.size());
  XXH3_64bits_update(&state, snapshot.state.data(), snapshot.state.size());
  return std::bit_cast<std::int64_t>(XXH3_64bits_digest(&state));
}

}  // namespace

std::optional<KeptSnapshot> find_snapshot(sqlite::Connection& connection, const StreamId& stream, std::string_view name,
                                          int schema) {
  if (look_for_table(connection) != Table::usable) return std::nullopt;
  // With the event that it names, or not at all.
  sqlite::Run run(
      connection.statement("SELECT k.stream, k.version, k.position, k.schema, k.state, k.checksum FROM streams s "
                           "CROSS JOIN state_snapshots k ON k.stream = s.number "
                           "CROSS JOIN events e ON e.stream = k.stream AND e.version = k.version "
                           "WHERE s.category = ? AND s.id = ? AND k.name = ? AND e.position = k.position"),
      std::string_view{stream.category}, std::string_view{stream.id}, name);
  if (!run.next()) return std::nullopt;
  StateSnapshot found{std::string(name), static_cast<int>(run.integer(3)), std::string(run.text(4))};
  if (found.schema != schema && !deliberately(Bug::snapshot_of_any_schema)) return std::nullopt;
  const StreamEnd at{run.integer(0), Position{run.integer(2)}, Version{run.integer(1)}};
  if (checksum(found, at) != run.integer(5)) return std::nullopt;
  return KeptSnapshot{at.version, at.position, std::move(found.state)};
}

void keep_snapshot(sqlite::Connection& connection, std::int64_t stream_number, const StateSnapshot& snapshot) {
  if (snapshot.state.size() > snapshot_bytes_max) return;
  const Table table = look_for_table(connection);
  if (table == Table::foreign) return;
  if (table == Table::missing) connection.execute(table_sql);
  const StreamEnd end = end_of_stream(connection, stream_number);
  sqlite::Statement& insert =
      connection.statement("INSERT OR REPLACE INTO state_snapshots VALUES (?, ?, ?, ?, ?, ?, ?)");
  sqlite::Run run(insert, stream_number, std::string_view{snapshot.name}, std::int64_t{snapshot.schema},
                  end.version.value, end.position.value, std::string_view{}, checksum(snapshot, end));
  insert.bind_blob(6, snapshot.state);
  run.finish();
}

}  // namespace freshet::log
