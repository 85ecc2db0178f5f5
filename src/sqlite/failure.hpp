// SQLite's result codes, translated in this one place.
#pragma once

#include <string>

struct sqlite3;

namespace freshet::sqlite {

// Throws the Error that the connection's last failure means: "`what`: SQLite's message". A misuse of
// SQLite's interface is a broken program and aborts.
[[noreturn]] void fail(sqlite3* database, const std::string& what);

// The same for a code without a connection.
[[noreturn]] void fail(int extended_code, const std::string& what, const std::string& message);

}  // namespace freshet::sqlite
