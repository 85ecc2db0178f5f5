// Verification of a whole file: the database's own structure, the log, and the read tables against a
// replay.
#pragma once

#include "freshet/store.hpp"

namespace freshet::store {

[[nodiscard]] Verification verify(const StoreOptions& options, const Progress& progress);

}  // namespace freshet::store
