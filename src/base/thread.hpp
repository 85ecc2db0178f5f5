// Threads, or one clear Error where the system has none to give.
#pragma once

#include <string>
#include <system_error>
#include <utility>

#include "freshet/error.hpp"

namespace freshet {

// `Thread` is std::thread or std::jthread. Throws Error `io`.
template <typename Thread, typename Body>
[[nodiscard]] Thread start_thread(Body&& body) {
  try {
    return Thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::io, "cannot start a thread: " + error.code().message() +
                                   ": end other programs, or raise the limits of processes and memory (ulimit -u, -v)");
  }
}

}  // namespace freshet
