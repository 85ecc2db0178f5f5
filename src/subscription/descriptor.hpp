// A descriptor that is readable while it is raised, for an event loop to poll.
//
// Threads: any, one at a time.
#pragma once

namespace freshet::subscription {

class Descriptor {
 public:
  // Not raised. Throws Error `io` if the process has no descriptor left.
  Descriptor();
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // Raising twice and lowering twice change nothing more.
  void raise();
  void lower();

  [[nodiscard]] int number() const { return read_end_; }

 private:
  int read_end_ = -1;
  int write_end_ = -1;  // The same as the other where the system has one descriptor for both.
  bool raised_ = false;
};

}  // namespace freshet::subscription
