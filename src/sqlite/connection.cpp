// Opening a file with the settings that every connection needs, and its transactions.
#include "sqlite/connection.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <system_error>
#include <thread>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "sqlite/failure.hpp"
#include "sqlite/names.hpp"

namespace freshet::sqlite {
namespace {

// More texts than any application writes out; a program that pastes values into its SQL meets it.
constexpr std::size_t statements_max = 512;

// Between two tries for a lock. SQLite's own handler soon sleeps for 100 ms and then, beside a process that
// writes without a pause, seldom meets the moment between two transactions: it waits in vain for seconds.
constexpr std::chrono::milliseconds busy_pause{1};

// Newer events in the write-ahead log than can be written back make it grow, such as beside a reader that
// keeps its snapshot. Once it starts again from its beginning, it is cut back to this: twice the size at
// which it is written back.
constexpr const char* log_bytes_kept = "33554432";

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

// SQLite's bound for the names of the files beside a database.
constexpr std::size_t path_bytes_max = 512;

// Pages in the write-ahead log above which a commit folds it into the file: seldom enough to stay out of the
// way of most appends.
constexpr int wal_pages_max = 4'000;

SQLite::Database open_as(const ConnectionOptions& options, const std::string& name, int flags) {
  errno = 0;
  try {
    return SQLite::Database(name, flags);
  } catch (const SQLite::Exception& exception) {
    const int reason = errno;
    fail(exception.getExtendedErrorCode(), "cannot open '" + options.file.string() + "'", exception.what(), reason);
  }
}

// A file that is not there at all may still be made.
bool is_writable(const std::filesystem::path& file) {
  return ::access(file.c_str(), W_OK) == 0 || (errno != EACCES && errno != EROFS);
}

// A file in write-ahead mode is read together with two files beside it, which SQLite makes if they are missing. Where
// the directory cannot be written they are missing while nobody has the store open, and then there is nothing in them
// either: the file itself is all there is, and it is read as it lies there. So is a file that may not be written in a
// directory that may: whoever may write the file could not write the two that this reader would make.
bool must_be_taken_as_it_is(SQLite::Database& database, const ConnectionOptions& options) {
  if (options.access != Access::read_only) return false;
  std::error_code ignored;
  const auto has_log = [&] { return std::filesystem::exists(options.file.string() + "-wal", ignored); };
  if (!is_writable(options.file) && !has_log()) return true;
  const int result =
      sqlite3_exec(database.getHandle(), "SELECT 1 FROM sqlite_master LIMIT 1", nullptr, nullptr, nullptr);
  const bool lacks_files = (result & 0xff) == SQLITE_CANTOPEN || (result & 0xff) == SQLITE_READONLY;
  return lacks_files && !has_log();
}

// SQLite's own bounds, of which it says only that it cannot open the file, after it has made one.
void check_name(const std::filesystem::path& file) {
  const std::string longest = file.string() + "-journal";
  if (longest.size() > path_bytes_max) {
    throw Failure(ErrorCode::io, "cannot open '" + file.string() + "': its whole name has " +
                                     std::to_string(file.string().size()) + " bytes, and SQLite takes " +
                                     std::to_string(path_bytes_max - 8) + ": choose a shorter one");
  }
  struct stat ignored{};
  if (::lstat(longest.c_str(), &ignored) != 0 && errno == ENAMETOOLONG) {
    throw Failure(ErrorCode::io, "cannot open '" + file.string() +
                                     "': its name is too long for the names of the files beside it: choose a "
                                     "shorter one");
  }
}

// The file's name for SQLite, read as one that does not change: without locks and without a write-ahead log.
std::string immutable_uri(const std::filesystem::path& file) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char character : file.string()) {
    const auto byte = static_cast<unsigned char>(character);
    if (std::string_view{"?#%"}.find(character) == std::string_view::npos) {
      uri += character;
    } else {
      uri += {'%', digits[byte / 16U], digits[byte % 16U]};
    }
  }
  return uri + "?immutable=1";
}

SQLite::Database open(const ConnectionOptions& options, std::optional<Stamp>& stamp) {
  // A scratch database may attach a store by its URI.
  if (options.file.empty()) return open_as(options, "", flags(options.access) | SQLITE_OPEN_URI);
  check_name(options.file);
  const int uri_flags = flags(options.access) | SQLITE_OPEN_URI;
  if (options.without_log) return open_as(options, immutable_uri(options.file), uri_flags);
  const Stamp before(options.file);
  SQLite::Database database = open_as(options, options.file.string(), flags(options.access));
  if (!must_be_taken_as_it_is(database, options)) return database;
  stamp = before;
  return open_as(options, immutable_uri(options.file), uri_flags);
}

const char* pragma_of(Sync sync) {
  return sync == Sync::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
}

}  // namespace

Statement& StatementCache::get(std::string_view sql) {
  Recent& found = recent(sql);
  if (found.statement == nullptr || found.sql != sql) found = find_or_prepare(sql);
  ensure(!found.statement->is_running(), "one text is queried once at a time on a connection");
  return *found.statement;
}

