// A directory of a test's own, in memory where there is such a place: thousands of stores are made in them,
// and no disk is tested.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace freshet::tests {

// A new directory, gone with all that is in it at the end.
class TempDir {
 public:
  TempDir() {
    const std::filesystem::path memory = "/dev/shm";
    const bool writable = access(memory.c_str(), W_OK) == 0;
    std::string path = ((writable ? memory : std::filesystem::temp_directory_path()) / "freshet-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path);
    path_ = path;
  }
  ~TempDir() {
    std::error_code ignored;  // What is left of a directory does not fail a test.
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path file() const { return path_ / "store.db"; }

 private:
  std::filesystem::path path_;
};

// What a crash leaves: the files as they lie there, without a word from the store that has them open.
inline void copy_files(const TempDir& from, const TempDir& to) {
  for (const char* suffix : {"", "-wal"}) {
    const std::filesystem::path source = from.file().string() + suffix;
    if (std::filesystem::exists(source)) std::filesystem::copy_file(source, to.file().string() + suffix);
  }
}

}  // namespace freshet::tests
