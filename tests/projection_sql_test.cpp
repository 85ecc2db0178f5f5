// Tests of what is checked of a projection's SQL, and of whose failure it is where it fails.
#include <doctest/doctest.h>

#include "rules.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

void do_nothing(const RecordedEvent&, Tables&) {}

Rules::Apply insert_into(std::vector<std::string> tables) {
  return [tables = std::move(tables)](const RecordedEvent& event, Tables& written) {
    for (const std::string& table : tables) written.execute("INSERT INTO " + table + " VALUES (?)", {amount(event)});
  };
}

std::string refusal(std::vector<std::string> tables, std::vector<std::string> statements) {
  const TempDir directory;
  return message_of([&] {
    const Store store(with_rules(idle(directory.file()), rules(std::move(tables), std::move(statements), do_nothing)));
  });
}

// A child names its parent; 13 has none, and is found out when the transaction would be committed.
std::shared_ptr<const Projection> family(const bool& is_broken) {
  return rules({"parent", "child"},
               {"CREATE TABLE {parent} (id INTEGER PRIMARY KEY)",
                "CREATE TABLE {child} (id INTEGER, parent INTEGER REFERENCES {parent} DEFERRABLE INITIALLY DEFERRED)"},
               [&is_broken](const RecordedEvent& event, Tables& tables) {
                 const std::int64_t value = amount(event);
                 tables.execute("INSERT INTO {child} VALUES (?, ?)", {value, value});
                 if (value == 13 && is_broken) return;
                 tables.execute("INSERT INTO {parent} VALUES (?) ON CONFLICT DO NOTHING", {value});
               });
}

}  // namespace

