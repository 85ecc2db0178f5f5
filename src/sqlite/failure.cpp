// The translation of SQLite's result codes to Error.
#include "sqlite/failure.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <new>
#include <system_error>

#include "base/ensure.hpp"
#include "sqlite/connection.hpp"

namespace freshet::sqlite {
namespace {

bool is_io(int extended_code) {
  return (extended_code & 0xff) == SQLITE_IOERR;
}

bool is_cantopen(int extended_code) {
  return (extended_code & 0xff) == SQLITE_CANTOPEN;
}

// What a sync has not written is unknown, whatever its reason.
bool is_sync(int extended_code) {
  return extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC;
}

bool is_about_room(int system) {
  return system == ENOSPC || system == EDQUOT || system == EFBIG;
}

ErrorCode meaning(int extended_code, int system) {
  // What was read is not what was written. (SQLITE_IOERR_CORRUPTFS says that nothing could be read.)
  if (extended_code == SQLITE_IOERR_DATA) return ErrorCode::corrupt;
  if ((is_io(extended_code) || is_cantopen(extended_code)) && !is_sync(extended_code) && is_about_room(system)) {
    return ErrorCode::disk_full;
  }
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

std::string explain_no_room(int system, const std::string& message) {
  if (system == EFBIG) return "the file may not grow any further: raise the bound on the size of files (ulimit -f)";
  return (system == EDQUOT ? std::generic_category().message(system) : message) + ": make room and try again";
}

std::string explain_cantopen(int system) {
  if (system == EMFILE || system == ENFILE) {
    return "too many files are open: close some, or raise the bound on their number (ulimit -n)";
  }
  if (system == 0 || system == EACCES || system == EPERM || system == EROFS || system == ENOENT) {
    return "the file or its directory cannot be opened and written: change their permissions, or name another file";
  }
  return std::generic_category().message(system) + (system == EIO ? ": look after the disk" : "");
}

// SQLite's words, or clearer ones, and what can be done about it, where something can.
std::string explain(ErrorCode code, int extended_code, int system, const std::string& message) {
  if (code == ErrorCode::busy) return message + ": another process writes; try again, or wait longer";
  if (code == ErrorCode::disk_full) return explain_no_room(system, message);
  if (code == ErrorCode::not_a_database)
    return "it is no database: name a store's file, or one that does not exist yet";
  if (is_cantopen(extended_code)) return explain_cantopen(system);
  if (code == ErrorCode::read_only) return explain_cantopen(EACCES);
  if (code == ErrorCode::corrupt) return message + ": go back to a backup";
  if (is_io(extended_code)) {
    const std::string why = system == 0 ? "" : " (" + std::generic_category().message(system) + ")";
    return message + why + ": look after the disk, and open the file again";
  }
  return message;
}

// Whether it is the file that is in the way, whatever was to be done with it.
bool is_of_file(ErrorCode code) {
  return code == ErrorCode::busy || code == ErrorCode::disk_full || code == ErrorCode::not_a_database ||
         code == ErrorCode::read_only || code == ErrorCode::io;
}

}  // namespace

int system_error(sqlite3* database, const char* schema) {
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(database, schema, which, &file) != SQLITE_OK) continue;
    // A journal in memory answers no such questions.
    if (file == nullptr || file->pMethods == nullptr || file->pMethods->xFileControl == nullptr) continue;
    int system = 0;
    if (file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &system) == SQLITE_OK && system != 0) return system;
  }
  return 0;
}

void fail(int extended_code, const std::string& what, const std::string& message, int system) {
  if ((extended_code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  ensure((extended_code & 0xff) != SQLITE_MISUSE, "SQLite's interface is used as it is documented");
  // SQLite has no code of its own for a file whose schema a newer SQLite has made.
  const bool is_newer = extended_code == SQLITE_ERROR && message == "unsupported file format";
  const ErrorCode code = is_newer ? ErrorCode::unsupported_format : meaning(extended_code, system);
  throw Failure(code, what + ": " + explain(code, extended_code, system, message));
}

void fail(sqlite3* database, const std::string& what) {
  int extended_code = sqlite3_extended_errcode(database);
  std::string message = sqlite3_errmsg(database);
  int system = system_error(database, "main");
  if (system == 0) system = system_error(database, attached_schema);
  // SQLite calls a read that the disk has refused corruption as well.
  if ((extended_code & 0xff) == SQLITE_CORRUPT && system != 0) {
    extended_code = SQLITE_IOERR_READ;
    message = sqlite3_errstr(extended_code);
  }
  // It keeps an error of its own for what has to do with no open file; not for what fails in a COMMIT.
  if (system == 0 || is_cantopen(extended_code)) system = sqlite3_system_errno(database);
  // Those who are to mend a file are not helped by the SQL. A database in memory has no name.
  const char* file = sqlite3_db_filename(database, "main");
  if (file == nullptr || *file == '\0') file = sqlite3_db_filename(database, attached_schema);
  const bool names_file = is_of_file(meaning(extended_code, system)) && file != nullptr && *file != '\0';
  fail(extended_code, names_file ? "cannot use '" + std::string(file) + "'" : what, message, system);
}

}  // namespace freshet::sqlite
