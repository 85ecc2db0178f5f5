// The events of a log one after the other, for a loop or a view, however many there are: they are read in batches.
//
// A range shows what was committed when it began, and nothing that is appended meanwhile: the log only grows, so the
// position where it ended then is as good as a snapshot. Each batch is a read of its own. So a slow reader holds no
// read transaction, which would keep the write-ahead log from being used again.
//
//   for (const RecordedEvent& event : EventRange(store.log(), {.category = "order"})) ...
//
// Threads: one at a time.
//
// Failure: begin() and ++ throw what EventLog::read() does, and nothing follows then. Once the store is closed that is
// `closed`, as soon as the events at hand are used up.
#pragma once

#include <cstddef>
#include <iterator>
#include <ranges>
#include <vector>

#include "freshet/event.hpp"
#include "freshet/event_log.hpp"

namespace [[gnu::visibility("default")]] freshet {

// An input range, and a view: it can be gone through once.
class EventRange : public std::ranges::view_base {
 public:
  // In memory at a time, and in a read.
  static constexpr std::size_t batch_events_max = 1'000;
  static constexpr std::size_t batch_bytes_max = std::size_t{1} << 20U;

  // `log`, a store's or a session's, is there as long as the range is used. The request's events_max counts all events
  // of the range; its bytes_max is that of a batch, and batch_bytes_max at most.
  EventRange(const EventLog& log, LogRequest request);

  // Where a loop over the range is: an input iterator.
  class Iterator {
   public:
    using value_type = RecordedEvent;        // The concept of an input iterator asks for this name,
    using difference_type = std::ptrdiff_t;  // and for this one, which nothing here returns.

    Iterator() = default;
    // Made by begin().
    explicit Iterator(EventRange& range) : range_(&range) {}

    // The caller's, to be changed or moved away; it is there until the iterator moves on.
    [[nodiscard]] RecordedEvent& operator*() const { return range_->event(); }
    [[nodiscard]] RecordedEvent* operator->() const { return &range_->event(); }
    Iterator& operator++() {
      range_->move_on();
      return *this;
    }
    void operator++(int) { range_->move_on(); }
    [[nodiscard]] bool operator==(std::default_sentinel_t /*end*/) const { return range_->at_end(); }

   private:
    EventRange* range_ = nullptr;
  };

  // Reads the first batch; to be called once. Do not move the range from here on.
  [[nodiscard]] Iterator begin();
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }

 private:
  [[nodiscard]] RecordedEvent& event() { return batch_[index_]; }
  [[nodiscard]] bool at_end() const { return index_ == batch_.size(); }
  void move_on();
  void read_batch();

  const EventLog* log_;
  LogRequest rest_;  // What was not read yet.
  std::vector<RecordedEvent> batch_;
  std::size_t index_ = 0;
};

}  // namespace freshet
