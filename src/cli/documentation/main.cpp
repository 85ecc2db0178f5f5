// A program of the build: prints the manual page or a shell's completions, so that they say what the program does.
#include <cstdio>
#include <string>

#include "base/ensure.hpp"
#include "cli/documentation/manual.hpp"
#include "freshet/store.hpp"

int main(int argument_count, char** arguments) {
  using namespace freshet;
  ensure(argument_count == 2, "the argument is man, bash, fish or zsh");
  const std::string wanted = arguments[1];
  const cli::CommandOutline program = cli::outline();
  const std::string build = build_description();  // Its first line is the version.

  std::string text;
  if (wanted == "man") text = cli::manual_page(program, build.substr(0, build.find('\n')));
  if (wanted == "bash") text = cli::bash_completions(program);
  if (wanted == "fish") text = cli::fish_completions(program);
  if (wanted == "zsh") text = cli::zsh_completions(program);
  ensure(!text.empty(), "the argument is man, bash, fish or zsh");
  return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}
