// Tests of names in braces: what they are, and what is left as its author wrote it.
#include "sqlite/names.hpp"

#include <doctest/doctest.h>

#include "rules.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

std::string expanded(std::string_view sql) {
  return sqlite::expand_names(sql, "_2");
}

constexpr const char* untouched[] = {
    "SELECT '{orders}', '{', '}', 'it''s {orders}'",
    "SELECT \"{orders}\", `{orders}`, [{orders}] FROM t",
    "SELECT 1 -- {orders} { and }\n, 2 /* {orders} {}} */ FROM t",
    "CREATE TABLE t (body TEXT DEFAULT '{}')",
    "SELECT json_extract('{\"a\":{\"b\":1}}', '$.a')",
    "SELECT 'not ended {orders}",
    "SELECT 1 - 2 / 3, a->>'{}' FROM t",
    "CREATE VIRTUAL TABLE t USING fts5(text, tokenize='unicode61 tokenchars ''{}''')",
};

}  // namespace

TEST_SUITE("names") {
  TEST_CASE("braces: a name in them gets the suffix, wherever SQL has a name") {
    CHECK(expanded("SELECT * FROM {orders}") == "SELECT * FROM orders_2");
    CHECK(expanded("CREATE INDEX {orders}_by_day ON {orders} (day)") ==
          "CREATE INDEX orders_2_by_day ON orders_2 (day)");
    CHECK(expanded("SELECT '{a}' FROM {b} -- {c}\nJOIN {d}/*{e}*/") == "SELECT '{a}' FROM b_2 -- {c}\nJOIN d_2/*{e}*/");
    CHECK(expanded("{größe}") == "größe_2");
  }

  TEST_CASE("braces: literals, quoted names and comments stay as they are") {
    for (const char* sql : untouched) {
      CAPTURE(sql);
      CHECK(expanded(sql) == sql);
    }
  }

  TEST_CASE("braces: of a virtual table an argument in quotes that is nothing but a name in braces is one") {
    CHECK(
        expanded("CREATE VIRTUAL TABLE {s} USING fts5(text, content='{notes}', x=\"{notes}\", y='{notes} ', z='{}')") ==
        "CREATE VIRTUAL TABLE s_2 USING fts5(text, content='notes_2', x=\"notes_2\", y='{notes} ', z='{}')");
    CHECK(expanded("/* why */ create\n virtual -- so\n table {s} using fts5(content={notes})") ==
          "/* why */ create\n virtual -- so\n table s_2 using fts5(content=notes_2)");
    CHECK(expanded("CREATE TABLE virtual (x DEFAULT '{notes}')") == "CREATE TABLE virtual (x DEFAULT '{notes}')");
  }

  TEST_CASE("braces: any other one is refused with a sentence") {
    for (const char* sql : {"SELECT {} FROM t", "SELECT {a b}", "{", "}", "SELECT {orders", "orders}", "{{orders}}"}) {
      CAPTURE(sql);
      CHECK(error_of([&] { expanded(sql); }) == ErrorCode::invalid);
      CHECK(holds(message_of([&] { expanded(sql); }), "a brace stands around a name"));
    }
  }

  TEST_CASE("braces: rows and defaults keep theirs, before and after a rebuild") {
    const TempDir directory;
    const auto insert = [](const RecordedEvent&, Tables& tables) {
      tables.execute("INSERT INTO {docs} (note) VALUES ('{\"docs\":{docs}}')");
    };
    Store store(with_rules(
        stepped(directory.file()),
        rules({"docs"}, {"CREATE TABLE {docs} (note TEXT, body TEXT DEFAULT '{}') -- {not} this\n"}, insert)));
    append(store, "a", 1);
    run_until_idle(store);
    const auto check = [&](const char* rows) {
      CHECK(texts(store, "SELECT note || body FROM {docs}") == rows);
      CHECK(texts(store, "SELECT json_extract('{\"a\":{\"b\":7}}', '$.a.b') FROM {docs} LIMIT 1") == "7");
      CHECK(store.verify().problems.empty());
    };
    check("{\"docs\":{docs}}{}");
    CHECK(store.rebuild("rules"));
    append(store, "a", 1);
    run_until_idle(store);
    check("{\"docs\":{docs}}{},{\"docs\":{docs}}{}");
    CHECK(store.dead_letters().empty());
  }

  TEST_CASE("braces: an application's own tables keep theirs") {
    const TempDir directory;
    Store store(idle(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      transaction.tables().execute("CREATE TABLE app_set (v TEXT DEFAULT '{}')");
      transaction.tables().execute("INSERT INTO app_set VALUES ('{\"theme\":\"dark\"}'), ('{app_set}')");
      transaction.tables().execute("INSERT INTO {app_set} DEFAULT VALUES");
    });
    CHECK(texts(store, "SELECT v FROM app_set") == "{\"theme\":\"dark\"},{app_set},{}");
  }
}
