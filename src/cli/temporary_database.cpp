// Makes a place for a database and clears it away.
#include "cli/temporary_database.hpp"

#include <fmt/format.h>

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
  std::string name = (std::filesystem::temp_directory_path() / "freshet-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorCode::io, fmt::format("cannot make a temporary directory '{}': {}", name, std::strerror(errno)));
  }
  return name;
}

}  // namespace

TemporaryDatabase::TemporaryDatabase(std::optional<std::filesystem::path> keep) try {
  if (!keep) {
    directory_ = make_directory();
    file_ = directory_ / "freshet.db";
    return;
  }
  file_ = *std::move(keep);
  // What runs here begins with an empty database, and must not add to one that somebody has.
  if (std::filesystem::exists(file_)) {
    throw Error(ErrorCode::invalid, fmt::format("cannot keep the database in '{}': it exists already", file_.string()));
  }
} catch (const std::filesystem::filesystem_error& error) {
  throw Error(ErrorCode::io, fmt::format("cannot make a temporary database: {}", error.code().message()));
}

TemporaryDatabase::~TemporaryDatabase() {
  if (directory_.empty()) return;
  // What cannot be removed is left to whoever cleans up temporary files.
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace freshet::cli
