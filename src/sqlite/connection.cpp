// Opening a file with the settings that every connection needs, and its transactions.
#include "sqlite/connection.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <chrono>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "sqlite/failure.hpp"

namespace freshet::sqlite {
namespace {

// More texts than any application writes out; a program that pastes values into its SQL meets it.
constexpr std::size_t statements_max = 512;

int flags(Access access) {
  switch (access) {
    case Access::read_only:
      return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    case Access::read_write:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    case Access::create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  }
  ensure(false, "an access mode is one of its enumerators");
  return 0;
}

SQLite::Database open(const ConnectionOptions& options) {
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options.busy_timeout);
  try {
    return SQLite::Database(options.file.string(), flags(options.access), static_cast<int>(timeout.count()));
  } catch (const SQLite::Exception& exception) {
    fail(exception.getExtendedErrorCode(), "cannot open '" + options.file.string() + "'", exception.what());
  }
}

}  // namespace

std::string expand_table_names(std::string_view sql, std::string_view suffix) {
  std::string expanded;
  expanded.reserve(sql.size() + 4 * suffix.size());
  for (const char character : sql) {
    if (character == '{') continue;
    if (character == '}') {
      expanded += suffix;
    } else {
      expanded += character;
    }
  }
  return expanded;
}

Statement& StatementCache::get(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    if (statements_.size() >= statements_max) {
      std::erase_if(statements_, [](const auto& kept) { return !kept.second->is_running(); });
    }
    auto statement = std::make_unique<Statement>(connection_.handle(), expand_table_names(sql, suffix_));
    found = statements_.emplace(std::string(sql), std::move(statement)).first;
  }
  ensure(!found->second->is_running(), "one text is queried once at a time on a connection");
  return *found->second;
}

Connection::Connection(const ConnectionOptions& options) : database_(open(options)), statements_(*this, "") {
  sqlite3_extended_result_codes(handle(), 1);
  // recursive_triggers: without it INSERT OR REPLACE gets round the triggers of an append-only table.
  execute(
      "PRAGMA recursive_triggers = ON; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
      "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;");
  execute(options.sync == Sync::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

Connection::~Connection() = default;

void Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(handle(), "cannot run '" + sql + "'");
  }
}

std::int64_t Connection::integer(std::string_view sql) {
  Run run(statement(sql));
  ensure(run.next(), "a query for one number has a row");
  return run.integer(0);
}

bool Connection::is_in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

void Connection::leave_checkpoint_to_others() {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  Run(connection_.statement(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN")).finish();
}

Transaction::~Transaction() {
  // After some failures (disk full, I/O) SQLite has rolled back by itself.
  if (!open_ || !connection_.is_in_transaction()) return;
  try {
    Run(connection_.statement("ROLLBACK")).finish();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the failure that led here is on its way already.
  }
}

void Transaction::commit() {
  Run(connection_.statement("COMMIT")).finish();
  open_ = false;
}

}  // namespace freshet::sqlite
