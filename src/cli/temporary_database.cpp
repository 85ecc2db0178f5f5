// Makes a place for a database and clears it away.
#include "cli/temporary_database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

// Honours TMPDIR. Only this user can look into it.
std::filesystem::path make_directory() {
  std::error_code unusable;
  const std::filesystem::path place = std::filesystem::temp_directory_path(unusable);
  std::string name = (place / "freshet-XXXXXX").string();
  if (unusable || ::mkdtemp(name.data()) == nullptr) {
    const std::string why = unusable ? unusable.message() : std::strerror(errno);
    const char* given = std::getenv("TMPDIR");
    const std::string where = given != nullptr ? fmt::format("'{}', as TMPDIR says", given) : "'" + name + "'";
    throw Error(ErrorCode::io, fmt::format("cannot make a temporary directory in {}: {}: give TMPDIR a directory that "
                                           "can be written",
                                           where, why));
  }
  return name;
}

// What runs there tells of a file that cannot be made as of a failure of its own, and later.
void check_can_be_made(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw Error(ErrorCode::io,
                fmt::format("cannot keep the database in '{}': {}", file.string(), std::strerror(errno)));
  }
  ::close(descriptor);
  ::unlink(file.c_str());
}

}  // namespace

TemporaryDatabase::TemporaryDatabase(std::optional<std::filesystem::path> keep) {
  if (!keep) {
    directory_ = make_directory();
    file_ = directory_ / "freshet.db";
    return;
  }
  file_ = *std::move(keep);
  // What runs here begins with an empty database, and must not add to one that somebody has.
  std::error_code unknown;  // What cannot be told, making it will tell.
  if (std::filesystem::exists(std::filesystem::symlink_status(file_, unknown))) {
    throw Error(ErrorCode::invalid,
                fmt::format("cannot keep the database in '{}': it exists already, and a database is not replaced: give "
                            "another name",
                            file_.string()));
  }
  check_can_be_made(file_);
}

TemporaryDatabase::~TemporaryDatabase() {
  if (directory_.empty()) return;
  // What cannot be removed is left to whoever cleans up temporary files.
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace freshet::cli
