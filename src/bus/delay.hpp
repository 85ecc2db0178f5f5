// Delays as text, and drawn by chance.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "freshet/bus.hpp"

namespace freshet {

// "50ms", "fixed(50ms)", "uniform(20ms,80ms)", "normal(50ms,10ms)", "exponential(50ms)". Nothing if the
// text is anything else or breaks a bound (an empty interval, a delay above delay_max).
[[nodiscard]] std::optional<Delay> parse_delay(std::string_view text);

[[nodiscard]] std::string format_delay(const Delay& delay);  // "fixed(50ms)", "uniform(20ms,80ms)"

using Random = std::mt19937_64;

// From 0 to delay_max. The same sequence on every machine: the standard library's distributions differ
// from one implementation to another, so they are not used.
[[nodiscard]] Duration draw(const Delay& delay, Random& random);

// True with this probability.
[[nodiscard]] bool happens(double probability, Random& random);

}  // namespace freshet
