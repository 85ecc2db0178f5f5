// Reading the log on a thread of its own while what was read before is worked on.
//
// Threads: one at a time; reading, another.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "freshet/event.hpp"

namespace freshet {

class ReadAhead {
 public:
  using Read = std::function<std::vector<RecordedEvent>(Position after, std::size_t events_max)>;

  // An empty `read` reads nothing ahead.
  explicit ReadAhead(Read read) : read_(std::move(read)) {}

  // Begins to read the events above `after`, of which the log has at least so many.
  void begin(Position after, std::size_t events) {
    if (!read_) return;
    after_ = after;
    events_ = events;
    // Where no thread can be made, they are read when they are taken.
    future_ =
        std::async(std::launch::async | std::launch::deferred, [this, after, events] { return read_(after, events); });
  }

  // These events, if they were read ahead. Throws what reading them has thrown.
  [[nodiscard]] std::optional<std::vector<RecordedEvent>> take(Position after, std::size_t events) {
    if (!future_.valid() || after_ != after || events_ != events) return std::nullopt;
    return future_.get();
  }

 private:
  Read read_;
  Position after_;
  std::size_t events_ = 0;
  std::future<std::vector<RecordedEvent>> future_;  // Waits for the thread when it is destroyed.
};

}  // namespace freshet
