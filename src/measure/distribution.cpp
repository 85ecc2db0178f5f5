// Quantiles and shares of measured times, and the distribution functions of the delays.
#include "measure/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/ensure.hpp"

namespace freshet::measure {
namespace {

double microseconds(Duration duration) {
  return static_cast<double>(duration.count());
}

double p_within(const FixedDelay& delay, Duration after) {
  return after >= delay.duration ? 1.0 : 0.0;
}

double p_within(const UniformDelay& delay, Duration after) {
  if (after >= delay.max) return 1.0;
  if (after < delay.min) return 0.0;
  return microseconds(after - delay.min) / microseconds(delay.max - delay.min);
}

double p_within(const NormalDelay& delay, Duration after) {
  if (delay.deviation == Duration{0}) return p_within(FixedDelay{delay.mean}, after);
  // erfc and not erf: it keeps its digits far below the mean.
  return 0.5 * std::erfc(-microseconds(after - delay.mean) / (microseconds(delay.deviation) * std::numbers::sqrt2));
}

double p_within(const ExponentialDelay& delay, Duration after) {
  if (delay.mean == Duration{0}) return 1.0;
  return -std::expm1(-microseconds(after) / microseconds(delay.mean));
}

}  // namespace

Measured::Measured(std::vector<Duration> values) : values_(std::move(values)) {
  ensure(!values_.empty(), "a distribution is measured from at least one value");
  std::ranges::sort(values_);
}

Duration Measured::quantile(double share) const {
  ensure(share > 0.0 && share <= 1.0, "a quantile is of a share above 0 and up to 1");
  const double count = static_cast<double>(values_.size());
  // A share such as 0.9 of 10 must not become 10 by a rounding error.
  const auto rank = static_cast<std::size_t>(std::ceil(share * count - 1e-9));
  return values_[std::clamp<std::size_t>(rank, 1, values_.size()) - 1];
}

double Measured::share_within(Duration limit) const {
  const auto above = std::ranges::upper_bound(values_, limit);
  return static_cast<double>(above - values_.begin()) / static_cast<double>(values_.size());
}

double p_delivered(const Delay& delay, Duration after) {
  // Draws are cut to these bounds.
  if (after < Duration{0}) return 0.0;
  if (after >= delay_max) return 1.0;
  return std::visit([after](const auto& kind) { return p_within(kind, after); }, delay);
}

Duration delay_quantile(const Delay& delay, double share) {
  ensure(share > 0.0 && share < 1.0, "a delay's quantile is of a share between 0 and 1");
  std::int64_t low = 0;
  std::int64_t high = delay_max.count();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (p_delivered(delay, Duration{middle}) >= share) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return Duration{low};
}

}  // namespace freshet::measure
