// Registering projections.
#include "projection/catalog.hpp"

#include <set>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "projection/read_tables.hpp"
#include "projection/table_owners.hpp"
#include "sqlite/names.hpp"

namespace freshet::projection {
namespace {

[[noreturn]] void miss(const Projection& projection) {
  throw Error(ErrorCode::projection_failed,
              "the projection '" + std::string(projection.name()) +
                  "' was removed or renamed by somebody else: open the store again, and it is made anew");
}

[[noreturn]] void miss_events(std::string_view projection, Position applied, Position head) {
  throw Error(ErrorCode::corrupt, "the projection '" + std::string(projection) +
                                      "' has applied events up to position " + std::to_string(applied.value) +
                                      ", and the log ends at " + std::to_string(head.value) +
                                      ": events are missing: go back to a backup, with no '-wal' file left beside it");
}

Entry entry_in(const sqlite::Run& run) {
  return {run.integer(0), run.integer(1), run.integer(2), Position{run.integer(3)}, run.integer(4), run.integer(5)};
}

}  // namespace

std::optional<Entry> find_entry(sqlite::Connection& connection, std::string_view name) {
  sqlite::Run run(connection.statement("SELECT number, schema_version, generation, position, revision, "
                                       "duplicates_skipped FROM projections WHERE name = ?"),
                  name);
  if (!run.next()) return std::nullopt;
  return entry_in(run);
}

Entries read_entries(sqlite::Connection& connection) {
  Entries entries;
  sqlite::Run run(
      connection.statement("SELECT number, schema_version, generation, position, revision, "
                           "duplicates_skipped, name FROM projections"));
  while (run.next()) entries.emplace(run.text(6), entry_in(run));
  return entries;
}

void check_not_newer(const Registered& registered, const Entry& entry) {
  if (entry.schema_version <= registered.projection->schema_version()) return;
  throw Error(ErrorCode::unsupported_format,
              "a newer release made the tables of the projection '" + std::string(registered.projection->name()) +
                  "': use that release, or let this one make them again after: freshet projection remove " +
                  std::string(registered.projection->name()));
}

Entry entry_of(sqlite::Connection& connection, const Projection& projection) {
  const auto entry = find_entry(connection, projection.name());
  if (!entry) miss(projection);
  return *entry;
}

const Entry& entry_of(const Entries& entries, const Projection& projection) {
  const auto found = entries.find(projection.name());
  if (found == entries.end()) miss(projection);
  return found->second;
}

void check_within_log(sqlite::Connection& connection, const Entry& entry, const Projection& projection) {
  const Position head = log::last_of_log(connection).position;
  if (entry.checkpoint > head) miss_events(projection.name(), entry.checkpoint, head);
}

std::string begin_token(sqlite::Connection& connection, std::int64_t projection) {
  sqlite::Run run(connection.statement("UPDATE projections SET rebuild_token = lower(hex(randomblob(8))) "
                                       "WHERE number = ? RETURNING rebuild_token"),
                  projection);
  ensure(run.next(), "a projection that is rebuilt has a row");
  return std::string(run.text(0));
}

void end_token(sqlite::Connection& connection, std::int64_t projection) {
  sqlite::Run(connection.statement("UPDATE projections SET rebuild_token = NULL WHERE number = ?"), projection)
      .finish();
}

bool is_outdated(const Registered& registered, const Entry& entry) {
  return entry.schema_version != registered.projection->schema_version();
}

namespace {

using Names = std::set<std::string, sqlite::NameLess>;

// The rules are wrong, whenever they are run.
struct Refused final : Error {
  Refused(const Projection& projection, const std::string& why)
      : Error(ErrorCode::invalid, "create() of the projection '" + std::string(projection.name()) + "' " + why) {}
};

enum class Views { with, without };

// Without the tables that a virtual one keeps its rows in.
Names names_in_file(sqlite::Connection& connection, Views views) {
  Names names;
  sqlite::Run run(connection.statement("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' "
                                       "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND (? OR type <> 'view')"),
                  std::int64_t{views == Views::with});
  while (run.next()) names.emplace(run.text(0));
  return names;
}

void check_made(const Projection& projection, const ReadTables& tables, sqlite::Connection& connection,
                const Names& before) {
  const Names after = names_in_file(connection, Views::with);
  Names surplus = names_in_file(connection, Views::without);
  for (const std::string& name : before) surplus.erase(name);
  std::string difference;
  for (const std::string& table : projection.tables()) {
    const std::string name = table + tables.suffix();
    surplus.erase(name);
    if (before.contains(name)) difference += "; '" + table + "' was there before it";
    if (!after.contains(name)) difference += "; it does not make '" + table + "', which is named there";
  }
  for (const std::string& name : surplus) {
    difference += "; it makes '" + name.substr(0, name.rfind(tables.suffix())) + "', which is not named there";
  }
  if (connection.has_open_keys()) difference += "; its rows refer to others that are missing";
  if (difference.empty()) return;
  throw Refused(projection, "does not make what its tables() names" + difference);
}

}  // namespace

void create_tables(const Projection& projection, ReadTables& tables, sqlite::Connection& connection) {
  const Names before = names_in_file(connection, Views::with);
  try {
    projection.create(tables);
  } catch (...) {
    connection.rethrow_trouble();
    if (tables.trespass().empty()) throw;
  }
  if (!tables.trespass().empty()) throw Refused(projection, "has failed: " + tables.trespass());
  check_made(projection, tables, connection, before);
}

std::optional<std::string> find_missing_table(sqlite::Connection& connection, const Projection& projection,
                                              std::string_view suffix) {
  for (std::string& table : projection.tables()) {
    const std::string name = table + std::string(suffix);
    sqlite::Run run(connection.statement("SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE "
                                         "AND type IN ('table', 'view')"),
                    std::string_view{name});
    if (!run.next()) return std::move(table);
  }
  return std::nullopt;
}

std::string missing_table_sentence(const Projection& projection, const std::string& table) {
  return "the read table '" + table + "' is missing: make it again with: projection rebuild " +
         std::string(projection.name());
}

void check_rules(std::span<const std::shared_ptr<const Projection>> projections) {
  std::set<std::string_view> names;
  Names tables;
  for (const auto& projection : projections) {
    ensure(projection != nullptr, "a projection is not null");
    ensure(!projection->name().empty(), "a projection has a name");
    ensure(names.insert(projection->name()).second, "no two projections have one name");
    ensure(projection->schema_version() > never_built, "a projection's schema version is 1 or more");
    for (const std::string& table : projection->tables()) {
      ensure(!sqlite::is_of_application(table.c_str()), "a projection's tables are not named as the application's own");
      ensure(!sqlite::is_table_of_engine(table.c_str()), "a projection's tables are not named as the engine's");
      ensure(tables.insert(table).second, "no two projections share a table");
    }
  }
}

namespace {

// Events are missing that somebody was told of: what is appended would get their positions. Asked in one statement,
// since others may append and project meanwhile.
void check_within_log(sqlite::Connection& connection) {
  sqlite::Run run(
      connection.statement("SELECT name, p.position, head FROM projections p, "
                           "(SELECT coalesce(max(position), 0) AS head FROM events) WHERE p.position > head LIMIT 1"));
  if (run.next()) miss_events(run.text(0), Position{run.integer(1)}, Position{run.integer(2)});
}

// Nothing if there is something to be written for one of them.
std::optional<Catalog> find_known(sqlite::Connection& connection,
                                  std::span<const std::shared_ptr<const Projection>> projections) {
  Catalog catalog;
  for (const auto& projection : projections) {
    const auto entry = find_entry(connection, projection->name());
    if (!entry) return std::nullopt;
    catalog.push_back({projection, entry->number});
    check_not_newer(catalog.back(), *entry);
    if (has_unnoted(connection, catalog.back())) return std::nullopt;
  }
  return catalog;
}

// Whether the rules can make their tables beside others, as each rebuild does: in the write transaction that the
// connection has open, and undone.
void try_rules(const Projection& projection, sqlite::Connection& connection) {
  connection.execute("SAVEPOINT trial");
  {
    ReadTables beside(connection, "_tried_beside");
    create_tables(projection, beside, connection);
  }
  connection.execute("ROLLBACK TO trial; RELEASE trial");
}

// Rules that no rebuild can follow are refused before it begins. What else create() may throw it may not throw then.
void try_raised(const Catalog& catalog, sqlite::Connection& connection) {
  for (const Registered& registered : catalog) {
    const auto entry = find_entry(connection, registered.projection->name());
    if (!entry || !is_outdated(registered, *entry) || entry->schema_version == never_built) continue;
    const sqlite::Transaction undone(connection, sqlite::Transaction::Kind::write);
    try {
      try_rules(*registered.projection, connection);
    } catch (const Refused&) {
      throw;
    } catch (...) {
      connection.rethrow_trouble();
    }
  }
}

// Makes the row of a projection that has none. Its tables are never_built until a rebuild fills them.
std::int64_t insert_entry(sqlite::Connection& connection, const Projection& projection) {
  sqlite::Run run(connection.statement("INSERT INTO projections (name, schema_version, generation, position, "
                                       "revision, duplicates_skipped) VALUES (?, ?, 1, 0, 0, 0) RETURNING number"),
                  projection.name(), never_built);
  ensure(run.next(), "inserting a projection returns its number");
  return run.integer(0);
}

// Empty tables, unless some of another projection stand in their place: those answer until a rebuild makes the new
// ones.
void begin_tables(sqlite::Connection& connection, const Catalog& catalog, const Registered& registered) {
  check_obtainable(connection, catalog, registered);
  try_rules(*registered.projection, connection);
  if (!are_free(connection, *registered.projection)) return;
  ReadTables tables(connection, "");
  create_tables(*registered.projection, tables, connection);
  own_tables(connection, registered);
  if (log::last_of_log(connection).position > Position{}) return;
  sqlite::Run(connection.statement("UPDATE projections SET schema_version = ? WHERE number = ?"),
              std::int64_t{registered.projection->schema_version()}, registered.number)
      .finish();
}

}  // namespace

Catalog register_projections(sqlite::Connection& connection,
                             std::span<const std::shared_ptr<const Projection>> projections) {
  check_within_log(connection);
  if (auto known = find_known(connection, projections)) {
    try_raised(*known, connection);
    return *known;
  }
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  Catalog catalog;
  Catalog added;
  for (const auto& projection : projections) {
    if (const auto entry = find_entry(connection, projection->name())) {
      catalog.push_back({projection, entry->number});
      check_not_newer(catalog.back(), *entry);
      note_tables(connection, catalog.back());
    } else {
      catalog.push_back({projection, insert_entry(connection, *projection)});
      added.push_back(catalog.back());
    }
  }
  for (const Registered& registered : added) begin_tables(connection, catalog, registered);
  transaction.commit();
  return catalog;
}

Applied applied_through(sqlite::Connection& connection, std::span<const std::shared_ptr<const Projection>> projections,
                        Position position) {
  Applied applied = Applied::all;
  for (const auto& projection : projections) {
    const auto entry = find_entry(connection, projection->name());
    if (!entry || entry->schema_version < projection->schema_version()) return Applied::lacking;
    if (entry->checkpoint >= position) continue;
    if (entry->schema_version == projection->schema_version()) return Applied::lacking;
    applied = Applied::own;
  }
  return applied;
}

}  // namespace freshet::projection
