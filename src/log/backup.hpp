// A copy of a whole store in one file, made while others write.
#pragma once

#include <filesystem>

#include "freshet/store.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// As Store's method of this name. `source`, of the file `store`, is free for the copy to read through.
[[nodiscard]] std::optional<Backup> backup(sqlite::Connection& source, const std::filesystem::path& store,
                                           const std::filesystem::path& file, ExistingFile existing,
                                           const Progress& progress);

enum class CopyMade {
  yes,
  same_there,   // The file is there already, and says the same to the byte.
  other_there,  // It is there already, and is left as it was.
};

// Copies the store `store`, which `source` reads, into `file` once. The copy is marked as a backup, and is complete and
// safe on the disk as soon as it has its name.
[[nodiscard]] CopyMade copy_once(sqlite::Connection& source, const std::filesystem::path& store,
                                 const std::filesystem::path& file);

}  // namespace freshet::log
