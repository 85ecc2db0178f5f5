// What a child of fork() shares with its parent and must not: locks of the system belong to an open file, which stays
// locked until the last descriptor of it is closed, be that a child's that knows nothing of it.
//
// Threads: any; a ClosedInChild one at a time.
#pragma once

namespace freshet {

// How many forks lie between this process and the first one that asked.
[[nodiscard]] unsigned forks() noexcept;

// A descriptor that a child of fork() does not have.
class ClosedInChild {
 public:
  ClosedInChild() = default;
  ~ClosedInChild() { close(); }
  ClosedInChild(const ClosedInChild&) = delete;
  ClosedInChild& operator=(const ClosedInChild&) = delete;

  // Opens the file as open(2) does, with O_CLOEXEC. Returns false where that fails; errno says why.
  [[nodiscard]] bool open(const char* file, int flags, unsigned mode = 0);
  // Leaves errno as it is.
  void close() noexcept;

  [[nodiscard]] bool is_open() const noexcept { return number_ != -1; }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  friend struct ForkRegistry;

  int number_ = -1;
  ClosedInChild* next_ = nullptr;  // Of those that are open.
};

}  // namespace freshet
