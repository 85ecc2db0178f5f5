// What a store's options mean for its parts.
#pragma once

#include <memory>

#include "freshet/store.hpp"
#include "log/upcasting.hpp"
#include "sqlite/snapshot.hpp"

namespace freshet::store {

[[nodiscard]] sqlite::ConnectionOptions connection_options(const StoreOptions& options, sqlite::Access access,
                                                           sqlite::Sync sync);

// Where the engine has a thread, it lets snapshots go that nobody uses any more.
[[nodiscard]] sqlite::Keep keep(const StoreOptions& options);

// Options without gaps, and the file as it has to be before anything else is opened.
[[nodiscard]] StoreOptions prepared(StoreOptions options, const std::shared_ptr<const log::Upcasting>& upcasting);

}  // namespace freshet::store
