// The names of the error codes.
#include "freshet/error.hpp"

namespace freshet {

const char* name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::io:
      return "io_error";
    case ErrorCode::disk_full:
      return "disk_full";
    case ErrorCode::read_only:
      return "read_only";
    case ErrorCode::file_missing:
      return "file_missing";
    case ErrorCode::not_a_database:
      return "not_a_database";
    case ErrorCode::unsupported_format:
      return "unsupported_format";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::closed:
      return "closed";
    case ErrorCode::stale:
      return "stale";
    case ErrorCode::projection_failed:
      return "projection_failed";
    case ErrorCode::foreign_session:
      return "foreign_session";
    case ErrorCode::invalid:
      return "invalid";
  }
  return "unknown";
}

}  // namespace freshet
