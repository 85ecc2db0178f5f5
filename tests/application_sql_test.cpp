// Tests of the application's SQL in the engine's transactions: what it may not do, and what SQLite undoes by itself.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <functional>

#include "engine_fixture.hpp"
#include "freshet/freshet.h"
#include "last_words.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// Does what a test says with each event; one row an event beside it, with a key that a second one breaks.
class Scripted final : public Projection {
 public:
  using Script = std::function<void(const RecordedEvent&, Tables&)>;
  explicit Scripted(Script script) : script_(std::move(script)) {}

  [[nodiscard]] std::string_view name() const override { return "scripted"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"scripted"}; }
  void create(Tables& tables) const override {
    tables.execute("CREATE TABLE {scripted} (position INTEGER PRIMARY KEY, amount INTEGER NOT NULL)");
    tables.execute("CREATE INDEX {scripted}_by_amount ON {scripted} (amount)");
  }
  void apply(const RecordedEvent& event, Tables& tables) const override { script_(event, tables); }

 private:
  Script script_;
};

void insert(const RecordedEvent& event, Tables& tables) {
  tables.execute("INSERT INTO {scripted} VALUES (?, ?)", {event.position.value, amount(event)});
}

StoreOptions scripted(const std::filesystem::path& file, Scripted::Script script) {
  StoreOptions options = stepped(file);
  options.projections.push_back(std::make_shared<Scripted>(std::move(script)));
  return options;
}

std::int64_t rows(Store& store) {
  return number(store, "SELECT count(*) FROM scripted");
}

std::string reason(Store& store) {
  const auto letters = store.dead_letters();
  REQUIRE(letters.size() == 1);
  return letters.front().reason;
}

