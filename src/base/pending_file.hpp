// A file that appears under its name when it is complete and safe on the disk, and not before.
//
// Threads: one at a time.
#pragma once

#include <filesystem>
#include <optional>

#include "base/lease.hpp"
#include "freshet/types.hpp"

namespace freshet {

class PendingFile {
 public:
  // Makes an empty file with another name beside `target`, and removes what a process that died has left under that
  // name. It has the permissions of `source`, if it is a copy of that. Throws Error `io` if that cannot be, or if there
  // is a target already and it is not to be replaced; `busy` if another PendingFile is to become the target.
  PendingFile(const std::filesystem::path& target, ExistingFile existing,
              const std::optional<std::filesystem::path>& source = std::nullopt);
  // Without a commit() nothing is left behind.
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  // Where to write. Whoever has written there has closed it before commit().
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void commit();

 private:
  void check_target() const;
  void acquire();
  void create(const std::optional<std::filesystem::path>& source) const;
  void remove() const;

  std::filesystem::path target_;
  ExistingFile existing_;
  std::filesystem::path path_;
  Lease lease_;  // While it is held, what is beside the target is ours.
};

}  // namespace freshet
