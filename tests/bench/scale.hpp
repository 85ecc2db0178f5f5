// What a store costs when it is large: the same questions to a small file and to a large one.
#pragma once

#include <cstddef>
#include <filesystem>

#include "bench/workload.hpp"

namespace freshet::bench {

inline constexpr std::size_t scale_events = 10'000'000;
inline constexpr std::size_t scale_events_small = 100'000;

// Builds both, asks them, and prints what they answer side by side.
void measure_scale(const Workload& workload, const std::filesystem::path& directory, std::size_t events);

}  // namespace freshet::bench
