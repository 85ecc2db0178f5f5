// Reading a log in batches.
#include "freshet/event_range.hpp"

#include <algorithm>
#include <utility>

#include "base/deliberate_bug.hpp"
#include "base/ensure.hpp"

namespace freshet {

EventRange::EventRange(const EventLog& log, LogRequest request) : log_(&log), rest_(std::move(request)) {
  rest_.bytes_max = std::min(rest_.bytes_max, batch_bytes_max);
}

EventRange::Iterator EventRange::begin() {
  const Position behind_head{log_->head().value + 1};
  rest_.until = std::min(rest_.until.value_or(behind_head), behind_head);
  read_batch();
  return Iterator(*this);
}

void EventRange::move_on() {
  ensure(!at_end(), "behind its last event a range has no other");
  if (++index_ == batch_.size()) read_batch();
}

void EventRange::read_batch() {
  batch_.clear();
  index_ = 0;
  if (rest_.after.value >= rest_.until->value - 1) return;
  LogRequest request = rest_;
  request.events_max = std::min(rest_.events_max, batch_events_max);
  batch_ = log_->read(request);
  if (batch_.empty()) return;
  rest_.events_max -= batch_.size();
  const Position last = batch_.back().position;
  if (rest_.direction == Direction::backwards) {
    rest_.until = last;
  } else {
    rest_.after = Position{last.value + (deliberately(Bug::range_skips_event) ? 1 : 0)};
  }
}

}  // namespace freshet
