// The results as a table for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "bench/contest.hpp"

namespace freshet::bench {

struct NamedOutcome {
  std::string name;
  Outcome outcome;
};

struct Report {
  std::string workload;
  std::string machine;
  int rounds = 0;
  std::vector<NamedOutcome> outcomes;
};

// Processor, kernel, how busy it is, and what this build is made of.
[[nodiscard]] std::string describe_machine();

[[nodiscard]] std::string heading();
[[nodiscard]] std::string line(const Row& row);
[[nodiscard]] std::string json(const Report& report);

}  // namespace freshet::bench
