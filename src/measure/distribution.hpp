// Distributions of times: a measured one, from its values, and that of a configured delay, by its formula.
#pragma once

#include <vector>

#include "freshet/bus.hpp"
#include "freshet/types.hpp"

namespace freshet::measure {

class Measured {
 public:
  // At least one value.
  explicit Measured(std::vector<Duration> values);

  // The smallest value that at least this share of all values does not exceed; `share` above 0, up to 1.
  [[nodiscard]] Duration quantile(double share) const;

  // The share of the values that are not above `limit`.
  [[nodiscard]] double share_within(Duration limit) const;

  [[nodiscard]] Duration max() const { return values_.back(); }

 private:
  std::vector<Duration> values_;  // Sorted.
};

// The probability that a message is on its way for at most `after`.
[[nodiscard]] double p_delivered(const Delay& delay, Duration after);

// The shortest time for which p_delivered() is at least `share`; `share` above 0 and below 1.
[[nodiscard]] Duration delay_quantile(const Delay& delay, double share);

}  // namespace freshet::measure
