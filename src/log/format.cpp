// Recognizing and making Freshet files.
#include "log/format.hpp"

#include <system_error>

#include "freshet/error.hpp"

namespace freshet::log {
namespace {

// Between two tries to turn a new file to write-ahead logging, for which SQLite itself does not wait.
constexpr Duration retry_pause = std::chrono::milliseconds{5};

bool is_empty(sqlite::Connection& connection) {
  return connection.integer("PRAGMA application_id") == 0 &&
         connection.integer("SELECT count(*) FROM sqlite_master") == 0;
}

void check_format(sqlite::Connection& connection, const std::filesystem::path& file) {
  if (connection.integer("PRAGMA application_id") != application_id) {
    throw Error(ErrorCode::not_a_database, "'" + file.string() + "' is a SQLite database, but not one of Freshet's");
  }
  const std::int64_t version = connection.integer("PRAGMA user_version");
  if (version > format_version) {
    throw Error(ErrorCode::unsupported_format, "'" + file.string() + "' has format " + std::to_string(version) +
                                                   ", and this release knows formats up to " +
                                                   std::to_string(format_version) + ": use a newer release");
  }
}

void use_write_ahead_log(sqlite::Connection& connection, Duration busy_timeout, Clock& clock) {
  const Instant deadline = clock.now() + busy_timeout;
  while (true) {
    try {
      connection.execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::busy || clock.now() >= deadline) throw;
    }
    clock.sleep_until(clock.now() + retry_pause);
  }
}

void make(sqlite::Connection& connection, Duration busy_timeout, Clock& clock) {
  use_write_ahead_log(connection, busy_timeout, clock);
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  // Another process may have been quicker.
  if (!is_empty(connection)) return;
  connection.execute(schema_sql);
  sqlite::Run(connection.statement("INSERT INTO store VALUES (lower(hex(randomblob(16))), ?)"),
              std::int64_t{clock.wall_time().time_since_epoch().count()})
      .finish();
  connection.execute("PRAGMA application_id = " + std::to_string(application_id));
  connection.execute("PRAGMA user_version = " + std::to_string(format_version));
  transaction.commit();
}

}  // namespace

void prepare_file(const std::filesystem::path& file, OpenMode mode, Duration busy_timeout, Clock& clock) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    if (mode != OpenMode::create) {
      throw Error(ErrorCode::file_missing, "there is no file '" + file.string() + "'");
    }
    const auto directory = std::filesystem::absolute(file, ignored).parent_path();
    if (!std::filesystem::is_directory(directory, ignored)) {
      throw Error(ErrorCode::io,
                  "cannot create '" + file.string() + "': there is no directory '" + directory.string() + "'");
    }
  } else if (std::filesystem::is_directory(file, ignored)) {
    throw Error(ErrorCode::not_a_database, "'" + file.string() + "' is a directory");
  }
  using sqlite::Access;
  const Access access = mode == OpenMode::create     ? Access::create
                        : mode == OpenMode::existing ? Access::read_write
                                                     : Access::read_only;
  sqlite::Connection connection({.file = file, .access = access, .busy_timeout = busy_timeout});
  if (mode == OpenMode::create && is_empty(connection)) make(connection, busy_timeout, clock);
  check_format(connection, file);
}

}  // namespace freshet::log
