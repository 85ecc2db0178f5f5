// Delays as text, and drawn by chance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "freshet/bus.hpp"

namespace freshet {

// "50ms", "fixed(50ms)", "uniform(20ms,80ms)", "normal(50ms,10ms)", "exponential(50ms)". Nothing if the
// text is anything else or breaks a bound (an empty interval, a delay above delay_max).
[[nodiscard]] std::optional<Delay> parse_delay(std::string_view text);

[[nodiscard]] std::string format_delay(const Delay& delay);  // "fixed(50ms)", "uniform(20ms,80ms)"

// SplitMix64. The seed is all its state, so it costs nothing to give each message a generator of its own.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t operator()() {
    state_ += 0x9e3779b97f4a7c15U;
    return mixed(state_);
  }

  // Its finalizer: every bit of the input moves every bit of the output.
  [[nodiscard]] static std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
  }

 private:
  std::uint64_t state_;
};

// From 0 to delay_max. The same sequence on every machine: the standard library's distributions differ
// from one implementation to another, so they are not used.
[[nodiscard]] Duration draw(const Delay& delay, Random& random);

// True with this probability.
[[nodiscard]] bool happens(double probability, Random& random);

}  // namespace freshet