StatementCache::Recent& StatementCache::recent(std::string_view sql) {
  const auto place = reinterpret_cast<std::uintptr_t>(sql.data());
  return recent_[(place / alignof(std::max_align_t)) % recent_.size()];
}

StatementCache::Recent StatementCache::find_or_prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    if (statements_.size() >= statements_max) {
      std::erase_if(statements_, [](const auto& kept) { return !kept.second->is_running(); });
      recent_ = {};
    }
    auto statement = std::make_unique<Statement>(connection_, expand_names(sql, suffix_), permission_);
    found = statements_.emplace(std::string(sql), std::move(statement)).first;
  }
  return {found->first, found->second.get()};
}

Connection::Connection(const ConnectionOptions& options)
    : busy_timeout_(options.busy_timeout),
      sync_(options.sync),
      sync_now_(options.sync),
      file_(options.file),
      log_name_(options.file.string() + "-wal"),
      database_(open(options, stamp_)),
      statements_(*this, "", may_manage),
      appends_(*this, "", may_append),
      queries_(*this, "", may_read) {
  sqlite3_extended_result_codes(handle(), 1);
  sqlite3_busy_handler(handle(), wait_for_lock, this);
  sqlite3_set_authorizer(handle(), authorize, this);
  sqlite3_commit_hook(handle(), refuse_commit, this);
  const auto set = [&](const std::string& pragmas) {
    if (sqlite3_exec(handle(), pragmas.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      fail("cannot open '" + options.file.string() + "'");
    }
  };
  // trusted_schema: without it SQLite 3.40 lets no trigger fill a full-text table. What it lets a file's schema do
  // besides is harmless here: no application registers functions on these connections, and what SQLite itself takes for
  // dangerous stays forbidden.
  set("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = ON;"
      "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;");
  // Nothing that can damage a file on purpose is needed here.
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_wal_hook(handle(), checkpoint_if_long, this);
  set(std::string("PRAGMA journal_size_limit = ") + log_bytes_kept);
  set(pragma_of(sync_));
  on_failure_ = options.on_failure;
}

Connection::~Connection() {
  // SQLite looks whether the file is the one that it has opened, and not whether the log is.
  if (displaced() != nullptr) leave_checkpoint_to_others();
}

int Connection::wait_for_lock(void* connection, int tries) {
  auto& self = *static_cast<Connection*>(connection);
  const Instant now = std::chrono::steady_clock::now();
  if (tries == 0) self.waiting_since_ = now;
  if (now - self.waiting_since_ >= self.busy_timeout_) return 0;
  std::this_thread::sleep_for(busy_pause);
  return 1;
}

// As SQLite's own automatic checkpoint, with two differences. A sync that fails would go unnoticed there; here the
// commit, which is done by then, reports it. And beside a reader that holds its snapshot a checkpoint may be able to do
// nothing, after it has sorted all pages of the log: then the log grows by some more before the next one, so that not
// every commit pays for its length.
int Connection::checkpoint_if_long(void* connection, sqlite3* database, const char* name, int pages) {
  auto& self = *static_cast<Connection*>(connection);
  int& in_vain = self.checkpoint_in_vain_pages_;
  if (pages < in_vain) in_vain = 0;  // The log has begun anew.
  if (pages < std::max(wal_pages_max, in_vain + std::min(in_vain / 4, wal_pages_max))) return SQLITE_OK;
  int logged = 0;
  int folded = 0;
  const int result = sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, &logged, &folded);
  in_vain = folded == logged ? 0 : pages;
  return result == SQLITE_IOERR_FSYNC ? result : SQLITE_OK;
}

int Connection::authorize(void* connection, int action, const char* first, const char* second, const char* /*database*/,
                          const char* /*trigger*/) {
  auto& self = *static_cast<Connection*>(connection);
  self.refusal_ =
      self.permission_ == nullptr ? may_manage(action, first, second) : (*self.permission_)(action, first, second);
  return self.refusal_.empty() ? SQLITE_OK : SQLITE_DENY;
}

int Connection::refuse_commit(void* connection) {
  return static_cast<Connection*>(connection)->holds_commit_ ? 1 : 0;
}

Statement& Connection::query(std::string_view sql) {
  Statement& statement = queries_.get(sql);
  if (statement.is_read_only()) return statement;
  throw Error(ErrorCode::invalid, "a reading reads, and writes nothing: '" + std::string(sql) + "'");
}

void Connection::fail(const std::string& what) {
  check_unchanged();
  if (sqlite3_errcode(handle()) == SQLITE_AUTH) throw Failure(ErrorCode::invalid, what + ": " + refusal_);
  try {
    sqlite::fail(handle(), what);
  } catch (const Failure& failure) {
    if (failure.code() == ErrorCode::invalid && look_again_) look_again_();
    if (failure.code() != ErrorCode::invalid && !trouble_) trouble_ = std::current_exception();
    if (holds_commit_ && !is_in_transaction() && undone_by_.empty()) undone_by_ = failure.what();
    tell(failure);
    throw;
  } catch (const std::bad_alloc&) {
    if (!trouble_) trouble_ = std::current_exception();
    throw;
  }
}

