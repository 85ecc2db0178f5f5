// Tests of an application's own tables: written in the transaction of the events, under names of their own.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

constexpr const char* make_drafts = "CREATE TABLE IF NOT EXISTS app_drafts (id TEXT PRIMARY KEY, text TEXT) STRICT";

// One event, and one draft beside it.
void append_with_draft(Store& store, const std::string& id) {
  store.log().write([&](AppendTransaction& transaction) {
    transaction.tables().execute(make_drafts);
    const NewEvent one = event(1);
    static_cast<void>(
        transaction.append({.stream = stream(id), .expected = ExpectedVersion::any(), .events = {&one, 1}}));
    transaction.tables().execute("INSERT INTO app_drafts VALUES (?, ?)", {std::string_view{id}, nullptr});
  });
}

std::int64_t drafts(Store& store) {
  return number(store, "SELECT count(*) FROM app_drafts");
}

ErrorCode refusal(Store& store, std::string_view sql) {
  return error_of(
      [&] { store.log().write([&](AppendTransaction& transaction) { transaction.tables().execute(sql); }); });
}

}  // namespace

TEST_SUITE("application_tables") {
  TEST_CASE("tables: rows and events are committed together, and are there after opening again") {
    const TempDir directory;
    {
      Store store(idle(directory.file()));
      append_with_draft(store, "a");
    }
    Store store(idle(directory.file()));
    CHECK(drafts(store) == 1);
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("tables: a transaction reads what it has appended, before it asked for them and afterwards") {
    const TempDir directory;
    Store store(idle(directory.file()));
    store.log().write([&](AppendTransaction& transaction) {
      const NewEvent one = event(1);
      const Append request{.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}};
      static_cast<void>(transaction.append(request));
      CHECK(transaction.read_stream(stream("a")).size() == 1);
      static_cast<void>(transaction.append(request));
      Tables& tables = transaction.tables();
      for (std::int64_t appended = 2; appended < 20; ++appended) {
        Rows rows = tables.query("SELECT count(*) FROM events");
        REQUIRE(rows.next());
        CHECK(rows.integer(0) == appended);
        static_cast<void>(transaction.append(request));
      }
    });
    CHECK(store.log().head() == Position{20});
  }

  TEST_CASE("tables: what undoes the append undoes the rows, and the other way round") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_with_draft(store, "a");
    // The second draft of this name breaks the key, after the event was appended.
    CHECK(error_of([&] { append_with_draft(store, "a"); }) == ErrorCode::invalid);
    CHECK(store.log().head() == Position{1});
    CHECK_THROWS_AS(store.log().write([](AppendTransaction& transaction) {
      transaction.tables().execute("DELETE FROM app_drafts");
      throw std::runtime_error("changed my mind");
    }),
                    std::runtime_error);
    CHECK(drafts(store) == 1);
  }

  TEST_CASE("tables: the transaction sees its own rows, and may read every table") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 7);
    run_until_idle(store);
    store.log().write([](AppendTransaction& transaction) {
      transaction.tables().execute(make_drafts);
      transaction.tables().execute("INSERT INTO app_drafts VALUES ('x', 'y')");
      Rows rows = transaction.tables().query("SELECT (SELECT count(*) FROM app_drafts), sum FROM {totals}");
      REQUIRE(rows.next());
      CHECK(rows.columns() == 2);
      CHECK(rows.integer(0) == 1);
      CHECK(rows.integer(1) == 7);
    });
  }

  TEST_CASE("tables: the log's tables and a projection's are not the application's to write") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 7);
    run_until_idle(store);
    for (const char* sql :
         {"INSERT INTO streams (category, id) VALUES ('a', 'b')", "DELETE FROM totals",
          "UPDATE projections SET position = 0", "DROP TABLE latest", "CREATE TABLE drafts (x)",
          "CREATE INDEX app_index ON events (type)",
          "CREATE TRIGGER app_trigger AFTER INSERT ON events BEGIN SELECT 1; END", "ALTER TABLE totals ADD COLUMN x",
          "PRAGMA user_version = 9", "ATTACH 'other' AS other", "COMMIT", "SAVEPOINT x", "CREATE VIEW v AS SELECT 1",
          "CREATE TEMP TABLE app_t (x)", "WITH a AS (SELECT 1) DELETE FROM dead_letters"}) {
      INFO(sql);
      CHECK(refusal(store, sql) == ErrorCode::invalid);
    }
    CHECK(holds(message_of([&] {
                  store.log().write(
                      [&](AppendTransaction& transaction) { transaction.tables().execute("DELETE FROM totals"); });
                }),
                "app_..., and not to totals"));
    CHECK(total(store) == 7);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("tables: indexes, triggers, views and search tables of the application's own are allowed") {
    const TempDir directory;
    Store store(idle(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      Tables& tables = transaction.tables();
      tables.execute(make_drafts);
      tables.execute("CREATE INDEX app_drafts_by_text ON app_drafts (text)");
      tables.execute("CREATE VIEW app_texts AS SELECT text FROM app_drafts");
      tables.execute("CREATE TABLE app_counts AS SELECT count(*) AS n FROM app_drafts");
      tables.execute(
          "CREATE TRIGGER app_counting AFTER INSERT ON app_drafts BEGIN UPDATE app_counts SET n = n + 1; END");
      tables.execute("INSERT INTO app_drafts VALUES ('a', 'b')");
      tables.execute("ALTER TABLE app_drafts ADD COLUMN at INTEGER");
      tables.execute("ALTER TABLE app_drafts RENAME TO app_notes");
    });
    CHECK(number(store, "SELECT n FROM app_counts") == 1);
    store.log().write([](AppendTransaction& transaction) { transaction.tables().execute("DROP TABLE app_notes"); });
  }

  TEST_CASE("tables: a refused statement leaves the transaction usable") {
    const TempDir directory;
    Store store(idle(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      CHECK(error_of([&] { transaction.tables().execute("DELETE FROM totals"); }) == ErrorCode::invalid);
      transaction.tables().execute(make_drafts);
    });
    CHECK(drafts(store) == 0);
  }
}
