// Remembers the first signal.
#include "cli/signals.hpp"

#include <atomic>
#include <csignal>

namespace freshet::cli {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<int> seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void remember_signal(int signal) {
  if (seen.exchange(signal) != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

void watch_signals() {
  struct sigaction action{};
  action.sa_handler = remember_signal;
  // System calls go on: what is under way asks signal_seen() where it can stop.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int signal_seen() noexcept {
  return seen.load();
}

void forget_signal() noexcept {
  seen.store(0);
}

void ignore_closed_pipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace freshet::cli
