// SQLite's result codes, translated in this one place.
#pragma once

#include <string>

#include "freshet/error.hpp"

struct sqlite3;

namespace freshet::sqlite {

// An Error that SQLite itself has reported; an application can throw an Error of the same code.
class Failure final : public Error {
 public:
  using Error::Error;
};

// Throws the Failure that the connection's last failure means: "`what`: why, and what to do about it". Where it
// is the file that fails, and not what was to be done with it, it is named in the place of `what`. A misuse of
// SQLite's interface is a broken program and aborts.
[[noreturn]] void fail(sqlite3* database, const std::string& what);

// The same for a code without a connection, with the system's error (errno), if it is known.
[[noreturn]] void fail(int extended_code, const std::string& what, const std::string& message, int system = 0);

// The system's last error (errno) on the database's files since they were opened; 0 if there was none.
[[nodiscard]] int system_error(sqlite3* database, const char* schema);

}  // namespace freshet::sqlite
