// The turn to write. SQLite has one writer per file; inside this process writers queue here, first come
// first served, and not on SQLite's busy handler, which sleeps and is not fair.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace freshet::log {

// Used through std::lock_guard.
class Turn {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    called_.wait(lock, [&] { return serving_ == ticket; });
  }

  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++serving_;
    }
    called_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable called_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;
};

}  // namespace freshet::log
