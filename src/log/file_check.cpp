// What the system says of the file.
#include "log/file_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "freshet/error.hpp"

namespace freshet::log {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(ErrorCode code, const fs::path& file, const std::string& why) {
  throw Error(code, "cannot use '" + file.string() + "': " + why);
}

void check_can_be_missing(const fs::path& file, OpenMode mode) {
  if (mode != OpenMode::create) throw Error(ErrorCode::file_missing, "there is no file '" + file.string() + "'");
  std::error_code ignored;
  const auto directory = file.parent_path();
  if (fs::is_directory(directory, ignored)) return;
  throw Error(ErrorCode::io,
              "cannot create '" + file.string() + "': there is no directory '" + directory.string() + "'");
}

// Which mount it is on, where the system tells.
std::optional<std::uint64_t> mount_of(const fs::path& file) {
#ifdef STATX_MNT_ID
  struct statx status{};
  if (::statx(AT_FDCWD, file.c_str(), 0, STATX_MNT_ID, &status) != 0) return std::nullopt;
  if ((status.stx_mask & STATX_MNT_ID) != 0) return status.stx_mnt_id;
#else
  static_cast<void>(file);
#endif
  return std::nullopt;
}

// What is beside the file is not beside its other names, nor where it was mounted from. To read it here would be to
// read it without the log that is there.
void check_has_one_name(const fs::path& file, const struct stat& status) {
  if (status.st_nlink > 1) {
    refuse(ErrorCode::io, file,
           "it has " + std::to_string(status.st_nlink) +
               " names (hard links), and each would have a write-ahead log of its own: remove the other names, or use "
               "a copy");
  }
  const auto own = mount_of(file);
  const auto around = mount_of(file.parent_path());
  if (own && around && *own != *around) {
    refuse(ErrorCode::io, file,
           "it is mounted by itself, and its write-ahead log would not be beside it where it was mounted from: mount "
           "its directory");
  }
}

// SQLite would take a new or empty file for the owner of an old write-ahead log, and throw that away.
void check_no_orphaned_log(const fs::path& file) {
  std::error_code missing;
  const fs::path log = file.string() + "-wal";
  const auto bytes = fs::file_size(log, missing);
  if (missing || bytes == 0) return;
  std::error_code no_file;
  if (fs::file_size(file, no_file) > 0 && !no_file) return;
  throw Error(ErrorCode::corrupt, "there is a write-ahead log '" + log.string() + "', but '" + file.string() +
                                      "' is missing or empty: put the file back beside it, or move the log away");
}

}  // namespace

void check_file(const fs::path& file, OpenMode mode) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    if (errno != ENOENT) refuse(ErrorCode::io, file, std::generic_category().message(errno) + ": name another file");
    check_can_be_missing(file, mode);
  } else if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorCode::not_a_database, "'" + file.string() + "' is a directory");
  } else if (!S_ISREG(status.st_mode)) {
    // To open a pipe would be to wait for its other end.
    throw Error(ErrorCode::not_a_database, "'" + file.string() + "' is a pipe, a socket or a device: name a file");
  } else {
    check_has_one_name(file, status);
    if (mode != OpenMode::read_only && ::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) != 0) {
      // SQLite would find out too late: what it puts beside the file would belong to who may not write, and lock the
      // owner out.
      refuse(ErrorCode::read_only, file, "it cannot be written: change its permissions, or name another file");
    }
  }
  check_no_orphaned_log(file);
}

}  // namespace freshet::log
