// Tests of what belongs to read tables when a rebuild puts new ones into their place.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// Two tables that refer to each other, and one of each kind of what SQLite can make of tables.
class Ledger : public Projection {
 public:
  explicit Ledger(int schema_version = 1) : schema_version_(schema_version) {}

  [[nodiscard]] std::string_view name() const override { return "ledger"; }
  [[nodiscard]] int schema_version() const override { return schema_version_; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"accounts", "entries", "rich", "words"}; }
  void create(Tables& tables) const override {
    tables.execute("CREATE TABLE {accounts} (number INTEGER PRIMARY KEY, sum INTEGER NOT NULL)");
    tables.execute(
        "CREATE TABLE {entries} (position INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES {accounts} "
        "(number), "
        "amount INTEGER NOT NULL)");
    tables.execute("CREATE INDEX {entries}_by_account ON {entries} (account)");
    tables.execute("CREATE VIRTUAL TABLE {words} USING fts5 (text)");
    tables.execute("CREATE VIEW {rich} AS SELECT number FROM {accounts} WHERE sum >= 10");
    tables.execute(
        "CREATE VIEW {entries}_named AS SELECT e.amount, r.number FROM {entries} e JOIN {rich} r "
        "ON r.number = e.account");
    tables.execute(
        "CREATE TRIGGER {entries}_summed AFTER INSERT ON {entries} BEGIN "
        "UPDATE {accounts} SET sum = sum + NEW.amount WHERE number = NEW.account; END");
    tables.execute(
        "CREATE TRIGGER {rich}_poorer INSTEAD OF DELETE ON {rich} BEGIN "
        "UPDATE {accounts} SET sum = 0 WHERE number = OLD.number; END");
  }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    tables.execute("INSERT INTO {accounts} VALUES (?, 0) ON CONFLICT DO NOTHING", {event.stream_number});
    if (amount(event) == 0) tables.execute("DELETE FROM {rich} WHERE number = ?", {event.stream_number});
    tables.execute("INSERT INTO {entries} VALUES (?, ?, ?)",
                   {event.position.value, event.stream_number, amount(event)});
    tables.execute("INSERT INTO {words} VALUES (?)", {std::string_view{event.data}});
  }

 private:
  int schema_version_;
};

StoreOptions ledger(const std::filesystem::path& file, int schema_version = 1) {
  StoreOptions options = stepped(file);
  options.projections.push_back(std::make_shared<Ledger>(schema_version));
  return options;
}

// All that is made of the tables works, and means the tables in use.
void check_whole(Store& store, std::int64_t entries, std::int64_t rich) {
  CHECK(number(store, "SELECT count(*) FROM entries") == entries);
  CHECK(number(store, "SELECT count(*) FROM rich") == rich);
  CHECK(number(store, "SELECT count(DISTINCT number) FROM entries_named") == rich);
  CHECK(number(store, "SELECT sum(sum) FROM accounts") == number(store, "SELECT sum(amount) FROM entries"));
  CHECK(number(store, "SELECT count(*) FROM words WHERE words MATCH '7'") == 1);
  // But for the indexes, nothing says that it was made beside others.
  CHECK(number(store,
               "SELECT count(*) FROM sqlite_master WHERE type <> 'index' AND "
               "(instr(name, 'rebuilt') OR instr(sql, 'rebuilt'))") == 0);
  CHECK(store.verify().problems.empty());
}

void fill(Store& store) {
  append(store, "a", 7);
  append(store, "a", 5);
  append(store, "b", 3);
  run_until_idle(store);
}

}  // namespace

