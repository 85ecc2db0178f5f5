// Which seeds and calls a run of fault tests takes: a sample, or with FRESHET_LONG set all of them, or with
// FRESHET_SEED and FRESHET_CALL the one that failed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

namespace freshet::faults {

inline std::optional<std::int64_t> number_from_environment(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  return std::strtoll(text, nullptr, 10);
}

inline bool is_long_run() {
  return std::getenv("FRESHET_LONG") != nullptr;
}

// Up to `count` of the numbers from 1 through `last`, evenly spread; another seed takes others.
inline std::vector<std::int64_t> sample(std::int64_t last, std::int64_t count, std::uint64_t seed) {
  if (const auto chosen = number_from_environment("FRESHET_CALL")) return {*chosen};
  std::vector<std::int64_t> numbers;
  const std::int64_t stride = is_long_run() ? 1 : std::max<std::int64_t>(1, last / count);
  const auto first = static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(stride)) + 1;
  for (std::int64_t number = first; number <= last; number += stride) numbers.push_back(number);
  return numbers;
}

inline std::vector<std::uint64_t> seeds(std::uint64_t few, std::uint64_t many) {
  if (const auto chosen = number_from_environment("FRESHET_SEED")) return {static_cast<std::uint64_t>(*chosen)};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= (is_long_run() ? many : few); ++seed) all.push_back(seed);
  return all;
}

}  // namespace freshet::faults