void Connection::check_stamp() const {
  if (stamp_->holds()) return;
  throw Failure(ErrorCode::busy,
                "cannot read '" + file_.string() + "': somebody has written to it meanwhile: try again");
}

void Connection::attach(const std::filesystem::path& file) {
  const Stamp before(file);
  const bool immutable =
      Connection({.file = file, .access = Access::read_only, .busy_timeout = busy_timeout_}).is_immutable();
  if (immutable) stamp_ = before;
  file_ = file;
  const std::string name = immutable ? immutable_uri(file) : file.string();
  Run(statement(std::string("ATTACH ? AS ") + attached_schema), std::string_view{name}).finish();
  has_attached_ = true;
}

void Connection::note_log() {
  if (!log_) log_ = id_of_file(log_name_);
}

const char* Connection::displaced() {
  int moved = 0;
  sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0) return "it was moved, replaced or removed while it was open";
  if (log_ && id_of_file(log_name_) != log_) return "its write-ahead log was moved or removed while it was open";
  return nullptr;
}

void Connection::check_in_place() {
  const char* why = displaced();
  if (why == nullptr) return;
  const Failure failure(ErrorCode::closed, "cannot use '" + file_.string() + "': " + why + ": open it again");
  tell(failure);
  throw failure;
}

void Connection::check_in_place_and_save_log() {
  int moved = 0;
  sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0 && (!log_ || id_of_file(log_name_) == log_)) {
    sqlite3_wal_checkpoint_v2(handle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  }
  check_in_place();
}

void Connection::rethrow_trouble() const {
  if (trouble_) std::rethrow_exception(trouble_);
}

void Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail("cannot run '" + sql + "'");
}

std::int64_t Connection::integer(std::string_view sql) {
  Run run(statement(sql));
  ensure(run.next(), "a query for one number has a row");
  return run.integer(0);
}

bool Connection::has_user_version(std::int64_t last) {
  if (!has_last_user_version_) {
    has_last_user_version_ = integer(has_attached_ ? "PRAGMA store.user_version" : "PRAGMA user_version") == last;
  }
  return has_last_user_version_;
}

std::int64_t Connection::last_inserted() const {
  return sqlite3_last_insert_rowid(handle());
}

std::int64_t Connection::rows_changed() const {
  return sqlite3_changes64(handle());
}

void Connection::set_sync(Sync sync) {
  if (sync == sync_now_) return;
  sync_now_.reset();
  execute(pragma_of(sync));
  sync_now_ = sync;
}

bool Connection::is_in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

bool Connection::has_open_keys() const {
  int open = 0;
  int highest = 0;
  sqlite3_db_status(handle(), SQLITE_DBSTATUS_DEFERRED_FKS, &open, &highest, 0);
  return open != 0;
}

void Connection::leave_checkpoint_to_others() {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

std::unique_ptr<Connection> open_keeper(ConnectionOptions options) {
  if (!is_writable(options.file)) return nullptr;  // SQLite would open it for reading.
  options.access = Access::read_write;
  try {
    auto keeper = std::make_unique<Connection>(options);
    static_cast<void>(keeper->integer("PRAGMA schema_version"));  // Attaches it to the write-ahead log.
    keeper->note_log();
    return keeper;
  } catch (const Error&) {
    return nullptr;
  }
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.trouble_ = nullptr;
  connection_.undone_by_.clear();
  if (kind != Kind::read) connection_.set_sync(kind == Kind::remake ? Sync::normal : connection_.sync_);
  Run(connection_.statement(kind == Kind::read ? "BEGIN" : "BEGIN IMMEDIATE")).finish();
  connection_.holds_commit_ = kind != Kind::read;
  if (kind != Kind::read) connection_.note_log();
}

Transaction::~Transaction() {
  ensure(!connection_.has_rows(), "Rows end before the callback in which they were asked for");
  connection_.holds_commit_ = false;
  // After some failures (disk full, I/O) SQLite has rolled back by itself.
  if (!open_ || !connection_.is_in_transaction()) return;
  try {
    Run(connection_.statement("ROLLBACK")).finish();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the failure that led here is on its way already.
  }
}

void Transaction::check_open() const {
  connection_.rethrow_trouble();
  if (connection_.is_in_transaction()) return;
  throw Error(ErrorCode::invalid,
              "a statement has undone the transaction that it was run in: " + connection_.undone_by_);
}

void Transaction::commit() {
  check_open();
  connection_.holds_commit_ = false;
  if (connection_.displaced() != nullptr) {
    Run(connection_.statement("ROLLBACK")).finish();
    open_ = false;
    connection_.check_in_place_and_save_log();
  }
  try {
    Run(connection_.statement("COMMIT")).finish();
  } catch (const Failure& failure) {
    // SQLite puts a general code in the place of the one that checkpoint_if_long() returns.
    if (failure.code() != ErrorCode::invalid || connection_.is_in_transaction()) throw;
    const Failure unsynced(ErrorCode::io, "cannot fold the write-ahead log into the file: a sync has failed");
    connection_.tell(unsynced);
    throw unsynced;
  }
  open_ = false;
}

}  // namespace freshet::sqlite