TEST_SUITE("rebuild_swap") {
  TEST_CASE("rebuild: views, triggers, indexes and references go with their tables, again and again") {
    const TempDir directory;
    Store store(ledger(directory.file()));
    fill(store);
    check_whole(store, 3, 1);
    const std::int64_t made = number(store, "SELECT count(*) FROM sqlite_master");
    for (int again = 0; again < 3; ++again) {
      CHECK(store.rebuild("ledger"));
      check_whole(store, 3, 1);
      CHECK(number(store, "SELECT count(*) FROM sqlite_master") == made);
    }
    append(store, "b", 9);
    run_until_idle(store);
    check_whole(store, 4, 2);
    append(store, "b", 0);
    run_until_idle(store);
    CHECK(number(store, "SELECT sum FROM accounts WHERE number = 2") == 0);
    CHECK(store.dead_letters().empty());
  }

  TEST_CASE("rebuild: references follow the new tables, and are checked") {
    const TempDir directory;
    Store store(ledger(directory.file()));
    fill(store);
    CHECK(store.rebuild("ledger"));
    auto connection = connect(directory.file());
    CHECK(error_of([&] { connection.execute("INSERT INTO entries VALUES (99, 99, 1)"); }) == ErrorCode::invalid);
    CHECK(connection.integer("SELECT count(*) FROM pragma_foreign_key_list('entries') WHERE \"table\" = 'accounts'") ==
          1);
  }

  TEST_CASE("rebuild: a view of the application's own on read tables shows the new ones") {
    const TempDir directory;
    Store store(ledger(directory.file()));
    fill(store);
    store.log().write([](AppendTransaction& transaction) {
      transaction.tables().execute("CREATE VIEW app_sums AS SELECT sum FROM accounts");
      transaction.tables().execute("CREATE TABLE app_notes (x)");
      transaction.tables().execute(
          "CREATE TRIGGER app_noted AFTER INSERT ON app_notes BEGIN "
          "DELETE FROM app_notes WHERE x > (SELECT sum(sum) FROM accounts); END");
    });
    connect(directory.file()).execute("UPDATE accounts SET sum = 77");
    CHECK(store.rebuild("ledger"));
    CHECK(number(store, "SELECT sum(sum) FROM app_sums") == 15);
    store.log().write([](AppendTransaction& transaction) {
      transaction.tables().execute("INSERT INTO app_notes VALUES (15), (16)");
    });
    CHECK(number(store, "SELECT count(*) FROM app_notes") == 1);
  }

  TEST_CASE("rebuild: given up, it leaves nothing behind, whatever refers to what") {
    const TempDir directory;
    Store store(ledger(directory.file()));
    append_many(store, "a", 2'500);
    run_until_idle(store);
    const std::int64_t made = number(store, "SELECT count(*) FROM sqlite_master");
    CHECK_FALSE(store.rebuild("ledger", [](std::int64_t, std::int64_t) { return false; }));
    CHECK(number(store, "SELECT count(*) FROM sqlite_master") == made);
    CHECK(store.rebuild("ledger"));
    CHECK(number(store, "SELECT count(*) FROM entries") == 2'500);
  }

  TEST_CASE("rebuild: what a crash left of the last one is in nobody's way") {
    const TempDir directory;
    const TempDir crashed;
    Store store(ledger(directory.file()));
    append_many(store, "a", 2'500);
    run_until_idle(store);
    CHECK(store.rebuild("ledger", [&](std::int64_t done, std::int64_t) {
      if (done == 1'000) copy_files(directory, crashed);
      return true;
    }));
    Store reopened(ledger(crashed.file()));
    CHECK(number(reopened, "SELECT count(*) FROM sqlite_master WHERE type = 'view' AND instr(name, 'rebuilt')") == 2);
    CHECK(reopened.rebuild("ledger"));
    CHECK(number(reopened, "SELECT count(*) FROM entries") == 2'500);
    CHECK(number(reopened, "SELECT count(*) FROM sqlite_master WHERE type = 'view' AND instr(name, 'rebuilt')") == 0);
  }

  TEST_CASE("rebuild: a table of another projection that is named like a new one is let be") {
    const TempDir directory;
    class Second final : public Projection {
     public:
      [[nodiscard]] std::string_view name() const override { return "second"; }
      [[nodiscard]] int schema_version() const override { return 1; }
      [[nodiscard]] std::vector<std::string> tables() const override { return {"totals_2"}; }
      void create(Tables& tables) const override { tables.execute("CREATE TABLE {totals_2} (x INTEGER)"); }
      void apply(const RecordedEvent&, Tables& tables) const override {
        tables.execute("INSERT INTO {totals_2} VALUES (1)");
      }
    };
    StoreOptions options = stepped(directory.file());
    options.projections.push_back(std::make_shared<Second>());
    Store store(std::move(options));
    append(store, "a", 1);
    run_until_idle(store);
    CHECK(store.rebuild("totals"));
    CHECK(number(store, "SELECT count(*) FROM totals_2") == 1);
    CHECK(total(store) == 1);
  }

  TEST_CASE("open: rules of a raised schema version bring views and triggers of their own") {
    const TempDir directory;
    {
      Store store(ledger(directory.file()));
      fill(store);
    }
    Store store(ledger(directory.file(), 2));
    run_until_idle(store);
    CHECK(status(store, "ledger").schema_version == 2);
    check_whole(store, 3, 1);
  }
}
