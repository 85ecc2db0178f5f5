// Errors: the world is broken, and the caller cannot go on as planned.
//
// What can be expected in daily work (a conflict, a refusal, a stale answer) is a value and never an
// Error. A broken program (a precondition not met) stops the process with a sentence.
//
// Threads: values.
#pragma once

#include <stdexcept>
#include <string>

namespace [[gnu::visibility("default")]] freshet {

// A code exists only where a caller can react to it in its own way; the rest is in the message.
enum class ErrorCode {
  io,                  // The system refused: an unreadable file, a missing directory, a broken disk.
  disk_full,           // Make room, then open the store again.
  read_only,           // The file or its directory cannot be written.
  file_missing,        // Opened for reading, or as existing, and not there. Nothing was created.
  not_a_database,      // The file is no SQLite database, or one that Freshet did not make.
  unsupported_format,  // A newer release wrote the file, or what is in it. It was left as it was.
  corrupt,             // What was read is not what was written. Run `log verify`.
  busy,                // Other processes kept the write lock past the busy timeout. Try again.
  closed,              // An earlier failure or close() ended this object. Open the store again.
  stale,               // A read with OnTimeout::error was not fresh in time.
  projection_failed,   // The projector has stopped; the message says why.
  foreign_session,     // A session token, or a place in the log, of another store or another epoch. Begin anew.
  invalid,             // An argument breaks a documented bound, and only data could show it.
};

// what() is lower case, without a full stop, with what failed first and the cause after a colon.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  // What to react to.
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

// The code's name as it stands in JSON, such as "io_error" or "corrupt".
[[nodiscard]] const char* name(ErrorCode code) noexcept;

}  // namespace freshet
