// Recognizing and making Freshet files.
#include "log/format.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "base/deliberate_bug.hpp"
#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/backup.hpp"
#include "log/event_hash.hpp"
#include "log/event_rows.hpp"
#include "log/file_check.hpp"
#include "log/leftover_log.hpp"
#include "log/schema.hpp"
#include "log/upgrade.hpp"

namespace freshet::log {
namespace {

// Between two tries to turn a new file to write-ahead logging, for which SQLite itself does not wait.
constexpr Duration retry_pause = std::chrono::milliseconds{5};

// At the end of a backup's epoch.
constexpr std::string_view backup_mark = "-backup";

// The first that has the table `epochs`, and the first in which a file has a role.
constexpr std::int64_t format_with_lineage = 4;
constexpr std::int64_t format_with_role = 4;

bool is_empty(sqlite::Connection& connection) {
  return connection.integer("PRAGMA application_id") == 0 &&
         connection.integer("SELECT count(*) FROM sqlite_master") == 0;
}

// Without this a damaged name would look like a statement that is wrong. SQLite keeps each statement to the letter.
void check_schema(sqlite::Connection& connection, std::int64_t version, const std::filesystem::path& file) {
  auto missing = schema();
  std::erase_if(missing, [&](const auto& expected) { return !has_as_made(version, expected.first); });
  sqlite::Run run(connection.statement("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"));
  while (run.next()) {
    const auto expected = missing.find(run.text(0));
    if (expected != missing.end() && expected->second == run.text(1)) missing.erase(expected);
  }
  if (missing.empty()) return;
  throw Error(ErrorCode::corrupt, "'" + file.string() + "' is damaged: its schema of '" +
                                      std::string(missing.begin()->first) + "' is not as it was made");
}

void check_identity(sqlite::Connection& connection, const std::filesystem::path& file) {
  if (is_empty(connection)) {
    throw Error(ErrorCode::not_a_database, "'" + file.string() +
                                               "' is an empty database, in which a store was begun and not finished: "
                                               "whoever creates a store there finishes it");
  }
  if (connection.integer("PRAGMA application_id") == application_id) return;
  throw Error(ErrorCode::not_a_database, "'" + file.string() + "' is a SQLite database, but not one of Freshet's");
}

void check_format(sqlite::Connection& connection, const std::filesystem::path& file) {
  const std::int64_t version = connection.integer("PRAGMA user_version");
  if (version < 1) {
    throw Error(ErrorCode::unsupported_format,
                "'" + file.string() + "' has format " + std::to_string(version) + ", which no release has written");
  }
  if (version > format_version) {
    throw Error(ErrorCode::unsupported_format, "'" + file.string() + "' has format " + std::to_string(version) +
                                                   ", and this release knows formats up to " +
                                                   std::to_string(format_version) + ": use a newer release");
  }
  if (version < oldest_format) {
    throw Error(ErrorCode::unsupported_format, "'" + file.string() + "' has format " + std::to_string(version) +
                                                   ", and this release knows formats " + std::to_string(oldest_format) +
                                                   " to " + std::to_string(format_version) +
                                                   ": export the log with the release that wrote it");
  }
  check_schema(connection, version, file);
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
  sqlite::Run(
      connection.statement("INSERT INTO store VALUES (lower(hex(randomblob(16))), ?, lower(hex(randomblob(8))), "
                           "'store', NULL, NULL)"),
      std::int64_t{clock.wall_time().time_since_epoch().count()})
      .finish();
  connection.execute("INSERT INTO epochs SELECT epoch, 0 FROM store");
  connection.execute("PRAGMA application_id = " + std::to_string(application_id));
  connection.execute("PRAGMA user_version = " + std::to_string(format_version));
  transaction.commit();
}

// Whether a writer has something to do before anything else: the file is of an older format, or a backup that nobody
// has written to yet.
bool is_as_found(sqlite::Connection& connection) {
  return connection.integer("PRAGMA user_version") < format_version || is_marked_as_backup(identity_of(connection));
}

// One that goes on from the present one.
void begin_history(sqlite::Connection& connection, const std::string& epoch) {
  sqlite::Run(connection.statement("UPDATE store SET epoch = ?"), std::string_view{epoch}).finish();
  if (connection.integer("PRAGMA user_version") < format_with_lineage) return;
  connection.execute("INSERT INTO epochs SELECT epoch, (SELECT coalesce(max(position), 0) FROM events) FROM store");
}

std::string new_epoch(sqlite::Connection& connection) {
  sqlite::Run run(connection.statement("SELECT lower(hex(randomblob(8)))"));
  ensure(run.next(), "a query for one text has a row");
  return std::string(run.text(0));
}

[[noreturn]] void refuse_upgrade(ErrorCode code, const std::filesystem::path& file, std::int64_t format,
                                 const std::string& why) {
  throw Error(code, "cannot carry '" + file.string() + "' over from format " + std::to_string(format) + " to " +
                        std::to_string(format_version) + ": " + why);
}

// The copy that an older file leaves beside it.
std::filesystem::path copy_of(const std::filesystem::path& file, std::int64_t format) {
  return file.string() + ".format-" + std::to_string(format);
}

// True: it was made, and not there already.
bool copy_before_upgrade(const StoreOptions& options, std::int64_t format) {
  const std::filesystem::path copy = copy_of(options.file, format);
  try {
    sqlite::Connection source(
        {.file = options.file, .access = sqlite::Access::read_only, .busy_timeout = options.busy_timeout});
    const CopyMade made = copy_once(source, options.file, copy);
    if (made != CopyMade::other_there) return made == CopyMade::yes;
  } catch (const Error& error) {
    refuse_upgrade(error.code(), options.file, format,
                   "the copy '" + copy.string() + "' could not be made: " + error.what() +
                       "; or do without it (--upgrade no-copy)");
  }
  refuse_upgrade(ErrorCode::io, options.file, format,
                 "there is another '" + copy.string() +
                     "' already, where the copy of before is put: move that away, or do without a copy (--upgrade "
                     "no-copy)");
}

// A copy that is put back twice has two histories. So each gets its epoch when it is first opened to be written.
void begin_history_of_backup(sqlite::Connection& connection) {
  if (is_marked_as_backup(identity_of(connection))) begin_history(connection, new_epoch(connection));
}

// In the transaction that was begun, which is committed: so the copy is of what is carried over.
void carry_over(sqlite::Connection& connection, std::optional<sqlite::Transaction>& transaction,
                const StoreOptions& options, std::int64_t format) {
  const bool copied = options.upgrade == Upgrade::copy && copy_before_upgrade(options, format);
  try {
    upgrade(connection);
    if (deliberately(Bug::upgrade_in_two_parts)) {
      transaction->commit();
      transaction.emplace(connection, sqlite::Transaction::Kind::write);
    }
    connection.execute("PRAGMA user_version = " + std::to_string(format_version));
    begin_history_of_backup(connection);
  } catch (const Error& error) {
    std::error_code ignored;
    if (copied) std::filesystem::remove(copy_of(options.file, format), ignored);
    refuse_upgrade(error.code(), options.file, format, std::string("it is as it was: ") + error.what());
  }
  try {
    transaction->commit();
  } catch (const Error& error) {
    refuse_upgrade(error.code(), options.file, format, error.what());
  }
  if (!options.on_notice) return;
  const std::string copy =
      options.upgrade == Upgrade::copy ? ": '" + copy_of(options.file, format).string() + "' is a copy of before" : "";
  options.on_notice({Notice::Level::warning, "carried '" + options.file.string() + "' over from format " +
                                                 std::to_string(format) + " to " + std::to_string(format_version) +
                                                 copy});
}

// In one transaction, so that who is killed leaves the file as it was found.
void make_ready_to_write(sqlite::Connection& connection, const StoreOptions& options) {
  if (!is_as_found(connection)) return;
  if (const auto format = connection.integer("PRAGMA user_version");
      format < format_version && options.upgrade == Upgrade::never) {
    refuse_upgrade(ErrorCode::unsupported_format, options.file, format,
                   "that was forbidden, and this release writes format " + std::to_string(format_version) +
                       " alone: allow it (--upgrade copy), or write with the release that has written the file");
  }
  std::optional<sqlite::Transaction> transaction;
  transaction.emplace(connection, sqlite::Transaction::Kind::write);
  // Another process may have been quicker.
  if (const auto format = connection.integer("PRAGMA user_version"); format < format_version) {
    carry_over(connection, transaction, options, format);
  } else {
    begin_history_of_backup(connection);
    transaction->commit();
  }
}

// What a file is may change what may be done to it.
void check_role(sqlite::Connection& connection, OpenMode mode, const std::filesystem::path& file) {
  sqlite::Run run(connection.statement("SELECT role FROM store"));
  if (!run.next() || run.text(0) == "store") return;
  const std::string role(run.text(0));
  if (role == "replica" && mode == OpenMode::read_only) return;
  throw Error(
      ErrorCode::unsupported_format,
      "'" + file.string() +
          (role == "replica" ? "' is a replica of another store, and this release only reads it"
                             : "' has the role '" + role + "', which this release does not know: use a newer release"));
}

}  // namespace

void prepare_file(const StoreOptions& options) {
  const auto& file = options.file;
  const OpenMode mode = options.mode;
  check_file(file, mode);
  using sqlite::Access;
  const Access access = mode == OpenMode::create     ? Access::create
                        : mode == OpenMode::existing ? Access::read_write
                                                     : Access::read_only;
  const auto keeper = mode == OpenMode::read_only ? sqlite::open_keeper({.file = file}) : nullptr;
  sqlite::Connection connection({.file = file, .access = access, .busy_timeout = options.busy_timeout});
  if (mode == OpenMode::create && is_empty(connection)) make(connection, options.busy_timeout, *options.clock);
  check_identity(connection, file);
  try {
    check_log_is_own(connection, file);
  } catch (const Error&) {
    // Closing would fold it into the file.
    connection.leave_checkpoint_to_others();
    if (keeper) keeper->leave_checkpoint_to_others();
    throw;
  }
  check_format(connection, file);
  if (connection.integer("PRAGMA user_version") >= format_with_role) check_role(connection, mode, file);
  if (mode != OpenMode::read_only) make_ready_to_write(connection, options);
}

void mark_as_backup(sqlite::Connection& connection) {
  begin_history(connection, new_epoch(connection) + std::string(backup_mark));
}

void mark_as_copy(sqlite::Connection& connection) {
  const std::string epoch = identity_of(connection).epoch;
  const std::int64_t hash =
      hash_of(std::array{last_of_log(connection).position.value}, std::array<std::string_view, 1>{epoch});
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << hash << backup_mark;
  begin_history(connection, text.str());
}

bool is_marked_as_backup(const StoreIdentity& identity) {
  return identity.epoch.ends_with(backup_mark);
}

StoreIdentity identity_of(sqlite::Connection& connection) {
  sqlite::Run run(connection.statement("SELECT id, epoch FROM store"));
  if (!run.next()) throw Error(ErrorCode::corrupt, "the file does not say which store it is");
  return {std::string(run.text(0)), std::string(run.text(1))};
}

std::vector<Epoch> lineage_of(sqlite::Connection& connection) {
  // In a file of before, a table of that name is somebody else's.
  if (connection.integer("PRAGMA user_version") < format_with_lineage) {
    return {{identity_of(connection).epoch, Position{}}};
  }
  std::vector<Epoch> lineage;
  sqlite::Run run(connection.statement("SELECT epoch, begins_after FROM epochs ORDER BY rowid"));
  while (run.next()) lineage.push_back({std::string(run.text(0)), Position{run.integer(1)}});
  return lineage;
}

void check_place(sqlite::Connection& connection, Position place, std::string_view epoch) {
  const Position head{connection.integer("SELECT coalesce(max(position), 0) FROM events")};
  if (epoch.empty() || deliberately(Bug::place_without_history)) {
    if (place <= head) return;
    throw Error(ErrorCode::invalid, "there is no position " + std::to_string(place.value) +
                                        " to go on from, the log ends at " + std::to_string(head.value) +
                                        ": if a backup was restored, what followed it is another history");
  }
  const auto lineage = lineage_of(connection);
  const auto told = std::ranges::find(lineage, epoch, &Epoch::epoch);
  Position shared = head;
  if (told != lineage.end() && std::next(told) != lineage.end()) shared = std::next(told)->begins_after;
  if (told != lineage.end() && place <= shared) return;
  throw Error(
      ErrorCode::foreign_session,
      "position " + std::to_string(place.value) + " was kept from another history than this store's" +
          (told == lineage.end() ? "" : ", which has parted from it at " + std::to_string(shared.value)) +
          ": a backup was restored, or it is another store: find out what was made of the events that are gone, "
          "then go on from a position of this one");
}

}  // namespace freshet::log
