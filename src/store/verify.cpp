// Verification reads one snapshot: the file is attached to a scratch database, in which the read
// tables are made again and compared.
#include "store/verify.hpp"

#include <memory>
#include <set>
#include <span>
#include <string>

#include "base/thrown.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "projection/applier.hpp"
#include "projection/catalog.hpp"
#include "projection/read_tables.hpp"
#include "query/target.hpp"
#include "sqlite/connection.hpp"
#include "store/table_difference.hpp"

namespace freshet::store {
namespace {

constexpr std::size_t slice_events_max = 1'000;

class Verifier {
 public:
  Verifier(const StoreOptions& options, const freshet::Progress& progress)
      : connection_({.file = "",
                     .access = sqlite::Access::create,
                     .sync = sqlite::Sync::normal,
                     .busy_timeout = options.busy_timeout}),
        progress_(progress) {
    connection_.attach(options.file);
    connection_.execute("BEGIN");
  }

  Verification run(std::span<const std::shared_ptr<const Projection>> projections) {
    try {
      check_structure();
      check_numbers();
      for (const auto& projection : projections) prepare(projection);
      scan();
      for (const Replayed& replayed : replays_) compare(replayed);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::io) {
        throw Error(
            ErrorCode::io,
            std::string("verification could not be finished, and says nothing about the file: ") + error.what());
      }
      if (error.code() != ErrorCode::corrupt && error.code() != ErrorCode::not_a_database) throw;
      problem(error.what());
    }
    return std::move(result_);
  }

 private:
  // A projection that is made again in the scratch database.
  struct Replayed {
    projection::Registered registered;
    projection::Entry entry;
    std::unique_ptr<projection::ReadTables> tables;
    std::set<std::int64_t> dead_letters;
  };

  void problem(const std::string& text) {
    if (result_.problems.size() < verify_problems_max) result_.problems.push_back(text);
  }

  // One problem a row, `text` before the row's first column.
  void problems_of(const std::string& text, std::string_view sql) {
    sqlite::Run run(connection_.statement(sql));
    while (run.next()) problem(text + std::string(run.text(0)));
  }

  void check_structure() {
    sqlite::Run run(connection_.statement("PRAGMA store.integrity_check(20)"));
    while (run.next()) {
      // SQLite counts a page that the disk did not give among what it finds.
      if (run.text(0) != "ok" && sqlite::system_error(connection_.handle(), sqlite::attached_schema) != 0) {
        throw Error(ErrorCode::io, "a read has failed: look after the disk");
      }
      if (run.text(0) != "ok") problem("the database is damaged: " + std::string(run.text(0)));
    }
    problems_of("a row refers to one that is missing, in the table ", "PRAGMA store.foreign_key_check");
    problems_of("the log names a stream that is missing, stream number ",
                "SELECT DISTINCT stream FROM store.events WHERE stream NOT IN (SELECT number FROM store.streams)");
    problems_of("an idempotency key is of a stream that is missing, stream number ",
                "SELECT DISTINCT stream FROM store.commands WHERE stream IS NOT NULL AND stream NOT IN "
                "(SELECT number FROM store.streams)");
  }

  void check_numbers() {
    result_.streams = connection_.integer("SELECT count(*) FROM store.streams");
    problems_of("the log has gaps: its last position is not its number of events but ",
                "SELECT max(position) FROM store.events HAVING max(position) <> count(*) OR min(position) <> 1");
    problems_of("the versions of a stream have gaps, stream number ",
                "SELECT stream FROM store.events GROUP BY stream "
                "HAVING max(version) <> count(*) OR min(version) <> 1");
    problems_of("the versions of a stream are not in the order of positions, stream number ",
                "SELECT DISTINCT stream FROM (SELECT stream, position, lag(position) OVER "
                "(PARTITION BY stream ORDER BY version) AS before FROM store.events) WHERE before > position");
  }

  void prepare(const std::shared_ptr<const Projection>& projection) {
    const auto entry = projection::find_entry(connection_, projection->name());
    if (!entry || entry->schema_version != projection->schema_version()) return;  // Not made yet.
    projection::check_within_log(connection_, *entry, *projection);
    Replayed replayed{
        {projection, entry->number}, *entry, std::make_unique<projection::ReadTables>(connection_, ""), {}};
    sqlite::Run run(connection_.statement("SELECT position FROM store.dead_letters WHERE projection = ?"),
                    entry->number);
    while (run.next()) replayed.dead_letters.insert(run.integer(0));
    try {
      projection->create(*replayed.tables);
      replays_.push_back(std::move(replayed));
    } catch (...) {
      problem("the projection '" + std::string(projection->name()) + "' cannot make its tables: " + words_of_thrown());
    }
  }

  void scan() {
    const std::int64_t total = log::last_of_log(connection_).position.value;
    Position after;
    while (true) {
      const auto slice = log::scan(connection_, after, slice_events_max);
      if (slice.empty()) return;
      for (const log::Scanned& scanned : slice) check(scanned);
      after = slice.back().event.position;
      if (progress_ && !progress_(after.value, total)) {
        throw Error(ErrorCode::closed, "verification was stopped");
      }
    }
  }

  void check(const log::Scanned& scanned) {
    const RecordedEvent& event = scanned.event;
    ++result_.events;
    const std::string position = std::to_string(event.position.value);
    if (!scanned.intact) {
      problem("the event at position " + position + " is damaged: its checksum differs");
      return;
    }
    for (Replayed& replayed : replays_) {
      if (!query::has_applied(connection_, replayed.entry, event.position) ||
          replayed.dead_letters.contains(event.position.value)) {
        continue;
      }
      try {
        projection::apply(replayed.registered, event, *replayed.tables, connection_);
      } catch (const projection::ApplyFailure& failure) {
        problem(failure.what());
      }
    }
  }

  void compare(const Replayed& replayed) {
    for (const std::string& table : replayed.registered.projection->tables()) {
      try {
        compare(replayed, table);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::invalid) throw;
        // Another definition than the replay's: SQLite's words would be about a statement that nobody has written.
        problem("the read table '" + table +
                "' is missing, or not as it was made: make it again with: projection rebuild " +
                std::string(replayed.registered.projection->name()));
      }
    }
  }

  void compare(const Replayed& replayed, const std::string& table) {
    const TableDifference difference(connection_, table);
    const auto description =
        difference.is_none() ? index_difference(connection_, table) : std::optional(difference.description());
    if (!description) return;
    problem("the read table '" + table + "' differs from a replay: " + *description +
            "; make it again with: projection rebuild " + std::string(replayed.registered.projection->name()));
  }

  sqlite::Connection connection_;
  const freshet::Progress& progress_;
  std::vector<Replayed> replays_;
  Verification result_;
};

}  // namespace

Verification verify(const StoreOptions& options, const freshet::Progress& progress) {
  return Verifier(options, progress).run(options.projections);
}

}  // namespace freshet::store
