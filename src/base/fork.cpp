// The descriptors to close, and the handler that the system calls in a child.
#include "base/fork.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace freshet {

// A list through the descriptors themselves: a child frees no memory here, and opening needs none.
struct ForkRegistry {
  std::mutex mutex;  // Held while somebody forks, so that a child finds a list that is whole.
  ClosedInChild* first = nullptr;
  std::atomic<unsigned> forks = 0;

  void close_all() noexcept {
    for (; first != nullptr; first = first->next_) {
      ::close(first->number_);
      first->number_ = -1;
    }
  }

  void remove(const ClosedInChild& descriptor) noexcept {
    ClosedInChild** place = &first;
    while (*place != &descriptor) place = &(*place)->next_;
    *place = descriptor.next_;
  }
};

namespace {

ForkRegistry& registry() noexcept;

extern "C" void before_fork() {
  registry().mutex.lock();
}

extern "C" void after_fork_in_parent() {
  registry().mutex.unlock();
}

extern "C" void after_fork_in_child() {
  ForkRegistry& own = registry();
  own.close_all();
  ++own.forks;
  own.mutex.unlock();
}

// Never destroyed: stores may be static, and a fork may come at any time.
ForkRegistry& registry() noexcept {
  static ForkRegistry& own = *[] {
    auto* made = new ForkRegistry;  // NOLINT(cppcoreguidelines-owning-memory)
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return made;
  }();
  return own;
}

}  // namespace

unsigned forks() noexcept {
  return registry().forks.load(std::memory_order_relaxed);
}

bool ClosedInChild::open(const char* file, int flags, unsigned mode) {
  ForkRegistry& all = registry();
  const std::lock_guard lock(all.mutex);
  number_ = ::open(file, flags | O_CLOEXEC, mode);
  if (!is_open()) return false;
  next_ = all.first;
  all.first = this;
  return true;
}

void ClosedInChild::close() noexcept {
  if (!is_open()) return;
  const int saved = errno;
  ForkRegistry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.remove(*this);
  ::close(number_);
  number_ = -1;
  errno = saved;
}

}  // namespace freshet
