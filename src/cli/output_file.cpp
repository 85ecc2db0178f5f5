// Looks before it writes.
#include "cli/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffer_bytes = std::size_t{64} << 10U;

// What may stand beside a database and belongs to it.
constexpr std::array<std::string_view, 6> companions{"-wal", "-shm", "-journal", "-lease", "-rebuild", ".unfinished"};
constexpr std::string_view lease = "-lease-";  // With the numbers of a projection and of its version.

// How a database begins, and where and how it says that it is one of Freshet's (docs/file-format.md).
constexpr std::string_view database_beginning{"SQLite format 3\0", 16};
constexpr std::size_t application_id_place = 68;
constexpr std::string_view application_id = "FRSH";

[[noreturn]] void refuse(const fs::path& file, std::string_view why) {
  throw Error(ErrorCode::io, fmt::format("cannot write '{}': {}: name another file", file.string(), why));
}

std::optional<struct stat> status_of(const fs::path& file) {
  struct stat status{};
  return ::stat(file.c_str(), &status) == 0 ? std::optional{status} : std::nullopt;
}

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Through every link; the name itself where that cannot be told.
fs::path resolved(const fs::path& file) {
  std::error_code unknown;
  auto found = fs::weakly_canonical(file, unknown);
  if (unknown) return file;
  // A name without a directory stays as it is while there is no such file.
  auto absolute = fs::absolute(found, unknown);
  return unknown ? found : absolute;
}

// By what they are, or by their names where there is none yet.
bool is_same_file(const fs::path& one, const fs::path& other) {
  const auto status = status_of(one);
  const auto other_status = status_of(other);
  if (status && other_status) return is_same(*status, *other_status);
  return resolved(one) == resolved(other);
}

// "a.db" of "a.db-wal".
std::optional<fs::path> owner_of(const fs::path& file) {
  const std::string name = file.string();
  for (const std::string_view companion : companions) {
    if (name.ends_with(companion)) return name.substr(0, name.size() - companion.size());
  }
  const std::size_t place = name.rfind(lease);
  if (place != name.npos && name.find_first_not_of("-0123456789", place + lease.size()) == name.npos) {
    return name.substr(0, place);
  }
  return std::nullopt;
}

// An open descriptor may be meant by its name.
std::optional<int> descriptor_named(const fs::path& file) {
  if (file == "/dev/stdout") return STDOUT_FILENO;
  if (file == "/dev/stderr") return STDERR_FILENO;
  if (file.parent_path() != "/dev/fd" && file.parent_path() != "/proc/self/fd") return std::nullopt;
  const std::string name = file.filename().string();
  int number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  return read.ec == std::errc{} && read.ptr == name.data() + name.size() ? std::optional{number} : std::nullopt;
}

// A named pipe or a device has no place for a file of its own.
bool is_special(const fs::path& file) {
  const auto status = status_of(file);
  return status && !S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode);
}

bool is_of_stream(const struct stat& status, int stream) {
  struct stat standard{};
  return ::fstat(stream, &standard) == 0 && S_ISREG(standard.st_mode) && is_same(status, standard);
}

enum class Content { missing, no_database, own_database, other_database, unknown };

bool is_database(Content content) {
  return content == Content::own_database || content == Content::other_database;
}

// Not for a file that SQLite has open in this process.
Content content_of(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return errno == ENOENT ? Content::missing : Content::unknown;
  std::array<char, application_id_place + application_id.size()> bytes{};
  const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
  ::close(descriptor);
  if (count < 0) return Content::unknown;
  const std::string_view beginning{bytes.data(), bytes.size()};
  if (!beginning.starts_with(database_beginning)) return Content::no_database;
  return beginning.ends_with(application_id) ? Content::own_database : Content::other_database;
}

void check_not_in_use(const fs::path& file, const FilesInUse& in_use) {
  if (in_use.script && is_same_file(file, *in_use.script)) refuse(file, "it is the script that is played");
  if (!in_use.database) return;
  if (is_same_file(file, *in_use.database)) refuse(file, "it is the database that the command works with");
  const auto owner = owner_of(resolved(file));
  if (owner && is_same_file(*owner, *in_use.database))
    refuse(file, "it belongs to the database the command works with");
}

void check_content(const fs::path& file, OwnDatabases own_databases) {
  switch (content_of(file)) {
    case Content::missing:
    case Content::no_database:
      return;
    case Content::own_database:
      if (own_databases == OwnDatabases::replace) return;
      [[fallthrough]];
    case Content::other_database:
      refuse(file, "it is a database, which is not replaced");
    case Content::unknown:
      refuse(file, "it cannot be read, so it may be a database");
  }
}

}  // namespace

void check_output(const fs::path& file, ExistingFile existing, const FilesInUse& in_use, OwnDatabases own_databases) {
  check_not_in_use(file, in_use);
  // Nobody looks for the files beside a database under their own names.
  const auto owner = owner_of(resolved(file));
  if (owner && is_database(content_of(*owner))) refuse(file, fmt::format("it belongs to '{}'", owner->string()));
  const auto status = status_of(file);
  std::error_code ignored;
  if (!status && fs::is_symlink(file, ignored)) refuse(file, "it is a link that leads nowhere");
  if (!status) return;
  if (S_ISDIR(status->st_mode)) refuse(file, "it is a directory");
  if (!S_ISREG(status->st_mode)) refuse(file, "it is a device or a pipe");
  if (existing == ExistingFile::refuse) {
    throw Error(ErrorCode::io,
                fmt::format("'{}' exists already: give another name, or replace it with --force", file.string()));
  }
  if (is_of_stream(*status, STDIN_FILENO)) refuse(file, "standard input comes from it");
  if (is_of_stream(*status, STDOUT_FILENO)) refuse(file, "standard output goes there");
  check_content(file, own_databases);
}

OutputFile::OutputFile(const fs::path& file, ExistingFile existing, const FilesInUse& in_use,
                       const std::optional<fs::path>& source)
    : file_(file) {
  if (const auto named = descriptor_named(file)) {
    check_not_in_use(file, in_use);
    descriptor_ = ::fcntl(*named, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (descriptor_ < 0) fail(errno);
  } else if (!is_special(file)) {
    check_output(file, existing, in_use);
    pending_.emplace(file, existing, source);
  }
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= buffer_bytes) write_out();
}

void OutputFile::commit() {
  write_out();
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  if (pending_) pending_->commit();
}

void OutputFile::write_out() {
  if (descriptor_ < 0) {
    // A named pipe is opened no earlier than there is something for its reader.
    descriptor_ = ::open((pending_ ? pending_->path() : file_).c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(errno);
  }
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno != EINTR) fail(errno);
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

void OutputFile::fail(int reason) const {
  const bool is_full = reason == ENOSPC || reason == EDQUOT;
  throw Error(is_full ? ErrorCode::disk_full : ErrorCode::io,
              fmt::format("cannot write '{}': {}", file_.string(), std::strerror(reason)));
}

}  // namespace freshet::cli
