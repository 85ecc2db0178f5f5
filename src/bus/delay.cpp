// Delays as text, and drawn by chance.
#include "bus/delay.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/ensure.hpp"
#include "base/time_text.hpp"

namespace freshet {
namespace {

// What stands between "name(" and ")". Nothing if `text` is not of that form.
std::optional<std::string_view> arguments(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with(')')) return std::nullopt;
  text.remove_prefix(name.size());
  if (!text.starts_with('(')) return std::nullopt;
  return text.substr(1, text.size() - 2);
}

std::optional<Duration> parse_bounded(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration || *duration > delay_max) return std::nullopt;
  return duration;
}

struct Pair {
  Duration first;
  Duration second;
};

std::optional<Pair> parse_pair(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto first = parse_bounded(text.substr(0, comma));
  const auto second = parse_bounded(text.substr(comma + 1));
  if (!first || !second) return std::nullopt;
  return Pair{*first, *second};
}

// From 0 to below 1, in steps of 2^-53: every value is exact in a double.
double draw_unit(Random& random) {
  return static_cast<double>(random() >> 11U) * 0x1.0p-53;
}

// Cut to what a delay may be.
Duration bounded(double microseconds) {
  const auto max = static_cast<double>(delay_max.count());
  return Duration{std::llround(std::clamp(microseconds, 0.0, max))};
}

double microseconds(Duration duration) {
  return static_cast<double>(duration.count());
}

Duration draw_one(const FixedDelay& delay, Random& /*random*/) {
  return bounded(microseconds(delay.duration));
}

Duration draw_one(const UniformDelay& delay, Random& random) {
  ensure(delay.min <= delay.max, "the shortest delay is not above the longest");
  const auto steps = microseconds(delay.max) - microseconds(delay.min) + 1.0;
  return bounded(microseconds(delay.min) + std::floor(draw_unit(random) * steps));
}

// Box and Muller. The second value that the method would give is left unused, so that a draw depends on
// nothing but the generator.
Duration draw_one(const NormalDelay& delay, Random& random) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - draw_unit(random)));
  const double angle = 2.0 * std::numbers::pi * draw_unit(random);
  return bounded(microseconds(delay.mean) + microseconds(delay.deviation) * radius * std::cos(angle));
}

Duration draw_one(const ExponentialDelay& delay, Random& random) {
  return bounded(-microseconds(delay.mean) * std::log(1.0 - draw_unit(random)));
}

std::string format_one(const FixedDelay& delay) {
  return "fixed(" + format_duration(delay.duration) + ')';
}

std::string format_one(const UniformDelay& delay) {
  return "uniform(" + format_duration(delay.min) + ',' + format_duration(delay.max) + ')';
}

std::string format_one(const NormalDelay& delay) {
  return "normal(" + format_duration(delay.mean) + ',' + format_duration(delay.deviation) + ')';
}

std::string format_one(const ExponentialDelay& delay) {
  return "exponential(" + format_duration(delay.mean) + ')';
}

}  // namespace

std::optional<Delay> parse_delay(std::string_view text) {
  if (const auto inner = arguments(text, "uniform")) {
    const auto pair = parse_pair(*inner);
    if (!pair || pair->first > pair->second) return std::nullopt;
    return UniformDelay{.min = pair->first, .max = pair->second};
  }
  if (const auto inner = arguments(text, "normal")) {
    const auto pair = parse_pair(*inner);
    if (!pair) return std::nullopt;
    return NormalDelay{.mean = pair->first, .deviation = pair->second};
  }
  if (const auto inner = arguments(text, "exponential")) {
    const auto mean = parse_bounded(*inner);
    if (!mean) return std::nullopt;
    return ExponentialDelay{*mean};
  }
  const auto duration = parse_bounded(arguments(text, "fixed").value_or(text));
  if (!duration) return std::nullopt;
  return FixedDelay{*duration};
}

std::string format_delay(const Delay& delay) {
  return std::visit([](const auto& kind) { return format_one(kind); }, delay);
}

Duration draw(const Delay& delay, Random& random) {
  return std::visit([&](const auto& kind) { return draw_one(kind, random); }, delay);
}

bool happens(double probability, Random& random) {
  return draw_unit(random) < probability;
}

}  // namespace freshet
