// The lock file of a lease.
#include "base/lease.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <thread>

#include "freshet/error.hpp"

namespace freshet {
namespace {

// Who asks for the holder is in the way for a moment. Stopped in that moment, it would be so for ever.
constexpr int looks_in_the_way_max = 100;

// A name that leads elsewhere is not followed, and a pipe is not waited for: what is opened here is written to.
constexpr int flags = O_NOFOLLOW | O_NONBLOCK;

bool is_forbidden(int error) {
  return error == EACCES || error == EPERM || error == EROFS;
}

std::string text(int error) {
  return std::generic_category().message(error);
}

// True: it is locked. False: the lock that somebody has is in the way.
bool lock_now(const ClosedInChild& descriptor, int kind) {
  while (flock(descriptor.number(), kind | LOCK_NB) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace

Lease::Lease(const std::filesystem::path& file, const std::string& name) : file_(file), path_(file) {
  path_ += "-" + name;
}

bool Lease::acquire() {
  if (is_held()) return true;
  int looks_in_the_way = 0;
  while (true) {
    const Opened opened = open();
    if (opened == Opened::not_at_all) continue;
    if (!lock(LOCK_EX)) {
      const bool is_look = lock(LOCK_SH) && ++looks_in_the_way < looks_in_the_way_max;
      descriptor_.close();
      if (!is_look) return false;
      std::this_thread::yield();
      continue;
    }
    // The last holder may have removed the file between our opening and our locking it. One that another user has left
    // and that we may not write to is replaced: while we have its lock nobody else does.
    if (is_linked() && (opened == Opened::to_write || unlink(path_.c_str()) != 0)) {
      note_holder();
      return true;
    }
    descriptor_.close();
  }
}

// Not with O_CREAT alone: in a directory for all, such as /tmp, that is refused for a file of another user.
Lease::Opened Lease::open() {
  if (descriptor_.open(path_.c_str(), O_RDWR | flags)) return Opened::to_write;
  if (errno == ENOENT) {
    if (create()) return Opened::to_write;
    if (errno == EEXIST) return Opened::not_at_all;
  } else if (is_forbidden(errno)) {
    // A lock needs no more.
    if (descriptor_.open(path_.c_str(), O_RDONLY | flags)) return Opened::to_read;
    if (errno == ENOENT) return Opened::not_at_all;
  }
  const int error = errno;
  const std::string advice = is_forbidden(error) ? ": give it and its directory the permissions of '" + file_.string() +
                                                       "', or remove it while nobody has that open"
                                                 : "";
  throw Error(is_forbidden(error) ? ErrorCode::read_only : ErrorCode::io,
              "cannot open '" + path_.string() + "': " + text(error) + advice);
}

bool Lease::create() {
  struct stat of{};
  const bool is_known = stat(file_.c_str(), &of) == 0;
  const mode_t mode = is_known ? of.st_mode & 0666U : 0644U;
  if (!descriptor_.open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | flags, mode)) return false;
  if (!is_known) return true;
  // What is not ours to say stays as it is: another user may find it unreadable then, and is told so.
  const uid_t owner = geteuid() == 0 ? of.st_uid : static_cast<uid_t>(-1);
  static_cast<void>(fchown(descriptor_.number(), owner, of.st_gid) == 0);
  static_cast<void>(fchmod(descriptor_.number(), mode) == 0);  // The mask of the process has taken some away.
  return true;
}

// False: somebody has a lock that is in the way. Whatever else the system says is no holder.
bool Lease::lock(int kind) {
  if (lock_now(descriptor_, kind)) return true;
  if (errno == EWOULDBLOCK) return false;
  const int error = errno;
  descriptor_.close();
  throw Error(ErrorCode::io, "cannot lock '" + path_.string() + "': " + text(error) + ": put '" + file_.string() +
                                 "' on a file system with locks (flock)");
}

// Whether the file behind the descriptor is still the one with that name.
bool Lease::is_linked() const {
  struct stat opened{};
  struct stat named{};
  return fstat(descriptor_.number(), &opened) == 0 && stat(path_.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// For people. On a full disk it says nothing, which is better than the last holder's number.
void Lease::note_holder() const {
  const std::string number = std::to_string(getpid()) + "\n";
  static_cast<void>(ftruncate(descriptor_.number(), 0) == 0 &&
                    pwrite(descriptor_.number(), number.data(), number.size(), 0) > 0);
}

void Lease::release() {
  if (!is_held()) return;
  if (is_linked()) unlink(path_.c_str());
  descriptor_.close();
}

std::optional<std::int64_t> Lease::holder() const {
  ClosedInChild descriptor;
  if (is_held() || !descriptor.open(path_.c_str(), O_RDONLY | flags)) {
    return is_held() ? std::optional<std::int64_t>(getpid()) : std::nullopt;
  }
  // What a holder that died has left there says nothing.
  if (lock_now(descriptor, LOCK_SH) || errno != EWOULDBLOCK) return std::nullopt;
  std::array<char, 24> number{};
  const ssize_t bytes = pread(descriptor.number(), number.data(), number.size(), 0);
  std::int64_t process = 0;
  if (bytes <= 0 || std::from_chars(number.data(), number.data() + bytes, process).ec != std::errc{})
    return std::nullopt;
  return process;
}

}  // namespace freshet
