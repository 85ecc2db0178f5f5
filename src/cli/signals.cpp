// Remembers the first signal.
#include "cli/signals.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<int> seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

// A pipe, of which the handler writes one end: whoever sleeps in poll() on the other one wakes, whichever thread the
// system has chosen for the handler.
std::atomic<int> read_end{-1};
std::atomic<int> write_end{-1};

// All that end a process and that it can do something about, but for SIGQUIT: that one is asked for to look at what
// lies there, temporary files included.
constexpr std::array ending_signals{SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGXCPU};

extern "C" void remember_signal(int signal) {
  if (seen.exchange(signal) != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  const int saved = errno;
  static_cast<void>(::write(write_end, "", 1) == 1);
  errno = saved;
}

void make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw Error(ErrorCode::io, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  read_end = ends[0];
  write_end = ends[1];
}

}  // namespace

void watch_signals() {
  if (read_end < 0) make_pipe();
  struct sigaction action{};
  action.sa_handler = remember_signal;
  // System calls go on: what is under way asks signal_seen() where it can stop.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : ending_signals) {
    struct sigaction present{};
    // Whoever began the process with a signal ignored (nohup, a script with `&`) means that to last.
    if (sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) sigaction(signal, &action, nullptr);
  }
}

int signal_seen() noexcept {
  return seen.load();
}

int signal_descriptor() noexcept {
  return read_end;
}

void forget_signal() noexcept {
  char byte = 0;
  while (::read(read_end, &byte, 1) == 1) continue;
  seen.store(0);
}

void make_errors_of_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace freshet::cli