// Ends the transaction behind the engine's back on events of 13, keeps that to itself, and goes on writing.
void undo_on_13(const RecordedEvent& event, Tables& tables) {
  insert(event, tables);
  if (amount(event) != 13) return;
  try {
    tables.execute("INSERT OR ROLLBACK INTO {scripted} VALUES (?, 0)", {event.position.value});
  } catch (const Error&) {
  }
  try {
    tables.execute("INSERT INTO {scripted} VALUES (?, 0)", {event.position.value + 1'000});
  } catch (const Error&) {
  }
}

// From then on SQLite reports damage whenever the projection's table is written to. The store is closed.
void damage_table(const std::filesystem::path& file) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  const char* sql =
      "PRAGMA writable_schema = ON;"
      "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'scripted_by_amount') "
      "WHERE name = 'scripted'";
  CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

}  // namespace

TEST_SUITE("application_sql") {
  TEST_CASE("apply: a statement that undoes the transaction is a failure of its event, and nothing is half done") {
    const TempDir directory;
    Store store(scripted(directory.file(), undo_on_13));
    append(store, "a", 1);
    append(store, "b", 13);
    append(store, "c", 2);
    run_until_idle(store);
    CHECK(holds(reason(store), "UNIQUE constraint failed"));
    CHECK(rows(store) == 2);
    CHECK(total(store) == 16);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("append: a synchronous one whose transaction a projection undoes records nothing") {
    const TempDir directory;
    Store store(scripted(directory.file(), undo_on_13));
    append(store, "a", 1, Projecting::synchronous);
    CHECK(error_of([&] { append(store, "b", 13, Projecting::synchronous); }) == ErrorCode::projection_failed);
    CHECK(store.log().head() == Position{1});
    append(store, "c", 2, Projecting::synchronous);
    CHECK(store.log().head() == Position{2});
    CHECK(rows(store) == 2);
    CHECK(total(store) == 3);
  }

  TEST_CASE("append: of a group only the append whose projection undoes the transaction fails") {
    const TempDir directory;
    StoreOptions options = scripted(directory.file(), undo_on_13);
    options.engine = Engine::off;
    options.clock = nullptr;
    Store store(std::move(options));
    std::vector<std::future<AppendResult>> answers;
    const auto request = [&](const std::string& id, const NewEvent& one) {
      return Append{.stream = stream(id),
                    .expected = ExpectedVersion::any(),
                    .events = {&one, 1},
                    .projecting = Projecting::synchronous};
    };
    const NewEvent good = event(1);
    const NewEvent bad = event(13);
    // What is asked for in the body's time is one group.
    store.log().write([&](AppendTransaction&) {
      std::thread([&] {
        for (int each = 0; each < 6; ++each) {
          answers.push_back(store.log().append_async(request(std::to_string(each), each == 3 ? bad : good)));
        }
      }).join();
    });
    int failed = 0;
    for (auto& answer : answers) {
      try {
        static_cast<void>(answer.get());
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::projection_failed);
        ++failed;
      }
    }
    CHECK(failed == 1);
    CHECK(store.log().head() == Position{5});
    CHECK(rows(store) == 5);
    CHECK(total(store) == 5);
  }

  TEST_CASE("rebuild: a statement that undoes the transaction is a failure of its event") {
    const TempDir directory;
    bool broken = false;
    Store store(scripted(directory.file(), [&](const RecordedEvent& event, Tables& tables) {
      broken ? undo_on_13(event, tables) : insert(event, tables);
    }));
    for (const int value : {1, 13, 2}) append(store, std::to_string(value), value);
    run_until_idle(store);
    broken = true;
    CHECK(store.rebuild("scripted"));
    CHECK(rows(store) == 2);
    CHECK(holds(reason(store), "UNIQUE constraint failed"));
  }

  TEST_CASE("retry: a letter that undoes the transaction stays, and those before it are applied") {
    const TempDir directory;
    enum class Mood { refuses, undoes, applies } mood = Mood::refuses;
    Store store(scripted(directory.file(), [&](const RecordedEvent& event, Tables& tables) {
      if (mood == Mood::refuses) throw std::runtime_error("not now");
      mood == Mood::undoes ? undo_on_13(event, tables) : insert(event, tables);
    }));
    for (const int value : {1, 2, 13, 4}) append(store, "a", value);
    run_until_idle(store);
    REQUIRE(store.dead_letters().size() == 4);
    mood = Mood::undoes;
    CHECK(store.retry_dead_letters() == 2);
    CHECK(rows(store) == 2);
    REQUIRE(store.dead_letters().size() == 2);
    CHECK(holds(store.dead_letters().front().reason, "UNIQUE constraint failed"));
    mood = Mood::applies;
    CHECK(store.retry_dead_letters() == 2);
    CHECK(rows(store) == 4);
  }

  TEST_CASE("write: after a statement has undone the transaction, nothing of it is recorded") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const auto body = [](AppendTransaction& transaction) {
      Tables& tables = transaction.tables();
      const NewEvent one = event(1);
      const Append request{.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}};
      static_cast<void>(transaction.append(request));
      tables.execute("CREATE TABLE app_keys (key INTEGER PRIMARY KEY)");
      tables.execute("INSERT INTO app_keys VALUES (1)");
      CHECK(error_of([&] { tables.execute("INSERT OR ROLLBACK INTO app_keys VALUES (1)"); }) == ErrorCode::invalid);
      CHECK(error_of([&] { tables.execute("CREATE TABLE app_late (x)"); }) == ErrorCode::invalid);
      CHECK(error_of([&] { static_cast<void>(transaction.append(request)); }) == ErrorCode::invalid);
    };
    CHECK(holds(message_of([&] { store.log().write(body); }), "UNIQUE constraint failed"));
    CHECK(store.log().head() == Position{0});
    CHECK(number(store, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'app\\_%' ESCAPE '\\'") == 0);
    append(store, "a", 1);
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("apply: what SQLite reports of the file is no failure of the event, whatever the projection makes of it") {
    for (const bool throws : {false, true}) {
      CAPTURE(throws);
      const TempDir directory;
      {
        const Store store(scripted(directory.file(), insert));
      }
      damage_table(directory.file());
      Store store(scripted(directory.file(), [&](const RecordedEvent& event, Tables& tables) {
        try {
          insert(event, tables);
        } catch (const Error&) {
          if (throws) throw std::runtime_error("no row");
        }
      }));
      append(store, "a", 1);
      run_until_idle(store);
      CHECK(store.dead_letters().empty());
      CHECK(status(store, "totals").position == Position{0});
      CHECK_FALSE(store.drain());
      CHECK(error_of([&] { append(store, "a", 2, Projecting::synchronous); }) == ErrorCode::corrupt);
      CHECK(error_of([&] { append(store, "a", 3); }) == ErrorCode::closed);
    }
  }

  TEST_CASE("apply: the same through the C interface, whose callbacks know codes alone") {
    const TempDir directory;
    const char* const tables[] = {"scripted"};
    const freshet_projection rules{
        .name = "scripted",
        .schema_version = 1,
        .tables = tables,
        .tables_count = 1,
        .context = nullptr,
        .create =
            [](void*, freshet_tables* made, freshet_error* error) {
              const freshet_code code = freshet_tables_execute(
                  made, "CREATE TABLE {scripted} (position INTEGER PRIMARY KEY, amount INTEGER)", nullptr, 0, error);
              if (code != FRESHET_OK) return code;
              return freshet_tables_execute(made, "CREATE INDEX {scripted}_by_amount ON {scripted} (amount)", nullptr,
                                            0, error);
            },
        .apply =
            [](void*, const freshet_event*, freshet_tables* written, freshet_error*) {
              const freshet_code code =
                  freshet_tables_execute(written, "INSERT INTO {scripted} VALUES (1, 1)", nullptr, 0, nullptr);
              return code == FRESHET_OK ? FRESHET_OK : FRESHET_FAILURE;
            }};
    freshet_options* options = freshet_options_new(directory.file().c_str());
    freshet_options_set_projecting(options, false);
    freshet_options_add_projection(options, &rules);
    const freshet_new_event one{.type = "Deposited",
                                .data = "1",
                                .data_size = 1,
                                .content_type = nullptr,
                                .metadata = nullptr,
                                .occurred_at = nullptr};
    const auto append_one = [&] {
      freshet_store* store = nullptr;
      freshet_error error{};
      REQUIRE(freshet_open(options, &store, &error) == FRESHET_OK);
      const freshet_code code =
          freshet_append(store, "account", "a", FRESHET_ANY, &one, 1, nullptr, FRESHET_SYNCHRONOUS, nullptr, &error);
      CHECK(freshet_close(store, nullptr) == FRESHET_OK);
      return code;
    };
    CHECK(append_one() == FRESHET_OK);
    // The row is there already: the event's own failure.
    CHECK(append_one() == FRESHET_PROJECTION_FAILED);
    damage_table(directory.file());
    CHECK(append_one() == FRESHET_CORRUPT);
    freshet_options_free(options);
  }

  TEST_CASE("create: a callback in C that gives a code and no reason is named by its code") {
    const TempDir directory;
    const freshet_projection rules{
        .name = "scripted",
        .schema_version = 1,
        .tables = nullptr,
        .tables_count = 0,
        .context = nullptr,
        .create = [](void*, freshet_tables*, freshet_error*) { return FRESHET_READ_ONLY; },
        .apply = [](void*, const freshet_event*, freshet_tables*, freshet_error*) { return FRESHET_OK; }};
    freshet_options* options = freshet_options_new(directory.file().c_str());
    freshet_options_add_projection(options, &rules);
    freshet_store* store = nullptr;
    freshet_error error{};
    CHECK(freshet_open(options, &store, &error) == FRESHET_READ_ONLY);
    CHECK(std::string_view{error.message} == "the callback failed (read_only) and did not say why");
    freshet_options_free(options);
  }

  TEST_CASE("apply: the transaction, the connection and the log are the engine's") {
    const TempDir directory;
    std::string sql;
    Store store(scripted(directory.file(), [&](const RecordedEvent& event, Tables& tables) {
      insert(event, tables);
      tables.execute(sql);
    }));
    for (const char* refused :
         {"COMMIT", "ROLLBACK", "BEGIN", "END", "SAVEPOINT x", "RELEASE x", "ATTACH 'other' AS other", "DETACH other",
          "PRAGMA foreign_keys = OFF", "PRAGMA journal_mode", "VACUUM", "CREATE TEMP TABLE t (x)",
          "INSERT INTO streams (category, id) VALUES ('a', 'b')", "UPDATE projections SET position = 0",
          "DROP TRIGGER events_are_not_deleted", "DROP TABLE events"}) {
      CAPTURE(refused);
      sql = refused;
      CHECK(error_of([&] { append(store, "a", 1, Projecting::synchronous); }) == ErrorCode::projection_failed);
      CHECK(store.log().head() == Position{0});
    }
    CHECK(rows(store) == 0);
    sql = "COMMIT";
    CHECK(holds(message_of([&] { append(store, "a", 1, Projecting::synchronous); }),
                "the transaction is the engine's to begin and to end"));
    sql = "SELECT 1";
    append(store, "a", 1, Projecting::synchronous);
    CHECK(rows(store) == 1);
  }

  TEST_CASE("apply: full-text tables work") {
    for (const char* module : {"fts5", "fts4"}) {
      CAPTURE(module);
      const TempDir directory;
      class Search final : public Projection {
       public:
        explicit Search(std::string module) : module_(std::move(module)) {}
        [[nodiscard]] std::string_view name() const override { return "search"; }
        [[nodiscard]] int schema_version() const override { return 1; }
        [[nodiscard]] std::vector<std::string> tables() const override { return {"search"}; }
        void create(Tables& tables) const override {
          tables.execute("CREATE VIRTUAL TABLE {search} USING " + module_ + " (words)");
        }
        void apply(const RecordedEvent& event, Tables& tables) const override {
          tables.execute("INSERT INTO {search} VALUES (?)", {std::string_view{event.data}});
        }

       private:
        std::string module_;
      };
      StoreOptions options = stepped(directory.file());
      options.projections.push_back(std::make_shared<Search>(module));
      Store store(std::move(options));
      append(store, "a", 12);
      run_until_idle(store);
      CHECK(store.rebuild("search"));
      append(store, "a", 12);
      run_until_idle(store);
      CHECK(store.dead_letters().empty());
      CHECK(number(store, "SELECT count(*) FROM search WHERE search MATCH '12'") == 2);
    }
  }

  TEST_CASE("open: projections keep their names and tables apart, and the engine's") {
    class Named final : public Projection {
     public:
      Named(std::string name, std::string table) : name_(std::move(name)), table_(std::move(table)) {}
      [[nodiscard]] std::string_view name() const override { return name_; }
      [[nodiscard]] int schema_version() const override { return 1; }
      [[nodiscard]] std::vector<std::string> tables() const override { return {table_}; }
      void create(Tables& tables) const override {
        tables.execute("CREATE TABLE IF NOT EXISTS {" + table_ + "} (x INTEGER)");
      }
      void apply(const RecordedEvent&, Tables&) const override {}

     private:
      std::string name_;
      std::string table_;
    };
    const auto opening = [](const std::string& name, const std::string& table) {
      return last_words([&] {
        const TempDir directory;
        StoreOptions options = idle(directory.file());
        options.projections.push_back(std::make_shared<Named>(name, table));
        const Store store(std::move(options));
      });
    };
    CHECK(opening("named", "named").empty());
    CHECK(holds(opening("totals", "named"), "no two projections have one name"));
    CHECK(holds(opening("named", "totals"), "no two projections share a table"));
    CHECK(holds(opening("named", "TOTALS"), "no two projections share a table"));
    CHECK(holds(opening("named", "App_named"), "not named as the application's own"));
    CHECK(holds(opening("named", "Events"), "not named as the engine's"));
  }

  TEST_CASE("query: a reading reads its own moment and nothing else") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    run_until_idle(store);
    Reading reading = store.read({.projections = {"totals"}});
    for (const char* refused : {"COMMIT", "ROLLBACK", "BEGIN", "ATTACH 'other' AS other", "PRAGMA query_only = OFF",
                                "DELETE FROM totals", "REPLACE INTO events SELECT * FROM events",
                                "CREATE TEMP TABLE t (x)", "CREATE TABLE app_t (x)", "SELECT 1; SELECT 2"}) {
      CAPTURE(refused);
      CHECK(error_of([&] { static_cast<void>(reading.query(refused)); }) == ErrorCode::invalid);
    }
    append(store, "a", 2);
    run_until_idle(store);
    CHECK(number(reading, "SELECT sum FROM totals") == 1);
  }

  TEST_CASE("statements: a text is one of them, no more and no less") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      Tables& tables = transaction.tables();
      tables.execute("CREATE TABLE app_t (x); -- a comment\n /* and another */ ;");
      using namespace std::string_view_literals;
      for (const std::string_view sql :
           {"INSERT INTO app_t VALUES (1); INSERT INTO app_t VALUES (2)"sv, "INSERT INTO app_t VALUES (1); nonsense"sv,
            "INSERT INTO app_t VALUES (1)\0; DROP TABLE app_t"sv, ""sv, " -- nothing"sv, ";"sv}) {
        CAPTURE(sql);
        CHECK(error_of([&] { tables.execute(sql); }) == ErrorCode::invalid);
      }
      CHECK(holds(message_of([&] { tables.execute("SELECT 1; SELECT 2"); }), "one statement"));
    });
    CHECK(number(store, "SELECT count(*) FROM app_t") == 0);
  }
}
