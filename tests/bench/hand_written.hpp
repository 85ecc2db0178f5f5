// What a program does that is written by hand on SQLite's C interface for the same work: the same tables, the
// same durability, the same rows. As a good programmer would: write-ahead log, statements prepared once and kept,
// a map of streams in memory, JSON read with simdjson. It leaves out what Freshet does besides: checksums,
// triggers, expectations, freshness.
#pragma once

#include <simdjson.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/workload.hpp"
#include "orders/orders.hpp"

namespace freshet::bench::hand_written {

class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int parameter, std::int64_t value) { sqlite3_bind_int64(statement_, parameter, value); }
  void bind(int parameter, std::string_view text) {
    sqlite3_bind_text(statement_, parameter, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  // True: there is a row. After the last one the statement is ready for its next run.
  bool step();
  void reset() { sqlite3_reset(statement_); }

  [[nodiscard]] std::int64_t integer(int column) { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] bool is_null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  [[nodiscard]] std::string_view text(int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// A connection with Freshet's settings, and the tables, made where they are missing.
class Database {
 public:
  enum class Sync { normal, full };
  Database(const std::filesystem::path& file, Sync sync);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  [[nodiscard]] sqlite3* handle() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

// Appends. One thread at a time.
class Log {
 public:
  explicit Log(Database& database);

  void begin() { begin_.step(); }
  void commit() { commit_.step(); }

  // Inside a transaction. Returns the stream's number.
  std::int64_t insert(const Supplied& supplied);
  // Keeps an idempotency key for the event that was inserted last.
  void insert_key(const std::string& key, std::int64_t stream, std::int64_t version);
  void append(const Supplied& supplied) {
    begin();
    insert(supplied);
    commit();
  }

  [[nodiscard]] std::int64_t head() const { return position_; }

 private:
  Statement begin_;
  Statement commit_;
  Statement insert_stream_;
  Statement insert_event_;
  Statement insert_key_;
  std::unordered_map<std::string, std::int64_t> streams_;
  std::int64_t position_ = 0;
};

// An event as it is read back or was just written.
struct Event {
  std::int64_t stream = 0;
  std::int64_t version = 0;
  std::string_view order_id;
  std::string_view type;
  std::string_view data;
  std::int64_t occurred_at = 0;
};

// The rows of the order domain's read tables, and their checkpoint.
class ReadTables {
 public:
  explicit ReadTables(Database& database);

  void begin() { begin_.step(); }
  void commit() { commit_.step(); }

  // Inside a transaction: what the event means for the orders, and for the revenue of its day.
  void apply(const Event& event);
  void leave_out_revenue() { with_revenue_ = false; }
  void save_checkpoint(std::int64_t position);

  // Applies the whole log, in transactions of this many events. Returns their number.
  std::int64_t apply_log(std::size_t batch_events);

 private:
  void place(const Event& event, simdjson::ondemand::document& json);
  void pay(const Event& event, simdjson::ondemand::document& json);
  void set_status(const Event& event, std::string_view status);
  void add_revenue(const Event& event, std::string_view currency, std::int64_t orders, std::int64_t minor);

  Database& database_;
  Statement begin_;
  Statement commit_;
  Statement insert_order_;
  Statement insert_items_;
  Statement update_paid_;
  Statement update_status_;
  Statement upsert_revenue_;
  Statement save_checkpoint_;
  simdjson::ondemand::parser parser_;
  simdjson::padded_string buffer_;
  bool with_revenue_ = true;
};

// Reads of one order.
class Queries {
 public:
  explicit Queries(Database& database);

  // The order's row, in a transaction of its own.
  [[nodiscard]] std::optional<orders::OrderView> get(std::string_view order_id);
  // The order folded from its events.
  [[nodiscard]] std::optional<orders::OrderView> replay(std::string_view order_id);

 private:
  [[nodiscard]] std::vector<orders::Item> items(simdjson::ondemand::array json);
  void fold(orders::Order& order, const Event& event);

  Statement get_;
  Statement replay_;
  simdjson::ondemand::parser parser_;
  simdjson::padded_string buffer_;
};

}  // namespace freshet::bench::hand_written
