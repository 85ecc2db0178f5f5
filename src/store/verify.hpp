// Verification of a whole file: the database's own structure, the log, and the read tables against a
// replay.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "freshet/store.hpp"

namespace freshet::store {

[[nodiscard]] Verification verify(const std::filesystem::path& file,
                                  std::span<const std::shared_ptr<const Projection>> projections,
                                  const Progress& progress);

}  // namespace freshet::store
