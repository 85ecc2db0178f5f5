// A prepared statement, kept for reuse, on SQLite's C interface.
//
// SQLiteCpp's own Statement cannot bind a string_view without a copy and counts references on every
// column; this is the hottest path of the library, so it talks to SQLite directly.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "freshet/sql.hpp"
#include "sqlite/permission.hpp"

struct sqlite3_stmt;

namespace freshet::sqlite {
class Connection;
}  // namespace freshet::sqlite

namespace freshet {

// Also the engine behind the public Rows.
class [[gnu::visibility("hidden")]] Rows::Statement {
 public:
  // Throws `invalid` unless the text is one statement. It needs the permission again whenever SQLite prepares it anew,
  // because the schema has changed; that lives as long as the statement.
  Statement(sqlite::Connection& connection, std::string_view sql, const sqlite::Permission& permission);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Whether texts live until the statement is reset, or are copied.
  enum class Texts { borrowed, copied };

  // Parameters count from 1. Text is borrowed until reset().
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, double value);
  void bind(int parameter, std::string_view text);
  void bind_blob(int parameter, std::string_view bytes);
  void bind_null(int parameter);
  // The value of a column of the row that another statement is at, as it is stored; copied.
  void bind_column(int parameter, const Statement& row, int column);
  void bind(int parameter, const Value& value, Texts texts = Texts::borrowed);
  // Borrowed where the run ends before the caller goes on, copied where rows are asked for later.
  void bind_all(std::span<const Value> values, Texts texts);

  // True: there is a row. Throws Error otherwise than by the end of the rows.
  [[nodiscard]] bool step();

  // Ready for the next run; parameters keep their values.
  void reset() noexcept;

  [[nodiscard]] bool is_running() const noexcept { return running_; }
  [[nodiscard]] bool is_read_only() const noexcept;

  // Rows of it begin, and end: it is reset.
  void begin_rows() noexcept;
  void end_rows() noexcept;

  [[nodiscard]] int columns() const;

  // Columns count from 0.
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  // Of a blob: its bytes.

 private:
  void check_bound(int result) const;

  sqlite::Connection& connection_;
  const sqlite::Permission& permission_;
  sqlite3_stmt* statement_ = nullptr;
  bool running_ = false;
};

}  // namespace freshet

namespace freshet::sqlite {

using Statement = Rows::Statement;

// One run of a kept statement: binds, steps, and leaves it ready for the next run whatever happens.
class Run {
 public:
  template <typename... Parameters>
  explicit Run(Statement& statement, const Parameters&... parameters) : statement_(statement) {
    int index = 0;
    (statement_.bind(++index, parameters), ...);
  }
  ~Run() { statement_.reset(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  [[nodiscard]] bool next() { return statement_.step(); }
  // For statements without rows.
  void finish() { static_cast<void>(statement_.step()); }

  [[nodiscard]] std::int64_t integer(int column) const { return statement_.integer(column); }
  [[nodiscard]] std::string_view text(int column) const { return statement_.text(column); }
  [[nodiscard]] bool is_null(int column) const { return statement_.is_null(column); }

 private:
  Statement& statement_;
};

}  // namespace freshet::sqlite
