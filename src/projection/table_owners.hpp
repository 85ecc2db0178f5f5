// Whose each read table is. A table moves from one projection to another, or goes with the last one that named it, and
// two programs on one file do not take each other's.
#pragma once

#include <string>
#include <vector>

#include "projection/catalog.hpp"
#include "sqlite/connection.hpp"

namespace freshet::projection {

// The tables and views of a projection, as far as the file knows.
[[nodiscard]] std::vector<std::string> tables_of(sqlite::Connection& connection, std::int64_t projection);

// Throws `invalid` if the rules name a table that cannot become theirs: one of a projection that is not in the catalog,
// so that nobody knows whether it is still needed, or one that no projection has made.
void check_obtainable(sqlite::Connection& connection, const Catalog& catalog, const Registered& registered);

// Nothing stands where the rules' tables are to be.
[[nodiscard]] bool are_free(sqlite::Connection& connection, const Projection& projection);

// The projection has tables of these names that the file does not know to be its own: a release made them that did not
// note whose they are.
[[nodiscard]] bool has_unnoted(sqlite::Connection& connection, const Registered& registered);

// In the caller's write transaction:
// Notes that what has_unnoted() tells of is the projection's.
void note_tables(sqlite::Connection& connection, const Registered& registered);
// Makes the tables that the rules name the projection's, and no others. A projection that one is taken from has to make
// its own again.
void own_tables(sqlite::Connection& connection, const Registered& registered);
// Drops all tables of the projection.
void drop_tables(sqlite::Connection& connection, std::int64_t projection);

}  // namespace freshet::projection
