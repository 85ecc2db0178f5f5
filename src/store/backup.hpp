// A copy of a whole store in one file, made while others write.
#pragma once

#include <filesystem>

#include "freshet/store.hpp"
#include "sqlite/connection.hpp"

namespace freshet::store {

// As Store's method of this name. `source`, of the file `store`, is free for the copy to read through.
[[nodiscard]] std::optional<Backup> backup(sqlite::Connection& source, const std::filesystem::path& store,
                                           const std::filesystem::path& file, ExistingFile existing,
                                           const Progress& progress);

}  // namespace freshet::store
