// Registering projections.
#include "projection/catalog.hpp"

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "projection/read_tables.hpp"

namespace freshet::projection {
namespace {

// Of a projection whose tables were created but never filled from the log.
constexpr std::int64_t never_built = 0;

}  // namespace

std::optional<Entry> find_entry(sqlite::Connection& connection, std::string_view name) {
  sqlite::Run run(connection.statement("SELECT number, schema_version, generation, position, revision, "
                                       "duplicates_skipped FROM projections WHERE name = ?"),
                  name);
  if (!run.next()) return std::nullopt;
  return Entry{run.integer(0),           run.integer(1), run.integer(2),
               Position{run.integer(3)}, run.integer(4), run.integer(5)};
}

bool is_outdated(const Registered& registered, const Entry& entry) {
  return entry.schema_version != registered.projection->schema_version();
}

Catalog register_projections(sqlite::Connection& connection,
                             std::span<const std::shared_ptr<const Projection>> projections) {
  Catalog catalog;
  for (const auto& projection : projections) {
    ensure(!projection->name().empty(), "a projection has a name");
    ensure(projection->schema_version() > never_built, "a projection's schema version is 1 or more");
    if (const auto entry = find_entry(connection, projection->name())) {
      if (entry->schema_version > projection->schema_version()) {
        throw Error(ErrorCode::unsupported_format,
                    "a newer release made the tables of the projection '" + std::string(projection->name()) + "'");
      }
      catalog.push_back({projection, entry->number});
      continue;
    }
    ReadTables tables(connection, "");
    projection->create(tables);
    const bool log_is_empty = log::last_of_log(connection).position == Position{};
    const std::int64_t schema_version = log_is_empty ? projection->schema_version() : never_built;
    sqlite::Run run(connection.statement("INSERT INTO projections (name, schema_version, generation, position, "
                                         "revision, duplicates_skipped) VALUES (?, ?, 1, 0, 0, 0) RETURNING number"),
                    projection->name(), schema_version);
    ensure(run.next(), "inserting a projection returns its number");
    catalog.push_back({projection, run.integer(0)});
  }
  return catalog;
}

}  // namespace freshet::projection
