// The one name of a file, whatever it was called by.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

namespace freshet {

// Where the file lies or, if it is missing, where it would be made: symbolic links are followed, and the working
// directory may change afterwards. Throws Error `io` if that cannot be known.
[[nodiscard]] std::filesystem::path resolved(const std::filesystem::path& file);

// Equal for two names of one file.
struct FileId {
  dev_t device;
  ino_t number;
  friend bool operator==(const FileId&, const FileId&) = default;
};

// Nothing if there is no such file. It is not opened: closing it would drop the locks that SQLite has on it in this
// process.
[[nodiscard]] std::optional<FileId> id_of_file(const std::filesystem::path& file);

}  // namespace freshet
