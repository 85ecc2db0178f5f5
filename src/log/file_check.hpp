// Whether a file can be a store's, before SQLite sees it.
#pragma once

#include <filesystem>

#include "freshet/store.hpp"

namespace freshet::log {

// Throws Error if it cannot. `file` is resolved: SQLite names what it keeps beside a store after the store, so that two
// names would be two write-ahead logs, and what one of them holds would be lost.
void check_file(const std::filesystem::path& file, OpenMode mode);

}  // namespace freshet::log
