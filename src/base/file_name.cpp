// Following links.
#include "base/file_name.hpp"

#include <sys/stat.h>

#include <system_error>

#include "freshet/error.hpp"

namespace freshet {
namespace {

namespace fs = std::filesystem;

// Linux follows as many links before it gives up.
constexpr int links_max = 40;

[[noreturn]] void fail(const fs::path& file, const std::error_code& why) {
  const bool forbidden = why == std::errc::permission_denied;
  throw Error(ErrorCode::io, "cannot use '" + file.string() + "': " + why.message() +
                                 (forbidden ? " on the way to it: change the permissions of its directories" : "") +
                                 (forbidden ? ", or name another file" : ": name another file"));
}

}  // namespace

fs::path resolved(const fs::path& file) {
  std::error_code why;
  fs::path place = fs::absolute(file, why);
  if (why) fail(file, why);
  for (int links = 0; links < links_max; ++links) {
    if (auto whole = fs::canonical(place, why); !why) return whole;
    if (why != std::errc::no_such_file_or_directory) fail(file, why);
    std::error_code missing;
    const fs::path target = fs::read_symlink(place, missing);
    if (missing) {
      const auto directory = fs::canonical(place.parent_path(), missing);
      return missing ? place : directory / place.filename();
    }
    place = place.parent_path() / target;
  }
  fail(file, std::make_error_code(std::errc::too_many_symbolic_link_levels));
}

std::optional<FileId> id_of_file(const fs::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

}  // namespace freshet
