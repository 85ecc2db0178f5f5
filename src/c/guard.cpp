// Codes and messages of failures, in both directions.
#include "c/guard.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "base/ensure.hpp"
#include "base/utf8.hpp"
#include "c/handles.hpp"

namespace freshet::c {
namespace {

constexpr std::array codes = {
    std::pair{ErrorCode::io, FRESHET_IO},
    std::pair{ErrorCode::disk_full, FRESHET_DISK_FULL},
    std::pair{ErrorCode::read_only, FRESHET_READ_ONLY},
    std::pair{ErrorCode::file_missing, FRESHET_FILE_MISSING},
    std::pair{ErrorCode::not_a_database, FRESHET_NOT_A_DATABASE},
    std::pair{ErrorCode::unsupported_format, FRESHET_UNSUPPORTED_FORMAT},
    std::pair{ErrorCode::corrupt, FRESHET_CORRUPT},
    std::pair{ErrorCode::busy, FRESHET_BUSY},
    std::pair{ErrorCode::closed, FRESHET_CLOSED},
    std::pair{ErrorCode::stale, FRESHET_STALE},
    std::pair{ErrorCode::projection_failed, FRESHET_PROJECTION_FAILED},
    std::pair{ErrorCode::invalid, FRESHET_INVALID},
    std::pair{ErrorCode::foreign_session, FRESHET_FOREIGN_SESSION},
};

// Bytes 10xxxxxx go on with a character of UTF-8.
bool goes_on(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

}  // namespace

freshet_code code_of(ErrorCode code) noexcept {
  const auto* const found = std::ranges::find(codes, code, &std::pair<ErrorCode, freshet_code>::first);
  ensure(found != codes.end(), "every error has a code in C");
  return found->second;
}

freshet_code report(freshet_error* error, freshet_code code, std::string_view message) noexcept {
  if (error == nullptr) return code;
  std::size_t size = std::min(message.size(), std::size_t{FRESHET_MESSAGE_SIZE - 1});
  while (size < message.size() && size > 0 && goes_on(message[size])) --size;
  error->code = code;
  error->message[message.copy(error->message, size)] = '\0';
  return code;
}

bool are_names(const char* const* names, std::size_t count) {
  if (count > names_max || (names == nullptr && count > 0)) return false;
  return std::none_of(names, names + count, [](const char* name) { return name == nullptr; });
}

std::vector<std::string> names_of(const char* const* names, std::size_t count) {
  require(are_names(names, count), "names are texts and not NULL, as many as their count says and at most 1000");
  return {names, names + count};
}

void raise(const freshet_error& failure) {
  std::string message(failure.message);
  if (message.empty()) {
    message = std::string("the callback failed (") + freshet_code_name(failure.code) + ") and did not say why";
  }
  const auto* const found = std::ranges::find(codes, failure.code, &std::pair<ErrorCode, freshet_code>::second);
  if (found != codes.end()) throw Error(found->first, message);
  throw std::runtime_error(message);
}

}  // namespace freshet::c

const char* freshet_version() {
  return FRESHET_VERSION;
}

const char* freshet_code_name(freshet_code code) {
  if (code == FRESHET_OK) return "ok";
  if (code == FRESHET_CONFLICT) return "conflict";
  if (code == FRESHET_NOT_FRESH) return "not_fresh";
  if (code == FRESHET_KEY_REUSED) return "key_reused";
  const auto* const found =
      std::ranges::find(freshet::c::codes, code, &std::pair<freshet::ErrorCode, freshet_code>::second);
  return found != freshet::c::codes.end() ? freshet::name(found->first) : "failure";
}
