// A value that can only be reached while its lock is held.
#pragma once

#include <mutex>
#include <utility>

namespace freshet {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  // Access for as long as this object lives.
  class Locked {
   public:
    explicit Locked(Guarded& guarded) : lock_(guarded.mutex_), value_(&guarded.value_) {}
    T* operator->() { return value_; }
    T& operator*() { return *value_; }
    // For waiting on a condition variable, which opens the lock meanwhile.
    std::unique_lock<std::mutex>& lock() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  [[nodiscard]] Locked locked() { return Locked(*this); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace freshet
