// How often to look for what nobody tells of, such as commits of other processes: soon after something was
// going on, seldom when idle.
#pragma once

#include <algorithm>

#include "freshet/types.hpp"

namespace freshet {

class Look {
 public:
  static constexpr Duration min = std::chrono::milliseconds{1};
  static constexpr Duration max = std::chrono::milliseconds{50};

  // Something was going on.
  void reset() { interval_ = min; }

  // Until the next look; longer each time.
  [[nodiscard]] Duration next() {
    const Duration interval = interval_;
    interval_ = std::min(interval_ * 2, max);
    return interval;
  }

 private:
  Duration interval_ = min;
};

}  // namespace freshet
