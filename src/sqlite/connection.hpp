// A connection to one SQLite file, with its statements kept.
//
// Threads: one at a time.
#pragma once

#include <SQLiteCpp/Database.h>

#include <array>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_name.hpp"
#include "freshet/types.hpp"
#include "sqlite/failure.hpp"
#include "sqlite/permission.hpp"
#include "sqlite/stamp.hpp"
#include "sqlite/statement.hpp"

namespace freshet::sqlite {

class Connection;

// Statements by their text. Table names in braces get this cache's suffix, and what a statement does needs its
// permission.
class StatementCache {
 public:
  StatementCache(Connection& connection, std::string suffix, Permission permission)
      : connection_(connection), suffix_(std::move(suffix)), permission_(permission) {}

  // A statement that is not running; valid as long as the cache.
  [[nodiscard]] Statement& get(std::string_view sql);

 private:
  // The texts of a program stand at fixed places in memory, so the place finds most of them at once; the text
  // is compared all the same.
  struct Recent {
    std::string_view sql;
    Statement* statement = nullptr;
  };
  [[nodiscard]] Recent& recent(std::string_view sql);
  [[nodiscard]] Recent find_or_prepare(std::string_view sql);

  Connection& connection_;
  std::string suffix_;
  Permission permission_;
  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
  std::array<Recent, 64> recent_;
};

// What attach() calls a file.
inline constexpr const char* attached_schema = "store";

enum class Access { read_only, read_write, create };

// What a commit waits for; SQLite's `synchronous`.
enum class Sync { normal, full };

struct ConnectionOptions {
  std::filesystem::path file;
  Access access = Access::read_write;
  Sync sync = Sync::full;
  Duration busy_timeout{};
  // The file alone, as it lies there, for a look: no locks, and nothing of its write-ahead log.
  bool without_log = false;
  // Told of each failure at once, before anybody else can write; not of those to open the file.
  std::function<void(const Failure&)> on_failure = {};
};

class Connection {
 public:
  explicit Connection(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The kept statement for this text.
  [[nodiscard]] Statement& statement(std::string_view sql) { return statements_.get(sql); }
  // The same for one that appends to the log, see may_manage().
  [[nodiscard]] Statement& appending(std::string_view sql) { return appends_.get(sql); }
  // The same for a text of the application's, which may read and nothing else.
  [[nodiscard]] Statement& query(std::string_view sql);

  // While it lives, what SQLite prepares needs this permission, and not may_manage().
  class Asking {
   public:
    Asking(Connection& connection, const Permission& permission) noexcept : asked_(connection.permission_) {
      asked_ = &permission;
    }
    ~Asking() { asked_ = nullptr; }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

   private:
    const Permission*& asked_;
  };

  // Throws what the last failure means, see failure.hpp, and takes note of it if it is more than a statement that is
  // not accepted.
  [[noreturn]] void fail(const std::string& what);

  // Before the connection throws `invalid` for a statement that SQLite does not accept it calls this, which may throw
  // what it knows better. Empty: nothing.
  void look_again_with(std::function<void()> look) { look_again_ = std::move(look); }

  // Throws what has befallen the file since the transaction began. Whoever ran the statement may have kept it to
  // themselves, or have made something else of it.
  void rethrow_trouble() const;

  // Why SQLite has undone the transaction that was begun last; empty if it has not.
  [[nodiscard]] const std::string& undone_by() const { return undone_by_; }

  // Runs statements that return nothing, such as a script.
  void execute(const std::string& sql);

  // The first column of the only row; the statement is kept.
  [[nodiscard]] std::int64_t integer(std::string_view sql);

  // Rows of the application's, from their beginning to their end.
  void rows_begin() noexcept { ++rows_; }
  void rows_end() noexcept { --rows_; }
  [[nodiscard]] bool has_rows() const noexcept { return rows_ > 0; }

  // Whether the file's PRAGMA user_version is this one, the last that it gets: it is not asked for again once it was
  // seen. Of the attached file, if there is one.
  [[nodiscard]] bool has_user_version(std::int64_t last);

  // The row id of the last INSERT.
  [[nodiscard]] std::int64_t last_inserted() const;
  // By the last INSERT, UPDATE or DELETE.
  [[nodiscard]] std::int64_t rows_changed() const;

  [[nodiscard]] bool is_in_transaction() const;
  // A row that the transaction has written refers to one that is missing: a deferred key, which a commit would refuse.
  [[nodiscard]] bool has_open_keys() const;
  [[nodiscard]] sqlite3* handle() const { return database_.getHandle(); }

  // The file was opened as one that does not change; see open() in connection.cpp.
  [[nodiscard]] bool is_immutable() const { return stamp_.has_value(); }
  // Throws `busy` if it has changed all the same: what was read may be of two states. Whatever is read of such a file
  // is followed by this.
  void check_unchanged() const {
    if (stamp_) check_stamp();
  }

  // Adds another file's tables, to be read, as the schema `attached_schema`.
  void attach(const std::filesystem::path& file);

  // What is wrong, unless the file and its write-ahead log still lie where they were opened: what is written to those
  // that were removed or replaced is lost. Null: they do. One question to the system for each.
  [[nodiscard]] const char* displaced();
  // Throws `closed` if something is.
  void check_in_place();
  // The same under the turn to write and outside of a transaction. What the log of a file that was moved or replaced
  // holds goes into the file that it belongs to, or else SQLite would write it over the one that has its name now.
  void check_in_place_and_save_log();

  // Something was read: the write-ahead log is the one that lies there now, and is to stay there.
  void note_log();

  // Closing does not fold the write-ahead log into the file, even if this is the last connection.
  void leave_checkpoint_to_others();

 private:
  friend class Transaction;

  void check_stamp() const;
  // For the transactions to come; none is open.
  void set_sync(Sync sync);
  void tell(const Failure& failure) const {
    if (on_failure_) on_failure_(failure);
  }

  // SQLite asks it whenever another process has a lock that it needs. 0: it gives up.
  static int wait_for_lock(void* connection, int tries);
  // SQLite calls it after each commit, with the pages in the write-ahead log.
  static int checkpoint_if_long(void* connection, sqlite3* database, const char* name, int pages);
  // SQLite asks it about whatever a statement does that is being prepared.
  static int authorize(void* connection, int action, const char* first, const char* second, const char* database,
                       const char* trigger);
  // SQLite asks it before it commits. Not 0: it rolls back instead.
  static int refuse_commit(void* connection);

  Duration busy_timeout_;
  const Sync sync_;               // Of write transactions.
  std::optional<Sync> sync_now_;  // Not known while it is being set.
  Instant waiting_since_;
  std::optional<Stamp> stamp_;  // Set while the database is opened, if it is taken as it lies there.
  std::filesystem::path file_;  // Or the attached one.
  std::string log_name_;
  std::optional<FileId> log_;  // Known once something was written.
  SQLite::Database database_;
  const Permission* permission_ = nullptr;  // See Asking.
  std::function<void(const Failure&)> on_failure_;
  std::function<void()> look_again_;
  std::string refusal_;
  std::exception_ptr trouble_;  // The first of the transaction.
  std::string undone_by_;
  bool has_last_user_version_ = false;
  bool has_attached_ = false;
  int rows_ = 0;
  int checkpoint_in_vain_pages_ = 0;  // In the log when it could not be folded wholly, the last time.
  bool holds_commit_ = false;         // Nothing is committed but by Transaction::commit().
  StatementCache statements_;
  StatementCache appends_;
  StatementCache queries_;
};

// For whoever only reads: if it is the last connection to be closed, it takes away the two files that SQLite keeps
// beside a database, which connections for reading leave there. Nothing where that may not be written.
[[nodiscard]] std::unique_ptr<Connection> open_keeper(ConnectionOptions options);

// A transaction that is undone unless commit() is reached. Some failures let SQLite undo it at once, and so may a
// statement of the application (ON CONFLICT ROLLBACK); what is written after that is not committed either.
class Transaction {
 public:
  enum class Kind {
    read,    // One snapshot, from the first read on.
    write,   // Takes the write lock at once: one that upgraded later could fail whatever the timeout.
    remake,  // Writes what can be made again, so that its commit need not wait for the disk.
  };
  Transaction(Connection& connection, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Throws what has befallen the file in it, and `invalid` if it was undone.
  void check_open() const;

  // Where check_open() throws, nothing is committed.
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace freshet::sqlite
