// The hand-written program: connection, tables and appends. Reading and projecting are in hand_written_reads.cpp.
#include "bench/hand_written.hpp"

#include <chrono>

#include "base/ensure.hpp"

namespace freshet::bench::hand_written {
namespace {

// Freshet's tables without its triggers. The read tables have no suffix.
constexpr const char* tables_sql = R"(
  CREATE TABLE IF NOT EXISTS streams (
    number INTEGER PRIMARY KEY, category TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (category, id)) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
    schema_version INTEGER NOT NULL, data ANY NOT NULL, content_type TEXT, metadata TEXT,
    occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS events_of_stream ON events (stream, version);
  CREATE TABLE IF NOT EXISTS commands (
    id TEXT PRIMARY KEY, stream INTEGER, target TEXT, first INTEGER NOT NULL, last INTEGER NOT NULL,
    version INTEGER NOT NULL, outcome TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS orders (
    stream INTEGER PRIMARY KEY, order_id TEXT NOT NULL, customer TEXT NOT NULL, status TEXT NOT NULL,
    currency TEXT NOT NULL, amount_minor INTEGER NOT NULL, freight_minor INTEGER NOT NULL, paid_minor INTEGER,
    version INTEGER NOT NULL, placed_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS order_items (stream INTEGER PRIMARY KEY, items TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS orders_by_time ON orders (placed_at);
  CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, placed_at);
  CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer, placed_at);
  CREATE TABLE IF NOT EXISTS revenue (
    day TEXT NOT NULL, currency TEXT NOT NULL, orders INTEGER NOT NULL, revenue_minor INTEGER NOT NULL,
    PRIMARY KEY (day, currency)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS checkpoint (position INTEGER NOT NULL) STRICT;
  INSERT INTO checkpoint SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM checkpoint);
)";

constexpr int busy_timeout_ms = 60'000;

}  // namespace

Statement::Statement(sqlite3* database, const char* sql) {
  const int result = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  ensure(result == SQLITE_OK, "the hand-written program's SQL is right");
}

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  ensure(result == SQLITE_DONE, "the hand-written program's statements run");
  sqlite3_reset(statement_);
  return false;
}

Database::Database(const std::filesystem::path& file, Sync sync) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  ensure(sqlite3_open_v2(file.c_str(), &database_, flags, nullptr) == SQLITE_OK, "the file can be opened");
  sqlite3_busy_timeout(database_, busy_timeout_ms);
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000");
  execute(sync == Sync::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  execute(tables_sql);
}

Database::~Database() {
  sqlite3_close(database_);
}

void Database::execute(const char* sql) {
  ensure(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, "the hand-written program's SQL runs");
}

Log::Log(Database& database)
    : begin_(database.handle(), "BEGIN IMMEDIATE"),
      commit_(database.handle(), "COMMIT"),
      insert_stream_(database.handle(), "INSERT INTO streams (number, category, id) VALUES (?, 'order', ?)"),
      insert_event_(database.handle(), "INSERT INTO events VALUES (?, ?, ?, ?, 1, ?, NULL, NULL, ?, ?, ?)"),
      insert_key_(database.handle(), "INSERT INTO commands VALUES (?1, ?2, NULL, ?3, ?3, ?4, '')") {}

std::int64_t Log::insert(const Supplied& supplied) {
  const auto [entry, is_new] = streams_.try_emplace(supplied.stream.id, static_cast<std::int64_t>(streams_.size()) + 1);
  const std::int64_t stream = entry->second;
  if (is_new) {
    insert_stream_.bind(1, stream);
    insert_stream_.bind(2, std::string_view{supplied.stream.id});
    insert_stream_.step();
  }
  const NewEvent& event = supplied.planned->event;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()).time_since_epoch().count();
  insert_event_.bind(1, ++position_);
  insert_event_.bind(2, stream);
  insert_event_.bind(3, supplied.version);
  insert_event_.bind(4, std::string_view{event.type});
  insert_event_.bind(5, std::string_view{event.data});
  insert_event_.bind(6, std::int64_t{event.occurred_at->time_since_epoch().count()});
  insert_event_.bind(7, std::int64_t{now});
  // In the place of the checksum, and as wide.
  insert_event_.bind(8, now * position_);
  insert_event_.step();
  return stream;
}

void Log::insert_key(const std::string& key, std::int64_t stream, std::int64_t version) {
  insert_key_.bind(1, std::string_view{key});
  insert_key_.bind(2, stream);
  insert_key_.bind(3, position_);
  insert_key_.bind(4, version);
  insert_key_.step();
}

}  // namespace freshet::bench::hand_written
