// Maps what went wrong to exit codes and to the codes in JSON.
#include "cli/failure.hpp"

#include <utility>

namespace freshet::cli {
namespace {

constexpr int code_of(Exit exit) {
  return static_cast<int>(exit);
}

Exit exit_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::foreign_session:
    case ErrorCode::invalid:
      return Exit::usage;
    case ErrorCode::stale:
      return Exit::stale;
    case ErrorCode::corrupt:
      return Exit::corrupt;
    case ErrorCode::busy:
      return Exit::busy;
    case ErrorCode::io:
    case ErrorCode::disk_full:
    case ErrorCode::read_only:
    case ErrorCode::file_missing:
    case ErrorCode::not_a_database:
    case ErrorCode::unsupported_format:
    case ErrorCode::closed:
    case ErrorCode::projection_failed:
      return Exit::broken;
  }
  return Exit::broken;
}

}  // namespace

Failure usage_failure(std::string message) {
  return {code_of(Exit::usage), "usage", std::move(message)};
}

Failure not_found_failure(std::string message) {
  return {code_of(Exit::not_found), "not_found", std::move(message)};
}

Failure interrupted_failure(int signal, std::string message) {
  return {code_of(Exit::signal) + signal, "interrupted", std::move(message)};
}

Failure failure_of(const Error& error) {
  // What the engine calls an invalid argument, the user typed.
  if (error.code() == ErrorCode::invalid) return usage_failure(error.what());
  // What to do about it is the command line's to say.
  const char* advice =
      error.code() == ErrorCode::file_missing ? ": name another one with --db, or begin one with 'order place'" : "";
  return {code_of(exit_of(error.code())), name(error.code()), std::string{error.what()} + advice};
}

}  // namespace freshet::cli
