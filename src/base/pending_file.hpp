// A file that appears under its name when it is complete and safe on the disk, and not before.
//
// Threads: one at a time.
#pragma once

#include <filesystem>

#include "freshet/types.hpp"

namespace freshet {

class PendingFile {
 public:
  // Makes an empty file with another name beside `target`. Throws Error `io` if that cannot be, or if there
  // is a target already and it is not to be replaced.
  PendingFile(std::filesystem::path target, ExistingFile existing);
  // Without a commit() nothing is left behind.
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  // Where to write. Whoever has written there has closed it before commit().
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void commit();

 private:
  void check_target() const;

  std::filesystem::path target_;
  ExistingFile existing_;
  std::filesystem::path path_;
};

}  // namespace freshet
