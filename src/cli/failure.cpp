// Maps what went wrong to exit codes and to the codes in JSON.
#include "cli/failure.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <new>
#include <system_error>
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

Failure failure_of(const std::exception& error) {
  if (const auto* known = dynamic_cast<const Error*>(&error)) return failure_of(*known);
  const int code = code_of(Exit::broken);
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return {code, name(ErrorCode::io), "there is no memory left: end other programs, or allow this one more"};
  }
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    const std::string which = file->path1().empty() ? "the working directory" : "'" + file->path1().string() + "'";
    return {code, name(ErrorCode::io), fmt::format("cannot use {}: {}", which, file->code().message())};
  }
  if (const auto* refusal = dynamic_cast<const std::system_error*>(&error)) {
    return {code, name(ErrorCode::io),
            fmt::format("the system refuses what is needed, as a thread: {}: try again with less going on",
                        refusal->code().message())};
  }
  return {code, "internal_error", fmt::format("this should not happen, and is a bug of Freshet's: {}", error.what())};
}

}  // namespace freshet::cli
