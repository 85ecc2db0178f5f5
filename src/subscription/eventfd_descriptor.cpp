// A descriptor to poll, on Linux: an eventfd.
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "subscription/descriptor.hpp"

namespace freshet::subscription {

Descriptor::Descriptor() : read_end_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), write_end_(read_end_) {
  if (read_end_ < 0) throw Error(ErrorCode::io, std::string("cannot make a descriptor: ") + std::strerror(errno));
}

Descriptor::~Descriptor() {
  ::close(read_end_);
}

void Descriptor::raise() {
  if (raised_) return;
  raised_ = true;
  ensure(::eventfd_write(write_end_, 1) == 0, "an eventfd takes a 1");
}

void Descriptor::lower() {
  if (!raised_) return;
  raised_ = false;
  eventfd_t count = 0;
  ensure(::eventfd_read(read_end_, &count) == 0, "a raised eventfd gives its count");
}

}  // namespace freshet::subscription
