// All contests, by the part of Freshet that they are about.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/contest.hpp"
#include "bench/workload.hpp"

namespace freshet::bench {

struct Setup {
  const Workload& workload;
  std::filesystem::path directory;  // For this contest alone; on the disk that is measured.
  std::filesystem::path freshet;    // The executable; empty: whole processes are left out.
  Duration turn{};                  // How long a side goes on in a round, where that is free.
  std::size_t log_events = 0;       // Of the logs that are projected and read.
};

struct NamedContest {
  std::string name;
  Contest (*make)(const Setup& setup);
};

[[nodiscard]] std::vector<NamedContest> append_contests();
[[nodiscard]] std::vector<NamedContest> projection_contests();
[[nodiscard]] std::vector<NamedContest> read_contests();
[[nodiscard]] std::vector<NamedContest> process_contests();

}  // namespace freshet::bench
