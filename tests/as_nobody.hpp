// Running as somebody who may not do everything.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

namespace freshet::tests {

// Whoever may do everything could write to what nobody may write to, so `body` runs as somebody who may not. Gives 0 if
// it returns true, 1 if it returns false, 2 and the message if it throws.
template <typename Body>
int as_nobody(const Body& body) {
  constexpr uid_t nobody = 65'534;
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && setuid(nobody) != 0) _exit(3);
    try {
      _exit(body() ? 0 : 1);
    } catch (const std::exception& exception) {
      static_cast<void>(std::fprintf(stderr, "%s\n", exception.what()));
      _exit(2);
    }
  }
  int result = 0;
  waitpid(child, &result, 0);
  return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

}  // namespace freshet::tests