TEST_SUITE("projection_sql") {
  TEST_CASE("apply: a deferred key that an event leaves open is a failure of that event alone") {
    const TempDir directory;
    bool is_broken = true;
    Store store(with_rules(stepped(directory.file()), family(is_broken)));
    for (const int value : {1, 13, 2}) append(store, std::to_string(value), value);
    run_until_idle(store);
    const auto check = [&](std::int64_t children, std::size_t letters) {
      CHECK(number(store, "SELECT count(*) FROM child") == children);
      CHECK(total(store) == 16);
      REQUIRE(store.dead_letters().size() == letters);
      if (letters > 0) CHECK(holds(store.dead_letters().front().reason, "FOREIGN KEY constraint failed"));
      CHECK(store.verify().problems.empty());
      CHECK(store.drain());
    };
    check(2, 1);
    CHECK(store.rebuild("rules"));
    check(2, 1);
    CHECK(store.retry_dead_letters() == 0);
    check(2, 1);
    CHECK(error_of([&] { append(store, "b", 13, Projecting::synchronous); }) == ErrorCode::projection_failed);
    is_broken = false;
    CHECK(store.retry_dead_letters() == 1);
    check(3, 0);
    is_broken = true;
    const auto problems = store.verify().problems;
    REQUIRE_FALSE(problems.empty());
    CHECK(holds(problems.front(), "failed on the event at position 2: FOREIGN KEY constraint failed"));
  }

  TEST_CASE("apply: a key that an append's own transaction has open is not the event's") {
    const TempDir directory;
    const bool is_broken = false;
    Store store(with_rules(idle(directory.file()), family(is_broken)));
    store.log().write([&](AppendTransaction& transaction) {
      Tables& tables = transaction.tables();
      tables.execute("CREATE TABLE app_a (id INTEGER PRIMARY KEY)");
      tables.execute("CREATE TABLE app_b (a INTEGER REFERENCES app_a DEFERRABLE INITIALLY DEFERRED)");
      tables.execute("INSERT INTO app_b VALUES (1)");
      const NewEvent one = event(1);
      static_cast<void>(transaction.append({.stream = stream("a"),
                                            .expected = ExpectedVersion::any(),
                                            .events = {&one, 1},
                                            .projecting = Projecting::synchronous}));
      tables.execute("INSERT INTO app_a VALUES (1)");
    });
    CHECK(number(store, "SELECT count(*) FROM child") == 1);
  }

  TEST_CASE("apply: what is thrown may be anything, for verification and a retry as well") {
    const TempDir directory;
    bool is_broken = true;
    Store store(with_rules(stepped(directory.file()),
                           rules({"t"}, {"CREATE TABLE {t} (n)"}, [&](const RecordedEvent&, Tables&) {
                             if (is_broken) throw 7;
                           })));
    append(store, "a", 1);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 1);
    CHECK(store.retry_dead_letters() == 0);
    is_broken = false;
    CHECK(store.retry_dead_letters() == 1);
    is_broken = true;
    const auto problems = store.verify().problems;
    REQUIRE(problems.size() == 1);
    CHECK(holds(problems.front(), "something was thrown that is no exception"));
  }

  TEST_CASE("verify: rules that cannot make their tables are a problem, whatever they throw") {
    const TempDir directory;
    bool is_broken = false;
    const auto create = [&](Tables& tables) {
      if (is_broken) throw 7;
      tables.execute("CREATE TABLE {t} (n)");
    };
    Store store(with_rules(stepped(directory.file()),
                           std::make_shared<Rules>("rules", 1, std::vector<std::string>{"t"}, create, do_nothing)));
    is_broken = true;
    const auto problems = store.verify().problems;
    REQUIRE(problems.size() == 1);
    CHECK(holds(problems.front(), "cannot make its tables: something was thrown"));
  }

  TEST_CASE("apply: a trigger may update its own table, as anywhere in SQLite") {
    const TempDir directory;
    const auto upsert = [](const RecordedEvent& event, Tables& tables) {
      tables.execute("INSERT INTO {t} (id, n) VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
                     {event.stream_number});
    };
    Store store(with_rules(stepped(directory.file()),
                           rules({"t"},
                                 {"CREATE TABLE {t} (id INTEGER PRIMARY KEY, n INTEGER, changes INTEGER DEFAULT 0)",
                                  "CREATE TRIGGER {t}_changed AFTER UPDATE ON {t} BEGIN "
                                  "UPDATE {t} SET changes = changes + 1 WHERE id = new.id; END"},
                                 upsert)));
    for (int times = 0; times < 3; ++times) append(store, "a", 1);
    run_until_idle(store);
    CHECK(store.dead_letters().empty());
    CHECK(number(store, "SELECT changes FROM t") == 2);
    CHECK(store.rebuild("rules"));
    CHECK(number(store, "SELECT changes FROM t") == 2);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("apply: nothing of a projection's gets into the log when a schema has changed meanwhile") {
    const TempDir directory;
    Store store(with_rules(stepped(directory.file()), rules({"t"}, {"CREATE TABLE {t} (n)"}, insert_into({"{t}"}))));
    append(store, "a", 1);
    run_until_idle(store);
    // SQLite prepares the kept statement again, and asks again what it may do.
    connect(directory.file())
        .execute("CREATE TRIGGER t_in AFTER INSERT ON t BEGIN UPDATE projections SET revision = 0; END");
    append(store, "a", 2);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 1);
    CHECK(holds(store.dead_letters().front().reason, "a projection writes to its read tables, and not to projections"));
  }

  TEST_CASE("open: create() makes what tables() names, no more and no less") {
    CHECK(holds(refusal({"a"}, {"CREATE TABLE {a} (n)", "CREATE TABLE {b} (n)"}),
                "create() of the projection 'rules' does not make what its tables() names; it makes 'b', which is not "
                "named there"));
    CHECK(holds(refusal({"a", "b"}, {"CREATE TABLE {a} (n)"}), "it does not make 'b', which is named there"));
    CHECK(holds(refusal({"a"}, {"CREATE TABLE {a} (n)", "CREATE VIRTUAL TABLE {b} USING fts5(n)"}), "it makes 'b'"));
    CHECK(holds(refusal({"a"}, {"CREATE TABLE a (n)"}), "put its name in braces, {a}"));
    CHECK(holds(refusal({"a"}, {"CREATE TABLE IF NOT EXISTS {Totals} (n)"}), "it makes 'Totals'"));
  }

  TEST_CASE("open: rules with a raised version are looked at before the store is open") {
    const TempDir directory;
    const auto opening = [&](int version, std::vector<std::string> tables, std::vector<std::string> made) {
      const Store store(with_rules(stepped(directory.file()), rules(tables, std::move(made), do_nothing, version)));
    };
    opening(1, {"a"}, {"CREATE TABLE {a} (n)"});
    CHECK(holds(message_of([&] { opening(2, {"a"}, {"CREATE TABLE {a} (n)", "CREATE TABLE {b} (n)"}); }), "'b'"));
    CHECK(holds(message_of([&] { opening(2, {"a"}, {"CREATE TABLE a (n)"}); }), "put its name in braces, {a}"));
    opening(2, {"a", "b"}, {"CREATE TABLE {a} (n)", "CREATE TABLE {b} (n)", "CREATE VIEW {c} AS SELECT n FROM {a}"});
  }

  TEST_CASE("rebuild: rules that forget the braces are refused, and the old tables stay") {
    for (const bool swallows : {false, true}) {
      CAPTURE(swallows);
      const TempDir directory;
      std::string table = "{t}";
      Store store(with_rules(stepped(directory.file()),
                             rules({"t"}, {"CREATE TABLE {t} (n)"}, [&](const RecordedEvent& event, Tables& tables) {
                               try {
                                 insert_into({table})(event, tables);
                               } catch (const Error&) {
                                 if (!swallows) throw;
                               }
                             })));
      append(store, "a", 1);
      run_until_idle(store);
      table = "t";
      CHECK(error_of([&] { store.rebuild("rules"); }) == ErrorCode::invalid);
      CHECK(holds(message_of([&] { store.rebuild("rules"); }), "put its name in braces, {t}"));
      CHECK(number(store, "SELECT count(*) FROM t") == 1);
      CHECK(number(store, "SELECT count(*) FROM sqlite_master WHERE instr(name, 'rebuilt')") == 0);
      CHECK(store.verify().problems.empty());
    }
  }

  TEST_CASE("read: a read table that is missing is damage, and the sentence says what helps") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    run_until_idle(store);
    CHECK(total(store) == 1);
    connect(directory.file()).execute("DROP TABLE totals");
    const char* helps = "the read table 'totals' is missing: make it again with: projection rebuild totals";
    CHECK(error_of([&] { total(store); }) == ErrorCode::corrupt);
    CHECK(message_of([&] { total(store); }) == helps);
    CHECK(message_of([&] { number(store, "SELECT count(*) FROM totals"); }) == helps);
    CHECK(store.verify().problems ==
          std::vector<std::string>{"the read table 'totals' is missing, or not as it was made: "
                                   "make it again with: projection rebuild totals"});
    append(store, "a", 2);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 1);
    CHECK(store.dead_letters().front().reason == helps);
    CHECK(number(store, "SELECT max(amount) FROM latest") == 2);
    CHECK(store.rebuild("totals"));
    CHECK(total(store) == 3);
    CHECK(store.dead_letters().empty());
    CHECK(error_of([&] { number(store, "SELECT 1 FROM nothing"); }) == ErrorCode::invalid);
  }
}
