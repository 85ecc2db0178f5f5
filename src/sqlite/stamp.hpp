// What can be seen of a file that is read as one that does not change: whether it has.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace freshet::sqlite {

class Stamp {
 public:
  // As the file is now.
  explicit Stamp(const std::filesystem::path& file);

  // Nobody has written to it since, nor has begun to: whoever writes makes a write-ahead log first.
  [[nodiscard]] bool holds() const;

 private:
  std::string file_;
  std::string log_;
  struct stat status_{};
  bool there_;
};

}  // namespace freshet::sqlite
