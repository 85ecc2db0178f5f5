// A new database for one run, which goes away with it unless it is to be kept.
#pragma once

#include <filesystem>
#include <optional>

namespace freshet::cli {

class TemporaryDatabase {
 public:
  // In a new directory for temporary files; with `keep`, in that file, which stays. Throws Error `io` if
  // there is no place for it, `invalid` if the file to keep exists already.
  explicit TemporaryDatabase(std::optional<std::filesystem::path> keep);
  ~TemporaryDatabase();
  TemporaryDatabase(const TemporaryDatabase&) = delete;
  TemporaryDatabase& operator=(const TemporaryDatabase&) = delete;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path directory_;  // Empty where the file is kept.
  std::filesystem::path file_;
};

}  // namespace freshet::cli
