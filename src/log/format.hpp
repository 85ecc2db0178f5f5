// The file format: how a Freshet file is told from others, and how a new one is made.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "freshet/clock.hpp"
#include "freshet/store.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// PRAGMA application_id of every Freshet file: "FRSH".
inline constexpr std::int64_t application_id = 0x46525348;
// PRAGMA user_version: the format that this release writes.
inline constexpr std::int64_t format_version = 4;

// Makes sure that the file is there, is Freshet's and is of a format that this release knows; makes it
// if the mode allows. To be written, a file of an older format is carried over to the newest, if the options allow; for
// reading it is left as it is, and what reads must work on it. A file that is something else is left as it was. The
// options name the file as it is resolved, and a clock.
void prepare_file(const StoreOptions& options);

// Of a copy: gives it an epoch that no store has, and another one to each store that is put in place of it.
void mark_as_backup(sqlite::Connection& connection);
// Does that so that two copies of one state get the same epoch: whoever was killed makes the very copy again.
void mark_as_copy(sqlite::Connection& connection);

// Of a store that nobody has written to since it was copied.
[[nodiscard]] bool is_marked_as_backup(const StoreIdentity& identity);

[[nodiscard]] StoreIdentity identity_of(sqlite::Connection& connection);

// A history: what was recorded after this position is its own.
struct Epoch {
  std::string epoch;
  Position begins_after;
};

// The histories that the store's goes on from, from the first on, and its own as the last. A position that was told of
// in one of them is the same event here if it lies no further than where the next one begins. Files of older formats
// know their own alone.
[[nodiscard]] std::vector<Epoch> lineage_of(sqlite::Connection& connection);

// Throws unless `place`, which was kept from the history `epoch`, is a place in this one as well: `foreign_session`.
// With an empty epoch it is of this one, and `invalid` above its end.
void check_place(sqlite::Connection& connection, Position place, std::string_view epoch);

}  // namespace freshet::log
