// The translation of SQLite's result codes to Error.
#include "sqlite/failure.hpp"

#include <sqlite3.h>

#include <new>

#include "base/ensure.hpp"

namespace freshet::sqlite {
namespace {

ErrorCode meaning(int extended_code) {
  // Both say that what was read is not what was written.
  if (extended_code == SQLITE_IOERR_CORRUPTFS || extended_code == SQLITE_IOERR_DATA) return ErrorCode::corrupt;
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:  // The race for opening the write-ahead log was lost again and again.
    case SQLITE_SCHEMA:    // Other processes changed the schema again and again.
      return ErrorCode::busy;
    case SQLITE_FULL:
      return ErrorCode::disk_full;
    case SQLITE_READONLY:
      return ErrorCode::read_only;
    case SQLITE_NOTADB:
      return ErrorCode::not_a_database;
    case SQLITE_CORRUPT:
      return ErrorCode::corrupt;
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_AUTH:
      return ErrorCode::invalid;
    default:
      return ErrorCode::io;
  }
}

// SQLite's words, or clearer ones, and what can be done about it, where something can.
std::string explain(ErrorCode code, int extended_code, const std::string& message) {
  if (code == ErrorCode::busy) return message + ": another process writes; try again, or wait longer";
  if (code == ErrorCode::disk_full) return message + ": make room and try again";
  if (code == ErrorCode::not_a_database)
    return "it is no database: name a store's file, or one that does not exist yet";
  if (code == ErrorCode::read_only || (extended_code & 0xff) == SQLITE_CANTOPEN) {
    return "the file or its directory cannot be opened and written: change their permissions, or name another file";
  }
  if (code == ErrorCode::corrupt) return message + ": go back to a backup";
  if ((extended_code & 0xff) == SQLITE_IOERR) return message + ": look after the disk, and open the file again";
  return message;
}

// Whether it is the file that is in the way, whatever was to be done with it.
bool is_of_file(ErrorCode code) {
  return code == ErrorCode::busy || code == ErrorCode::disk_full || code == ErrorCode::not_a_database ||
         code == ErrorCode::read_only || code == ErrorCode::io;
}

}  // namespace

void fail(int extended_code, const std::string& what, const std::string& message) {
  if ((extended_code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  ensure((extended_code & 0xff) != SQLITE_MISUSE, "SQLite's interface is used as it is documented");
  // SQLite has no code of its own for a file whose schema a newer SQLite has made.
  const bool is_newer = extended_code == SQLITE_ERROR && message == "unsupported file format";
  const ErrorCode code = is_newer ? ErrorCode::unsupported_format : meaning(extended_code);
  throw Failure(code, what + ": " + explain(code, extended_code, message));
}

void fail(sqlite3* database, const std::string& what) {
  const int extended_code = sqlite3_extended_errcode(database);
  // Those who are to mend a file are not helped by the SQL. A database in memory has no name.
  const char* file = sqlite3_db_filename(database, "main");
  const bool names_file = is_of_file(meaning(extended_code)) && file != nullptr && *file != '\0';
  fail(extended_code, names_file ? "cannot use '" + std::string(file) + "'" : what, sqlite3_errmsg(database));
}

}  // namespace freshet::sqlite
