// Watches whether the log's times of recording have run ahead of the clock, and says so.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/time_text.hpp"
#include "freshet/event.hpp"
#include "freshet/store.hpp"

namespace freshet::store {

class ClockWatch {
 public:
  // Clocks of several machines, whose events may be imported, differ by less.
  static constexpr Duration ahead_max = std::chrono::seconds{10};

  // Tells once, and again only when the clock had caught up meanwhile.
  void look(const RecordedEvent& newest, Timestamp now, const std::function<void(const Notice&)>& notice) {
    const bool was_ahead = std::exchange(is_ahead_, newest.recorded_at > now + ahead_max);
    if (!is_ahead_ || was_ahead) return;
    notice({Notice::Level::warning,
            "position " + std::to_string(newest.position.value) + " is recorded at " +
                format_timestamp(newest.recorded_at) + ", and the clock shows " + format_timestamp(now) +
                ": one of them is wrong; until the clock gets there, later events are recorded with that time, and "
                "reads with a bound of age wait for all events"});
  }

 private:
  bool is_ahead_ = false;
};

}  // namespace freshet::store
