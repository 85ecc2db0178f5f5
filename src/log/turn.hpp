// The turn to write. SQLite has one writer per file; inside this process writers queue here, first come
// first served, and not on SQLite's busy handler, which sleeps and is not fair.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/ensure.hpp"

namespace freshet::log {

// Used through std::lock_guard.
class Turn {
 public:
  // `on_lock` is called whenever a turn begins, before anything is written.
  explicit Turn(std::function<void()> on_lock) : on_lock_(std::move(on_lock)) {}

  void lock() {
    std::unique_lock lock(mutex_);
    ensure(holder_ != std::this_thread::get_id(), within_itself);
    const std::uint64_t ticket = next_ticket_++;
    called_.wait(lock, [&] { return serving_ == ticket; });
    holder_ = std::this_thread::get_id();
    lock.unlock();
    try {
      on_lock_();
    } catch (...) {
      unlock();  // Whoever is told of the failure does not have the turn.
      throw;
    }
  }

  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++serving_;
      holder_ = {};
    }
    called_.notify_all();
  }

  // Somebody has it or waits for it.
  [[nodiscard]] bool is_taken() {
    const std::lock_guard lock(mutex_);
    return serving_ != next_ticket_;
  }

  [[nodiscard]] bool is_held_here() {
    const std::lock_guard lock(mutex_);
    return holder_ == std::this_thread::get_id();
  }

  // For whoever would wait for another thread that waits for this one's turn to end.
  void check_not_held_here() { ensure(!is_held_here(), within_itself); }

 private:
  static constexpr const char* within_itself =
      "nothing is written in a callback, and in the body of write() only through its transaction";

  const std::function<void()> on_lock_;
  std::mutex mutex_;
  std::condition_variable called_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;
  std::thread::id holder_;
};

}  // namespace freshet::log
