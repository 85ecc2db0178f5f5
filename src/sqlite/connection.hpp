// A connection to one SQLite file, with its statements kept.
//
// Threads: one at a time.
#pragma once

#include <SQLiteCpp/Database.h>

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "freshet/types.hpp"
#include "sqlite/statement.hpp"

namespace freshet::sqlite {

class Connection;

// The file's name for SQLite, read as one that does not change: without locks and without a write-ahead log.
[[nodiscard]] std::string immutable_uri(const std::filesystem::path& file);

// Statements by their text. Table names in braces get this cache's suffix.
class StatementCache {
 public:
  StatementCache(Connection& connection, std::string suffix) : connection_(connection), suffix_(std::move(suffix)) {}

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
  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
  std::array<Recent, 64> recent_;
};

// `{orders}_by_day` with the suffix "_2" is `orders_2_by_day`.
[[nodiscard]] std::string expand_table_names(std::string_view sql, std::string_view suffix);

enum class Access { read_only, read_write, create };

// What a commit waits for; SQLite's `synchronous`.
enum class Sync { normal, full };

struct ConnectionOptions {
  std::filesystem::path file;
  Access access = Access::read_write;
  Sync sync = Sync::full;
  Duration busy_timeout{};
};

class Connection {
 public:
  explicit Connection(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The kept statement for this text.
  [[nodiscard]] Statement& statement(std::string_view sql) { return statements_.get(sql); }

  // Runs statements that return nothing, such as a script.
  void execute(const std::string& sql);

  // The first column of the only row; the statement is kept.
  [[nodiscard]] std::int64_t integer(std::string_view sql);

  // The row id of the last INSERT.
  [[nodiscard]] std::int64_t last_inserted() const;
  // By the last INSERT, UPDATE or DELETE.
  [[nodiscard]] std::int64_t rows_changed() const;

  [[nodiscard]] bool is_in_transaction() const;
  [[nodiscard]] sqlite3* handle() const { return database_.getHandle(); }

  // The file was opened as one that does not change; see open() in connection.cpp.
  [[nodiscard]] bool is_immutable() const { return immutable_; }

  // Closing does not fold the write-ahead log into the file, even if this is the last connection.
  void leave_checkpoint_to_others();

 private:
  // SQLite asks it whenever another process has a lock that it needs. 0: it gives up.
  static int wait_for_lock(void* connection, int tries);

  Duration busy_timeout_;
  Instant waiting_since_;
  bool immutable_ = false;  // Set while the database is opened.
  SQLite::Database database_;
  StatementCache statements_;
};

// For whoever only reads: if it is the last connection to be closed, it takes away the two files that SQLite keeps
// beside a database, which connections for reading leave there. Nothing where that may not be written.
[[nodiscard]] std::unique_ptr<Connection> open_keeper(ConnectionOptions options);

// A transaction that is undone unless commit() is reached.
class Transaction {
 public:
  enum class Kind {
    read,   // One snapshot, from the first read on.
    write,  // Takes the write lock at once: one that upgraded later could fail whatever the timeout.
  };
  Transaction(Connection& connection, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace freshet::sqlite
