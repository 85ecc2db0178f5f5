// Prepared statements: binding, stepping, columns.
#include "sqlite/statement.hpp"

#include <sqlite3.h>

#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "sqlite/connection.hpp"

namespace freshet {
namespace {

// Nothing but space, comments and semicolons.
bool is_blank(sqlite3* database, std::string_view sql) {
  while (!sql.empty()) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int result = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), 0, &statement, &rest);
    sqlite3_finalize(statement);
    // It does not pass a zero.
    if (result != SQLITE_OK || statement != nullptr || rest == sql.data()) return false;
    sql.remove_prefix(static_cast<std::size_t>(rest - sql.data()));
  }
  return true;
}

}  // namespace

Rows::Statement::Statement(sqlite::Connection& connection, std::string_view sql, const sqlite::Permission& permission)
    : connection_(connection), permission_(permission) {
  const sqlite::Connection::Asking asking(connection, permission);
  const char* rest = nullptr;
  const int result = sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement_, &rest);
  if (result != SQLITE_OK) connection.fail("cannot prepare '" + std::string(sql) + "'");
  if (statement_ != nullptr && is_blank(connection.handle(), {rest, sql.data() + sql.size()})) return;
  sqlite3_finalize(statement_);
  throw Error(ErrorCode::invalid, "a text is one statement, no more and no less: '" + std::string(sql) + "'");
}

Rows::Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Rows::Statement::check_bound(int result) const {
  if (result == SQLITE_OK) return;
  if (result == SQLITE_TOOBIG || result == SQLITE_NOMEM) connection_.fail("cannot bind a value");
  ensure(false, "a statement has as many parameters as it is given, and is not running when they are bound");
}

void Rows::Statement::bind(int parameter, std::int64_t value) {
  check_bound(sqlite3_bind_int64(statement_, parameter, value));
}

void Rows::Statement::bind(int parameter, double value) {
  check_bound(sqlite3_bind_double(statement_, parameter, value));
}

void Rows::Statement::bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  check_bound(sqlite3_bind_text64(statement_, parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Rows::Statement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  check_bound(sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_STATIC));
}

void Rows::Statement::bind_null(int parameter) {
  check_bound(sqlite3_bind_null(statement_, parameter));
}

void Rows::Statement::bind_column(int parameter, const Statement& row, int column) {
  check_bound(sqlite3_bind_value(statement_, parameter, sqlite3_column_value(row.statement_, column)));
}

void Rows::Statement::bind(int parameter, const Value& value, Texts texts) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    bind(parameter, *integer);
  } else if (const auto* text = std::get_if<std::string_view>(&value); text != nullptr && texts == Texts::copied) {
    const char* data = text->data() == nullptr ? "" : text->data();
    check_bound(sqlite3_bind_text64(statement_, parameter, data, text->size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  } else if (text != nullptr) {
    bind(parameter, *text);
  } else if (const auto* real = std::get_if<double>(&value)) {
    bind(parameter, *real);
  } else {
    bind_null(parameter);
  }
}

void Rows::Statement::bind_all(std::span<const Value> values, Texts texts) {
  if (const int parameters = sqlite3_bind_parameter_count(statement_); !std::cmp_equal(parameters, values.size())) {
    throw Error(ErrorCode::invalid, "a statement with " + std::to_string(parameters) + " parameters was given " +
                                        std::to_string(values.size()) + " values: '" + sqlite3_sql(statement_) + "'");
  }
  int parameter = 0;
  for (const Value& value : values) bind(++parameter, value, texts);
}

bool Rows::Statement::step() {
  running_ = true;
  const sqlite::Connection::Asking asking(connection_, permission_);
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW || result == SQLITE_DONE) {
    if (result == SQLITE_DONE) reset();
    connection_.check_unchanged();
    return result == SQLITE_ROW;
  }
  connection_.fail("cannot run '" + std::string(sqlite3_sql(statement_)) + "'");
}

void Rows::Statement::reset() noexcept {
  // The result repeats the error of the last step, which was thrown already.
  sqlite3_reset(statement_);
  running_ = false;
}

bool Rows::Statement::is_read_only() const noexcept {
  return sqlite3_stmt_readonly(statement_) != 0;
}

void Rows::Statement::begin_rows() noexcept {
  connection_.rows_begin();
}

void Rows::Statement::end_rows() noexcept {
  reset();
  connection_.rows_end();
}

int Rows::Statement::columns() const {
  return sqlite3_column_count(statement_);
}

bool Rows::Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Rows::Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Rows::Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string_view Rows::Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view{} : std::string_view{data, size};
}

Rows::Rows(Statement& statement) : statement_(&statement), columns_(statement.columns()) {
  statement.begin_rows();
}
Rows::Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), columns_(other.columns_) {}

Rows::~Rows() {
  if (statement_ != nullptr) statement_->end_rows();
}

bool Rows::next() {
  if (statement_ == nullptr || statement_->step()) return statement_ != nullptr;
  // The statement is ready for its next run, which is not this one's any more.
  std::exchange(statement_, nullptr)->end_rows();
  return false;
}
int Rows::columns() const {
  return columns_;
}
bool Rows::is_null(int column) const {
  return current().is_null(column);
}
std::int64_t Rows::integer(int column) const {
  return current().integer(column);
}
double Rows::real(int column) const {
  return current().real(column);
}
std::string_view Rows::text(int column) const {
  return current().text(column);
}

const Rows::Statement& Rows::current() const {
  ensure(statement_ != nullptr && statement_->is_running(),
         "a column is asked of a row, while next() says that there is one");
  return *statement_;
}

}  // namespace freshet
