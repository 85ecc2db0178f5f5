// Assertions, which end the process: they are tried in another one.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

namespace freshet::tests {

// The sentence that `body` dies with, in a process of its own; "" if it does not die of an assertion.
template <typename Body>
std::string last_words(const Body& body) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // The test framework would report it as a failure of its own.
    dup2(ends[1], STDERR_FILENO);
    body();
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  std::array<char, 256> piece{};
  for (ssize_t size = 0; (size = read(ends[0], piece.data(), piece.size())) > 0;) {
    words.append(piece.data(), static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int result = 0;
  waitpid(child, &result, 0);
  return WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT ? words : "";
}

}  // namespace freshet::tests
