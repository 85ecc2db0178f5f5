// Comparing what the system says of a file.
#include "sqlite/stamp.hpp"

namespace freshet::sqlite {
namespace {

bool are_equal(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

}  // namespace

Stamp::Stamp(const std::filesystem::path& file)
    : file_(file.string()), log_(file_ + "-wal"), there_(::stat(file_.c_str(), &status_) == 0) {}

bool Stamp::holds() const {
  struct stat now{};
  if (!there_ || ::stat(file_.c_str(), &now) != 0) return false;
  // The time of the last change as well: who copies a file may set back the time at which it was written.
  if (now.st_dev != status_.st_dev || now.st_ino != status_.st_ino || now.st_size != status_.st_size ||
      !are_equal(now.st_mtim, status_.st_mtim) || !are_equal(now.st_ctim, status_.st_ctim)) {
    return false;
  }
  return ::stat(log_.c_str(), &now) != 0;
}

}  // namespace freshet::sqlite
