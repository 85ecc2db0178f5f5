// SQL on the read tables, for projections (which write them) and queries (which read them).
//
// Statements are prepared once and kept, so write parameters as `?` and never paste values into the
// text. A table's name stands in braces, `{orders}`: during a rebuild it names the new table that is
// being filled, otherwise the one in use. Put the names of indexes in braces as well. What stands in quotes or in a
// comment is left as it is, but for an argument of CREATE VIRTUAL TABLE that is nothing but a name in braces,
// `content='{notes}'`; any other brace is `invalid`.
//
// A text is one statement. The transaction and the connection are the engine's: BEGIN, COMMIT, ROLLBACK, SAVEPOINT,
// ATTACH, a PRAGMA and temporary tables are `invalid`. A statement that lets SQLite roll the transaction back (ON
// CONFLICT ROLLBACK, or raise(ROLLBACK) in a trigger) fails, and with it all that the transaction holds, whoever
// catches the exception.
//
// Threads: objects here belong to the call or the Reading that gave them; one thread at a time.
// Failure: Error, as EventLog says; a statement that SQLite does not accept, or that is given another number of
// values than it has parameters, is `invalid`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace [[gnu::visibility("default")]] freshet {

// A parameter. Text is borrowed for the call that it is given to; a query keeps a copy for its rows.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view>;

// The parameters of one run of a statement, one for each `?`: written in braces, or a range made at run time.
// Borrowed, as an argument of a call.
class Values {
 public:
  constexpr Values() = default;
  constexpr Values(std::initializer_list<Value> values) : values_(std::data(values), values.size()) {}
  constexpr Values(const std::vector<Value>& values) : values_(values) {}

  // In the order of the `?`.
  [[nodiscard]] constexpr std::span<const Value> span() const { return values_; }

 private:
  std::span<const Value> values_;
};

// The rows of a query, read forwards, once. They end before the Reading does, or the callback, that they were asked
// in: otherwise the program is ended with a sentence.
class Rows {
 public:
  class Statement;
  explicit Rows(Statement& statement);  // By query().
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();

  // Moves to the next row; false after the last one.
  [[nodiscard]] bool next();

  // Of the query, whether there is a current row or not.
  [[nodiscard]] int columns() const;

  // Of the current row, columns from 0. SQLite's conversions apply.
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  // Valid until next().

 private:
  [[nodiscard]] const Statement& current() const;

  Statement* statement_;  // Until the end of the rows.
  int columns_;
};

// The read tables, writable; handed to a projection inside a transaction.
class Tables {
 public:
  Tables() = default;
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  virtual ~Tables() = default;

  // Runs one statement that returns no rows.
  virtual void execute(std::string_view sql, Values values = {}) = 0;

  // At most one Rows of the same text may be alive at a time.
  [[nodiscard]] virtual Rows query(std::string_view sql, Values values = {}) = 0;
};

}  // namespace freshet
