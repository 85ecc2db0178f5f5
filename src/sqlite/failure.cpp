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

// What can be done about it, where something can.
const char* advice(ErrorCode code) {
  if (code == ErrorCode::busy) return ": another process writes; try again, or wait longer";
  if (code == ErrorCode::disk_full) return ": make room and try again";
  return "";
}

}  // namespace

void fail(int extended_code, const std::string& what, const std::string& message) {
  if ((extended_code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  ensure((extended_code & 0xff) != SQLITE_MISUSE, "SQLite's interface is used as it is documented");
  // SQLite has no code of its own for a file whose schema a newer SQLite has made.
  const bool is_newer = extended_code == SQLITE_ERROR && message == "unsupported file format";
  const ErrorCode code = is_newer ? ErrorCode::unsupported_format : meaning(extended_code);
  throw Failure(code, what + ": " + message + advice(code));
}

void fail(sqlite3* database, const std::string& what) {
  fail(sqlite3_extended_errcode(database), what, sqlite3_errmsg(database));
}

}  // namespace freshet::sqlite
