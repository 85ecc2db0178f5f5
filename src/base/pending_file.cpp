// Temporary names, syncs and the renaming.
#include "base/pending_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/file_name.hpp"
#include "freshet/error.hpp"

namespace freshet {
namespace {

// What SQLite may put beside a database.
constexpr const char* companions[] = {"-journal", "-wal", "-shm"};

std::filesystem::path with_suffix(const std::filesystem::path& file, const char* suffix) {
  std::filesystem::path result = file;
  result += suffix;
  return result;
}

[[noreturn]] void fail(const std::string& what, int error) {
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::disk_full : ErrorCode::io;
  throw Error(code, what + ": " + std::generic_category().message(error));
}

// A directory's entries are synced as a file's content is.
void sync(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor != -1 && fsync(descriptor) == 0;
  const int error = errno;  // Closing may set another one.
  if (descriptor != -1) close(descriptor);
  if (!synced) fail("cannot sync '" + file.string() + "'", error);
}

}  // namespace

PendingFile::PendingFile(const std::filesystem::path& target, ExistingFile existing,
                         const std::optional<std::filesystem::path>& source)
    : target_(resolved(target)),  // A renaming would replace a link, and not what it leads to.
      existing_(existing),
      path_(with_suffix(target_, ".unfinished")),
      lease_(path_, "lease") {
  check_target();
  acquire();
  remove();  // What a process that died has left.
  create(source);
}

PendingFile::~PendingFile() {
  remove();
}

void PendingFile::acquire() {
  bool acquired = false;
  try {
    acquired = lease_.acquire();
  } catch (const Error& error) {
    throw Error(ErrorCode::io, "cannot write '" + target_.string() + "': " + error.what());
  }
  if (!acquired) throw Error(ErrorCode::busy, "cannot write '" + target_.string() + "': it is being written already");
}

// Not mkstemp(), whose files are secrets: without a source this one is to have the permissions of any other, and the
// mask that gives them belongs to the whole process. With one it is its owner's alone until it has the source's.
void PendingFile::create(const std::optional<std::filesystem::path>& source) const {
  struct stat of{};
  if (source && stat(source->c_str(), &of) != 0) fail("cannot look at '" + source->string() + "'", errno);
  const int descriptor = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, source ? 0600 : 0666);
  if (descriptor == -1) fail("cannot write '" + target_.string() + "'", errno);
  // Some file systems have no permissions; what they give instead is all that can be had.
  if (source) static_cast<void>(fchmod(descriptor, of.st_mode & 0666U) == 0);
  close(descriptor);
}

void PendingFile::remove() const {
  std::error_code ignored;  // What cannot be removed stays, under a name that says what it is.
  std::filesystem::remove(path_, ignored);
  for (const char* companion : companions) std::filesystem::remove(with_suffix(path_, companion), ignored);
}

void PendingFile::check_target() const {
  std::error_code ignored;
  if (std::filesystem::is_directory(target_, ignored)) {
    throw Error(ErrorCode::io, "cannot write '" + target_.string() + "': it is a directory");
  }
  if (std::filesystem::exists(target_, ignored) && !std::filesystem::is_regular_file(target_, ignored)) {
    throw Error(ErrorCode::io, "cannot write '" + target_.string() + "': it is a device or a pipe: name a file");
  }
  if (existing_ == ExistingFile::refuse && std::filesystem::exists(target_, ignored)) {
    throw Error(ErrorCode::io, "cannot write '" + target_.string() + "': there is such a file already");
  }
  // SQLite would take it for the new database's.
  for (const char* companion : companions) {
    const auto beside = with_suffix(target_, companion);
    if (!std::filesystem::exists(beside, ignored)) continue;
    throw Error(ErrorCode::io, "cannot write '" + target_.string() + "': '" + beside.string() +
                                   "' is beside it, so it is a database that is open or was not closed");
  }
}

void PendingFile::commit() {
  sync(path_);
  check_target();
  if (std::rename(path_.c_str(), target_.c_str()) != 0) fail("cannot write '" + target_.string() + "'", errno);
  sync(target_.parent_path());
}

}  // namespace freshet
