// The lock file of a lease.
#include "base/lease.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "freshet/error.hpp"

namespace freshet {
namespace {

// Whether the file behind the descriptor is still the one with that name.
bool is_linked(int descriptor, const std::filesystem::path& file) {
  struct stat opened{};
  struct stat named{};
  return fstat(descriptor, &opened) == 0 && stat(file.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

Lease::Lease(const std::filesystem::path& file, const char* name) : file_(file) {
  file_ += std::string("-") + name;
}

bool Lease::acquire() {
  while (!is_held()) {
    const int descriptor = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor == -1) {
      const bool forbidden = errno == EACCES || errno == EPERM || errno == EROFS;
      throw Error(forbidden ? ErrorCode::read_only : ErrorCode::io,
                  "cannot open '" + file_.string() + "': " + std::generic_category().message(errno));
    }
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      close(descriptor);
      return false;
    }
    // The last holder may have removed the file between our opening and our locking it.
    if (is_linked(descriptor, file_)) {
      descriptor_ = descriptor;
    } else {
      close(descriptor);
    }
  }
  return true;
}

void Lease::release() {
  if (!is_held()) return;
  unlink(file_.c_str());
  close(descriptor_);
  descriptor_ = -1;
}

}  // namespace freshet
