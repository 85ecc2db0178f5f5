// What subscriptions told, kept by the tests and waited for without a clock.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "engine_fixture.hpp"

namespace freshet::tests {

// News as they came. Used by the threads that tell and the one that tests.
template <typename News>
class Told {
 public:
  // A callback that keeps what it is told.
  [[nodiscard]] OnNews<News> keep() {
    return [this](const News& news) {
      const std::lock_guard lock(mutex_);
      all_.push_back(news);
      told_.notify_all();
    };
  }

  // Returns once `enough` holds of all that was told; a test that waits for ever is ended by its timeout.
  void wait(const std::function<bool(const std::vector<News>&)>& enough) {
    std::unique_lock lock(mutex_);
    told_.wait(lock, [&] { return enough(all_); });
  }

  [[nodiscard]] std::vector<News> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<News> all_;
};

// The positions of all events, in the order in which they were told.
inline std::vector<std::int64_t> positions(const std::vector<EventBatch>& batches) {
  std::vector<std::int64_t> all;
  for (const EventBatch& batch : batches) {
    for (const RecordedEvent& event : batch.events) all.push_back(event.position.value);
  }
  return all;
}

inline std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> all;
  for (std::int64_t position = first; position <= last; ++position) all.push_back(position);
  return all;
}

// Whether events up to `position` were told.
inline auto has_reached(std::int64_t position) {
  return [position](const std::vector<EventBatch>& batches) {
    return !batches.empty() && batches.back().through >= Position{position};
  };
}

// An application's event loop: closures wait until the test lets it run.
class Loop {
 public:
  [[nodiscard]] Post post() {
    return [this](std::function<void()> closure) {
      const std::lock_guard lock(mutex_);
      closures_.push_back(std::move(closure));
      posted_.notify_all();
    };
  }

  // Waits for a closure and runs it.
  void run_one() {
    std::function<void()> closure;
    {
      std::unique_lock lock(mutex_);
      posted_.wait(lock, [&] { return !closures_.empty(); });
      closure = std::move(closures_.front());
      closures_.pop_front();
    }
    closure();
  }

  [[nodiscard]] std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return closures_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> closures_;
};

}  // namespace freshet::tests
