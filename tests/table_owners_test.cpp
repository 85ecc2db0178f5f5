// Tests of whose the read tables are: they move from one projection to another, go with the last one that names them,
// and are not taken from a projection that the program does not know.
#include "projection/table_owners.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"
#include "freshet/maintenance.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// One row an event in each of its tables.
class Plain final : public Projection {
 public:
  Plain(std::string name, int schema_version, std::vector<std::string> tables, std::string column = "position")
      : name_(std::move(name)),
        schema_version_(schema_version),
        tables_(std::move(tables)),
        column_(std::move(column)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] int schema_version() const override { return schema_version_; }
  [[nodiscard]] std::vector<std::string> tables() const override { return tables_; }
  void create(Tables& tables) const override {
    for (const auto& each : tables_) tables.execute("CREATE TABLE {" + each + "} (" + column_ + " INTEGER)");
  }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    for (const auto& each : tables_) tables.execute("INSERT INTO {" + each + "} VALUES (?)", {event.position.value});
  }

 private:
  std::string name_;
  int schema_version_;
  std::vector<std::string> tables_;
  std::string column_;
};

using Rules = std::vector<std::shared_ptr<const Projection>>;

std::shared_ptr<const Projection> plain(const std::string& name, int schema_version, std::vector<std::string> tables,
                                        const std::string& column = "position") {
  return std::make_shared<Plain>(name, schema_version, std::move(tables), column);
}

StoreOptions with(const std::filesystem::path& file, Rules rules) {
  StoreOptions options = stepped(file);
  options.projections = std::move(rules);
  return options;
}

void fill(const std::filesystem::path& file, Rules rules) {
  Store store(with(file, std::move(rules)));
  for (int value = 1; value <= 5; ++value) append(store, "a", value);
  run_until_idle(store);
}

std::int64_t rows(Store& store, const std::string& projection, const std::string& table) {
  Reading reading = store.read({.projections = {projection}, .consistency = Strong{}});
  CHECK_FALSE(reading.freshness().stale);
  return number(reading, "SELECT count(*) FROM " + table);
}

std::int64_t count_of(const std::filesystem::path& file, const std::string& name) {
  auto connection = connect(file);
  sqlite::Run run(connection.statement("SELECT count(*) FROM sqlite_master WHERE name = ?"), std::string_view{name});
  return run.next() ? run.integer(0) : 0;
}

}  // namespace

