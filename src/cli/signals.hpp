// Ctrl-C and its like, as something that long work can ask about.
#pragma once

namespace freshet::cli {

// From here on the first SIGINT, SIGTERM, SIGHUP or other signal that would end the process is remembered instead, so
// that what is under way can end well. The second one ends it at once. A signal that was ignored when the process began
// stays so.
void watch_signals();

// The signal that came; 0 if none did.
[[nodiscard]] int signal_seen() noexcept;

// Readable from then on, for poll(); -1 before watch_signals().
[[nodiscard]] int signal_descriptor() noexcept;

// It has been dealt with; the next one is the first again.
void forget_signal() noexcept;

// Writing to a closed pipe, or beyond the size that a file may have (ulimit -f), becomes an error to be handled instead
// of a silent death.
void make_errors_of_signals();

}  // namespace freshet::cli
