// freshet-simulate: runs the simulation for one seed or many, and says how to repeat what went wrong.
//
//   freshet-simulate [--seed N] [--seeds N] [--from N] [--steps N] [--trace]
//
// One seed alone, or as many as are asked for (1,000) from one on (1). Exit code 1 if a promise was not kept,
// or if 1,000 seeds or more never took one of the rare paths. The build with deliberate bugs takes --bug NAME
// as well, and then exit code 0 means that a seed has found the bug.
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include "base/deliberate_bug.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace {

using namespace freshet;
using namespace freshet::simulation;

constexpr std::uint64_t seeds_for_rare_paths = 1'000;
// Every so many seeds the run is repeated, to see that it is the same to the byte.
constexpr std::uint64_t seeds_between_repetitions = 50;

struct Options {
  std::uint64_t from = 1;
  std::uint64_t seeds = 1'000;
  std::uint64_t steps = 80;
  Journal::Printing printing = Journal::Printing::off;
  std::string_view bug = {};
};

// What an abort in the middle has to tell; a handler of signals can do no more than write it.
char last_words[256];
int exit_code_of_failure = 1;

void on_abort(int /*signal*/) {
  static_cast<void>(!write(STDOUT_FILENO, last_words, std::strlen(last_words)));
  _exit(exit_code_of_failure);
}

[[noreturn]] void refuse(std::string_view argument) {
  std::cerr << "freshet-simulate: cannot make sense of '" << argument
            << "'; usage: freshet-simulate [--seed N] [--seeds N] [--from N] [--steps N] [--trace]\n";
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse(text);
  return value;
}

void choose_bug(std::string_view name) {
#ifdef FRESHET_DELIBERATE_BUGS
  for (const auto& [bug, known] : bug_names) {
    if (known == name) deliberate_bug = bug;
  }
  if (!deliberate_bug) refuse(name);
  exit_code_of_failure = 0;
#else
  refuse(name);
#endif
}

Options parse(int count, char** arguments) {
  Options options;
  for (int index = 1; index < count; ++index) {
    const std::string_view name = arguments[index];
    if (name == "--trace") {
      options.printing = Journal::Printing::on;
      continue;
    }
    if (index + 1 == count) refuse(name);
    const std::string_view value = arguments[++index];
    if (name == "--seed") {
      options.from = number(value);
      options.seeds = 1;
    } else if (name == "--seeds") {
      options.seeds = number(value);
    } else if (name == "--from") {
      options.from = number(value);
    } else if (name == "--steps") {
      options.steps = number(value);
    } else if (name == "--bug") {
      choose_bug(options.bug = value);
    } else {
      refuse(name);
    }
  }
  return options;
}

std::string how_to_repeat(const Options& options, std::uint64_t seed) {
  return "repeat it with: freshet-simulate" +
         (options.bug.empty() ? "" : "-with-bugs --bug " + std::string(options.bug)) + " --seed " +
         std::to_string(seed) + " --steps " + std::to_string(options.steps) + " --trace\n";
}

void report(const Options& options, std::uint64_t seed, int step, const std::string& what) {
  std::cout << "seed " << seed << " fails at step " << step << ": " << what << how_to_repeat(options, seed);
}

// False: a promise was not kept.
bool run(const Options& options, std::uint64_t seed, Counters& counters, Journal& journal) {
  std::snprintf(last_words, sizeof last_words, "seed %llu aborts\n%s", static_cast<unsigned long long>(seed),
                how_to_repeat(options, seed).c_str());
  Simulation simulation(seed, counters, journal);
  try {
    simulation.run(static_cast<int>(options.steps));
    return true;
  } catch (const Violation& violation) {
    report(options, seed, simulation.step(),
           std::string(violation.what()) + "\n  expected: " + violation.expected() +
               "\n  found:    " + violation.found() + '\n');
  } catch (const std::exception& exception) {
    report(options, seed, simulation.step(), std::string("an exception: ") + exception.what() + '\n');
  }
  return false;
}

bool is_repeatable(const Options& options, std::uint64_t seed, std::uint64_t hash) {
  Counters counters;
  Journal journal(Journal::Printing::off);
  static_cast<void>(run(options, seed, counters, journal));
  if (journal.hash() == hash) return true;
  report(options, seed, 0, "a second run differs from the first\n");
  return false;
}

// False: some path was never taken.
bool report_rare_paths(const Options& options, const Counters& counters) {
  bool all = true;
  for (const Rare path : Counters::all()) {
    if (counters.of(path) == 0) {
      std::cout << "never in " << options.seeds << " seeds: " << Counters::name(path) << '\n';
      all = false;
    } else if (options.seeds >= seeds_for_rare_paths) {
      std::cout << counters.of(path) << ' ' << Counters::name(path) << '\n';
    }
  }
  return all || options.seeds < seeds_for_rare_paths;
}

// The exit code.
int simulate(const Options& options) {
  Counters counters;
  std::uint64_t hash = 0;
  for (std::uint64_t seed = options.from; seed < options.from + options.seeds; ++seed) {
    Journal journal(options.printing);
    if (!run(options, seed, counters, journal)) return exit_code_of_failure;
    if (seed % seeds_between_repetitions == 0 && !is_repeatable(options, seed, journal.hash())) return 1;
    hash = hash * 31 + journal.hash();
  }
  if (!options.bug.empty()) {
    std::cout << options.seeds << " seeds have not found the bug " << options.bug << '\n';
    return 1;
  }
  const bool complete = report_rare_paths(options, counters);
  std::cout << options.seeds << " seeds from " << options.from << " on, " << options.steps << " steps each, trace "
            << std::hex << hash << std::dec << '\n';
  return complete ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  std::signal(SIGABRT, on_abort);
  const int code = simulate(options);
  std::cout << (code == 0 ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
  return code;
}