TEST_SUITE("table_owners") {
  TEST_CASE("open: a table becomes that of another projection, in whichever order they are registered") {
    for (const bool is_first : {true, false}) {
      const TempDir directory;
      fill(directory.file(), {plain("p", 1, {"totals", "lines"})});
      const auto p = plain("p", 2, {"totals"});
      const auto q = plain("q", 1, {"lines"}, "place");
      Store store(with(directory.file(), is_first ? Rules{q, p} : Rules{p, q}));
      run_until_idle(store);
      CHECK(rows(store, "p", "totals") == 5);
      CHECK(rows(store, "q", "lines WHERE place > 0") == 5);
      append(store, "a", 6);
      run_until_idle(store);
      CHECK(rows(store, "p", "totals") == 6);
      CHECK(rows(store, "q", "lines") == 6);
      CHECK(store.verify().problems.empty());
    }
  }

  TEST_CASE("open: two projections exchange their tables") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"a"}), plain("q", 1, {"b"})});
    Store store(with(directory.file(), {plain("p", 2, {"b"}, "x"), plain("q", 2, {"a"}, "y")}));
    run_until_idle(store);
    CHECK(rows(store, "p", "b WHERE x > 0") == 5);
    CHECK(rows(store, "q", "a WHERE y > 0") == 5);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("open: a projection that a table is taken from makes its own again, though its version is the same") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals", "lines"})});
    {
      // Rules of release 1 that go on without knowing of it.
      Store old(with(directory.file(), {plain("p", 1, {"totals", "lines"})}));
      run_until_idle(old);
    }
    Store store(with(directory.file(), {plain("p", 1, {"totals"}), plain("q", 1, {"lines"}, "place")}));
    run_until_idle(store);
    CHECK(rows(store, "p", "totals") == 5);
    CHECK(rows(store, "q", "lines WHERE place > 0") == 5);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("open: until they are made, a new projection's rows are stale, and the table's old ones are there") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals", "lines"})});
    StoreOptions options = with(directory.file(), {plain("p", 2, {"totals"}), plain("q", 1, {"lines"}, "place")});
    options.engine = Engine::off;
    Store store(std::move(options));
    Reading reading = store.read({.projections = {"q"}});
    CHECK(reading.freshness().stale);
    CHECK(number(reading, "SELECT count(*) FROM lines") == 5);
  }

  TEST_CASE("open: tables that the rules do not name any more are gone with the next rebuild") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals", "lines"})});
    Store store(with(directory.file(), {plain("p", 2, {"totals"})}));
    CHECK(count_of(directory.file(), "lines") == 1);
    run_until_idle(store);
    CHECK(count_of(directory.file(), "lines") == 0);
    CHECK(rows(store, "p", "totals") == 5);
  }

  TEST_CASE(
      "open: a table of a projection that the program does not have is not taken, and a sentence says what to do") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals"})});
    const auto open = [&] { const Store store(with(directory.file(), {plain("p2", 1, {"Totals"}, "place")})); };
    CHECK(error_of(open) == ErrorCode::invalid);
    CHECK(holds(message_of(open), "projection rename p p2"));
    CHECK(holds(message_of(open), "projection remove p"));
    // Nothing has changed for the other.
    Store store(with(directory.file(), {plain("p", 1, {"totals"})}));
    CHECK(rows(store, "p", "totals") == 5);
    CHECK(store.projections().size() == 1);
    CHECK(connect(directory.file()).integer("SELECT count(*) FROM projections") == 1);
  }

  TEST_CASE("open: a table that no projection has made is not taken") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals"})});
    connect(directory.file()).execute("CREATE TABLE precious (x)");
    CHECK(error_of([&] {
            const Store store(with(directory.file(), {plain("p", 1, {"totals"}), plain("q", 1, {"precious"})}));
          }) == ErrorCode::invalid);
    CHECK(count_of(directory.file(), "precious") == 1);
  }

  TEST_CASE("open: tables of a release that did not note whose they are become those of who names them") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals", "lines"})});
    const auto forget = [&] { connect(directory.file()).execute("UPDATE projection_tables SET projection = NULL"); };
    forget();
    {
      auto connection = connect(directory.file());
      Store store(with(directory.file(), {plain("p", 1, {"totals", "lines"})}));
      CHECK(projection::tables_of(connection, 1) == std::vector<std::string>{"lines", "totals"});
    }
    forget();
    {
      // The table may be another program's.
      const auto open = [&] { const Store store(with(directory.file(), {plain("q", 1, {"lines"}, "place")})); };
      CHECK(error_of(open) == ErrorCode::invalid);
      CHECK(holds(message_of(open), "may belong to 'p'"));
    }
    Store store(with(directory.file(), {plain("p", 2, {"totals"}), plain("q", 1, {"lines"}, "place")}));
    run_until_idle(store);
    CHECK(rows(store, "p", "totals") == 5);
    CHECK(rows(store, "q", "lines WHERE place > 0") == 5);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("rename: the tables need not be made again") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals"})});
    connect(directory.file()).execute("UPDATE totals SET position = 77");
    CHECK(rename_projection(directory.file(), "p", "p2"));
    CHECK_FALSE(rename_projection(directory.file(), "p", "p2"));
    Store store(with(directory.file(), {plain("p2", 1, {"totals"})}));
    run_until_idle(store);
    CHECK(rows(store, "p2", "totals WHERE position = 77") == 5);
  }

  TEST_CASE("rename: not to the name of another one, and not to none") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"a"}), plain("q", 1, {"b"})});
    CHECK(error_of([&] { static_cast<void>(rename_projection(directory.file(), "p", "q")); }) == ErrorCode::invalid);
    CHECK(error_of([&] { static_cast<void>(rename_projection(directory.file(), "p", "")); }) == ErrorCode::invalid);
    CHECK(rename_projection(directory.file(), "p", "p"));
    CHECK(error_of([&] { static_cast<void>(rename_projection(directory.path() / "no.db", "p", "q")); }) ==
          ErrorCode::file_missing);
    Store store(with(directory.file(), {plain("p", 1, {"a"}), plain("q", 1, {"b"})}));
    CHECK(rows(store, "p", "a") == 5);
  }

  TEST_CASE("remove: nothing of the projection is left, and another one is as it was") {
    const TempDir directory;
    {
      StoreOptions options = with_fragile(with(directory.file(), {plain("q", 1, {"b"})}), on_amount(2));
      options.projector.attempts_max = 1;
      Store store(std::move(options));
      for (int value = 1; value <= 3; ++value) append(store, "a", value);
      run_until_idle(store);
      REQUIRE(store.dead_letters().size() == 2);
    }
    const auto removed = remove_projection(directory.file(), "fragile");
    REQUIRE(removed.has_value());
    CHECK(*removed == std::vector<std::string>{"fragile"});
    CHECK_FALSE(remove_projection(directory.file(), "fragile").has_value());
    auto connection = connect(directory.file());
    for (const char* table : {"dead_letters", "applied_above"}) {
      CHECK(connection.integer("SELECT count(*) FROM " + std::string(table)) == 0);
    }
    CHECK(connection.integer("SELECT count(*) FROM projection_tables") == 1);
    CHECK(count_of(directory.file(), "fragile") == 0);
    Store store(with(directory.file(), {plain("q", 1, {"b"})}));
    CHECK(rows(store, "q", "b") == 3);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("remove: what a killed rebuild has left goes as well") {
    const TempDir directory;
    const TempDir crashed;
    {
      Store store(with(directory.file(), {plain("p", 1, {"totals"})}));
      append_many(store, "a", 2'500);
      run_until_idle(store);
      CHECK(store.rebuild("p", [&](std::int64_t done, std::int64_t) {
        if (done == 1'000) copy_files(directory, crashed);
        return true;
      }));
    }
    REQUIRE(count_of(crashed.file(), "totals_rebuilt_1_2") == 1);
    CHECK(remove_projection(crashed.file(), "p").has_value());
    CHECK(count_of(crashed.file(), "totals_rebuilt_1_2") == 0);
    CHECK(count_of(crashed.file(), "totals") == 0);
  }

  TEST_CASE("remove: a release that was rolled back makes its tables again, after the newer one's are removed") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals"})});
    {
      Store newer(with(directory.file(), {plain("p", 2, {"totals", "more"}, "place")}));
      run_until_idle(newer);
    }
    const auto open = [&] { const Store store(with(directory.file(), {plain("p", 1, {"totals"})})); };
    CHECK(error_of(open) == ErrorCode::unsupported_format);
    CHECK(holds(message_of(open), "projection remove p"));
    CHECK(remove_projection(directory.file(), "p").has_value());
    Store store(with(directory.file(), {plain("p", 1, {"totals"})}));
    run_until_idle(store);
    CHECK(rows(store, "p", "totals WHERE position > 0") == 5);
    CHECK(count_of(directory.file(), "more") == 0);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("remove: a store that has it open stops projecting it, says why, and the next one makes it anew") {
    const TempDir directory;
    std::vector<std::string> notices;
    {
      StoreOptions options = with(directory.file(), {plain("p", 1, {"totals"})});
      options.on_notice = [&](const Notice& notice) { notices.push_back(notice.message); };
      Store store(std::move(options));
      append(store, "a", 1);
      run_until_idle(store);
      CHECK(remove_projection(directory.file(), "p").has_value());
      append(store, "a", 2);
      run_until_idle(store);
      REQUIRE_FALSE(notices.empty());
      CHECK(holds(notices.back(), "'p' was removed or renamed"));
      CHECK(error_of([&] { store.rebuild("p"); }) == ErrorCode::projection_failed);
      CHECK(error_of([&] { append(store, "a", 3, Projecting::synchronous); }) == ErrorCode::projection_failed);
      CHECK(store.log().head() == Position{2});
    }
    Store store(with(directory.file(), {plain("p", 1, {"totals"})}));
    run_until_idle(store);
    CHECK(rows(store, "p", "totals") == 2);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("remove: a rebuild that goes on meanwhile ends, and leaves nothing behind") {
    const TempDir directory;
    {
      Store store(with(directory.file(), {plain("p", 1, {"totals"})}));
      append_many(store, "a", 2'500);
      CHECK(error_of([&] {
              store.rebuild("p", [&](std::int64_t done, std::int64_t) {
                if (done == 1'000) CHECK(remove_projection(directory.file(), "p").has_value());
                return true;
              });
            }) == ErrorCode::busy);
    }
    CHECK(connect(directory.file()).integer("SELECT count(*) FROM sqlite_master WHERE name LIKE 'totals%'") == 0);
  }

  TEST_CASE("open: to be written, a log that lacks events that were applied is corrupt before anything is recorded") {
    const TempDir directory;
    fill(directory.file(), {plain("p", 1, {"totals"}), plain("q", 1, {"b"})});
    connect(directory.file()).execute("UPDATE projections SET position = 9 WHERE name = 'q'");
    // Whether the program has the projection or not.
    for (const Rules& rules : {Rules{plain("q", 1, {"b"})}, Rules{plain("p", 1, {"totals"})}}) {
      CHECK(error_of([&] { const Store store(with(directory.file(), rules)); }) == ErrorCode::corrupt);
    }
  }
}
