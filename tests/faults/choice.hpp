// Which seeds and calls a run of fault tests takes: a sample, or with FRESHET_LONG=MINUTES one ten times as large, and
// as many seeds as the long form has by then, with FRESHET_SHORT a third of both, or with FRESHET_SEED and
// FRESHET_CALL the one that failed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

namespace freshet::faults {

inline std::optional<std::int64_t> number_from_environment(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  return std::strtoll(text, nullptr, 10);
}

inline std::optional<std::int64_t> minutes_of_long_run() {
  return number_from_environment("FRESHET_LONG");
}

inline bool is_short() {
  return std::getenv("FRESHET_SHORT") != nullptr;
}

// About `count` of the numbers from 1 through `last`, evenly spread; another seed takes others.
inline std::vector<std::int64_t> sample(std::int64_t last, std::int64_t count, std::uint64_t seed) {
  if (const auto chosen = number_from_environment("FRESHET_CALL")) return {*chosen};
  if (minutes_of_long_run()) count *= 10;
  if (is_short()) count /= 3;
  std::vector<std::int64_t> numbers;
  const std::int64_t stride = std::max<std::int64_t>(1, last / count);
  const auto first = static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(stride)) + 1;
  for (std::int64_t number = first; number <= last; number += stride) numbers.push_back(number);
  return numbers;
}

// `many` are those of an hour.
inline std::vector<std::uint64_t> seeds(std::int64_t few, std::int64_t many) {
  if (const auto chosen = number_from_environment("FRESHET_SEED")) return {static_cast<std::uint64_t>(*chosen)};
  std::int64_t count = is_short() ? few / 3 : few;
  if (const auto minutes = minutes_of_long_run()) count = many * *minutes / 60;
  std::vector<std::uint64_t> all(static_cast<std::size_t>(std::max<std::int64_t>(1, count)));
  std::iota(all.begin(), all.end(), 1);
  return all;
}

}  // namespace freshet::faults
