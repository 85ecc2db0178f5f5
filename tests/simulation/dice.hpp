// Chance, from one seed.
#pragma once

#include <cstdint>

#include "bus/delay.hpp"

namespace freshet::simulation {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  // From 0 to below the bound.
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::int64_t number(std::int64_t max) {
    return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(max) + 1));
  }
  bool chance(double probability) { return happens(probability, random_); }
  // From 0 to `max`.
  Duration duration(Duration max) { return Duration{number(max.count())}; }
  std::uint64_t seed() { return random_(); }

 private:
  Random random_;
};

}  // namespace freshet::simulation
