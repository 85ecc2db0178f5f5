// What is done to a store's projections from outside: by a program that need not know their rules, and while no store
// is needed. What a projection has can be made again from the log, so nothing here loses an event.
//
// Threads: any. Failure: Error, as opening a store that exists; nothing has changed then.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// Removes a projection from the file, with its read tables, its progress and its dead letters, the discarded ones
// included. Returns the names of the tables that went with it; nothing if the file has no projection of this name. Of
// one that an earlier release made and no program has opened for writing since, the file does not know the tables: they
// are not among those, and stay until a projection names them.
//
// This is the way to take back a release that raised a projection's schema version, and to be rid of a projection that
// no program has any more. A program that has it registered makes it anew from the log when it next opens the file, and
// the reads of that are stale until then; one that is open meanwhile stops projecting, and says why. Waits for writers
// up to `busy_timeout`, and then throws `busy`.
std::optional<std::vector<std::string>> remove_projection(const std::filesystem::path& file, std::string_view name,
                                                          Duration busy_timeout = std::chrono::seconds{5},
                                                          Upgrade upgrade = Upgrade::copy);

// Gives a projection of the file another name, so that a program that has renamed it finds its tables and need not make
// them again. Returns false if the file has no projection of this name. One of the new name that is there already is
// `invalid`, and so is an empty name. Otherwise as above.
bool rename_projection(const std::filesystem::path& file, std::string_view name, std::string_view new_name,
                       Duration busy_timeout = std::chrono::seconds{5}, Upgrade upgrade = Upgrade::copy);

}  // namespace freshet
