// A descriptor to poll, on any POSIX system: a pipe with at most one byte in it.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "subscription/descriptor.hpp"

namespace freshet::subscription {

Descriptor::Descriptor() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    throw Error(ErrorCode::io, std::string("cannot make a descriptor: ") + std::strerror(errno));
  }
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  read_end_ = ends[0];
  write_end_ = ends[1];
}

Descriptor::~Descriptor() {
  ::close(read_end_);
  ::close(write_end_);
}

void Descriptor::raise() {
  if (raised_) return;
  raised_ = true;
  ensure(::write(write_end_, "", 1) == 1, "an empty pipe takes a byte");
}

void Descriptor::lower() {
  if (!raised_) return;
  raised_ = false;
  char byte = 0;
  ensure(::read(read_end_, &byte, 1) == 1, "a raised pipe gives its byte");
}

}  // namespace freshet::subscription
