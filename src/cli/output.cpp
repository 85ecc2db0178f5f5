// Writes to the descriptor of standard output, without a buffer in between.
#include "cli/output.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "freshet/error.hpp"

namespace freshet::cli {

bool Output::write(std::string_view text) {
  while (!is_closed_ && !text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EPIPE) {
      is_closed_ = true;
    } else if (errno == EAGAIN) {
      // Somebody else made the pipe non-blocking; wait until there is room in it.
      pollfd waiting{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&waiting, 1, -1);
    } else if (errno != EINTR) {
      const ErrorCode code = errno == ENOSPC ? ErrorCode::disk_full : ErrorCode::io;
      throw Error(code, fmt::format("cannot write to standard output: {}", std::strerror(errno)));
    }
  }
  return !is_closed_;
}

bool Output::has_reader() const {
  pollfd asked{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  // Asked for nothing, poll() tells of errors and hang-ups alone.
  return !is_closed_ && ::poll(&asked, 1, 0) <= 0;
}

}  // namespace freshet::cli
