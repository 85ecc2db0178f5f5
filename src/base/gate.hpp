// Who is inside an object, so that its end waits for them and lets nobody in any more.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/ensure.hpp"
#include "base/fork.hpp"
#include "freshet/error.hpp"

namespace freshet {

class Gate {
 public:
  // The time of one call. Throws `closed` once close() has begun.
  class Visit {
   public:
    explicit Visit(Gate& gate) : gate_(gate) { gate_.enter(); }
    ~Visit() { gate_.leave(); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    Gate& gate_;
  };

  // Lets nobody in any more, calls `wake` so that visitors leave, waits until they have, and calls `finish`. Only the
  // first call does so; others wait for it.
  void close(const std::function<void()>& wake, const std::function<void()>& finish) {
    if (!begin()) return;
    const struct End {
      ~End() { gate.end(); }
      Gate& gate;
    } end{*this};
    wake();
    wait_until_empty();
    finish();
  }

  // This process is a child, forked since: it has a copy of what is behind the gate, and none of its threads.
  [[nodiscard]] bool is_of_parent() const { return forks() != forks_; }

  [[nodiscard]] bool is_closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  // Before the lock, which another thread may have had when the process was forked.
  void check_not_of_parent() const {
    if (!is_of_parent()) return;
    throw Error(ErrorCode::closed, "the store was opened before a fork(): a child opens its own");
  }

  void enter() {
    check_not_of_parent();
    const std::lock_guard lock(mutex_);
    if (closed_) throw Error(ErrorCode::closed, "the store is closed: open it again");
    inside_.push_back(std::this_thread::get_id());
  }

  void leave() {
    const std::lock_guard lock(mutex_);
    inside_.erase(std::find(inside_.begin(), inside_.end(), std::this_thread::get_id()));
    // Under the lock: whoever waits may take the gate away as soon as it is opened.
    if (inside_.empty()) moved_.notify_all();
  }

  bool begin() {
    check_not_of_parent();
    const auto self = std::this_thread::get_id();
    std::unique_lock lock(mutex_);
    ensure(std::find(inside_.begin(), inside_.end(), self) == inside_.end(),
           "a store is not closed or destroyed within a call to it, such as a callback of this thread");
    if (!closed_) {
      closed_ = true;
      closer_ = self;
      return true;
    }
    ensure(ended_ || closer_ != self, "a store is not closed or destroyed while it is being closed by this thread");
    moved_.wait(lock, [this] { return ended_; });
    return false;
  }

  void wait_until_empty() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return inside_.empty(); });
  }

  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    moved_.notify_all();
  }

  const unsigned forks_ = forks();
  std::mutex mutex_;
  std::condition_variable moved_;
  std::vector<std::thread::id> inside_;  // A thread that is inside twice stands here twice.
  bool closed_ = false;
  bool ended_ = false;
  std::thread::id closer_;
};

}  // namespace freshet
