// The projections that an application registered, and their rows in the table `projections`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "freshet/projection.hpp"
#include "projection/read_tables.hpp"
#include "sqlite/connection.hpp"

namespace freshet::projection {

struct Registered {
  std::shared_ptr<const Projection> projection;
  std::int64_t number = 0;
};
using Catalog = std::vector<Registered>;

// What projection.hpp asks of names and numbers, or else the process stops with a sentence.
void check_rules(std::span<const std::shared_ptr<const Projection>> projections);

// Gives each projection a number, and empty tables where it has none yet. One that is new to a log
// with events is left marked as outdated. Writes only if something is new.
[[nodiscard]] Catalog register_projections(sqlite::Connection& connection,
                                           std::span<const std::shared_ptr<const Projection>> projections);

// Runs the rules' create() in the write transaction that the connection has open. Throws `invalid` if it makes other
// tables than tables() names. Trouble of the store is thrown as it is, whatever the rules made of it.
void create_tables(const Projection& projection, ReadTables& tables, sqlite::Connection& connection);

// The first of the projection's tables (with this suffix) that the file does not have, by its name without the suffix.
[[nodiscard]] std::optional<std::string> find_missing_table(sqlite::Connection& connection,
                                                            const Projection& projection, std::string_view suffix);

// What is wrong, and what can be done about it.
[[nodiscard]] std::string missing_table_sentence(const Projection& projection, const std::string& table);

// The schema version of a projection whose tables were created but never filled from the log.
inline constexpr std::int64_t never_built = 0;

// A projection's row.
struct Entry {
  std::int64_t number = 0;
  std::int64_t schema_version = 0;
  std::int64_t generation = 0;
  Position checkpoint;
  std::int64_t revision = 0;
  std::int64_t duplicates_skipped = 0;
};

[[nodiscard]] std::optional<Entry> find_entry(sqlite::Connection& connection, std::string_view name);

// Those of all projections, by name. The table is small: going through it costs less than two looks into its index.
using Entries = std::map<std::string, Entry, std::less<>>;
[[nodiscard]] Entries read_entries(sqlite::Connection& connection);

// Throws `unsupported_format` if a newer release made the tables, whose rows would be spoilt by the older rules.
void check_not_newer(const Registered& registered, const Entry& entry);

// As find_entry() for a projection that was registered: a row that is gone is Error `projection_failed`.
[[nodiscard]] Entry entry_of(sqlite::Connection& connection, const Projection& projection);
[[nodiscard]] const Entry& entry_of(const Entries& entries, const Projection& projection);

// Throws Error `corrupt` if events were applied that the log does not hold.
void check_within_log(sqlite::Connection& connection, const Entry& entry, const Projection& projection);

// Notes who fills the projection's new tables from here on, in the caller's write transaction: a token that no other
// rebuild has. Their end is noted as well.
[[nodiscard]] std::string begin_token(sqlite::Connection& connection, std::int64_t projection);
void end_token(sqlite::Connection& connection, std::int64_t projection);

// The tables were made by other rules than the registered ones, and are to be made again.
[[nodiscard]] bool is_outdated(const Registered& registered, const Entry& entry);

// Whether everything up to a position is applied. Tables that a newer release has made are left to it: own says that
// only those lack something.
enum class Applied { all, own, lacking };
[[nodiscard]] Applied applied_through(sqlite::Connection& connection,
                                      std::span<const std::shared_ptr<const Projection>> projections,
                                      Position position);

}  // namespace freshet::projection
