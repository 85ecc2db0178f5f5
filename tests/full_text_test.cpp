// Tests of virtual tables among a projection's: full text, by itself, beside its content and filled by triggers, and
// R-trees; before and after rebuilds.
#include <doctest/doctest.h>

#include "rules.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

const std::vector<std::string> content_beside = {
    "CREATE TABLE {notes} (id INTEGER PRIMARY KEY, text TEXT)",
    "CREATE VIRTUAL TABLE {search} USING fts5(text, content='{notes}', content_rowid='id')"};

const std::vector<std::string> content_beside_4 = {
    "CREATE TABLE {notes} (id INTEGER PRIMARY KEY, text TEXT)",
    "CREATE VIRTUAL TABLE {search} USING fts4(content=\"{notes}\", text)"};

std::vector<std::string> with_triggers(std::vector<std::string> statements, bool is_beside) {
  statements.emplace_back(
      "CREATE TRIGGER {notes}_in AFTER INSERT ON {notes} BEGIN INSERT INTO {search} (rowid, text) VALUES (new.id, "
      "new.text); END");
  statements.emplace_back(
      is_beside
          ? "CREATE TRIGGER {notes}_up AFTER UPDATE ON {notes} BEGIN INSERT INTO {search} ({search}, rowid, text) "
            "VALUES ('delete', old.id, old.text); INSERT INTO {search} (rowid, text) VALUES (new.id, new.text); "
            "END"
          : "CREATE TRIGGER {notes}_up AFTER UPDATE ON {notes} BEGIN UPDATE {search} SET text = new.text WHERE "
            "rowid = new.id; END");
  return statements;
}

// The words of the note of a stream are its last event's.
void write_note(const RecordedEvent& event, Tables& tables) {
  const std::string text = "word" + event.data + " everywhere";
  tables.execute("INSERT INTO {notes} VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text",
                 {event.stream_number, std::string_view{text}});
}

void write_both(const RecordedEvent& event, Tables& tables) {
  const std::string text = "word" + event.data + " everywhere";
  for (const char* sql : {"INSERT INTO {notes} VALUES (?, ?)", "INSERT INTO {search} (rowid, text) VALUES (?, ?)"}) {
    tables.execute(sql, {event.position.value, std::string_view{text}});
  }
}

std::string found(Store& store, const std::string& words) {
  return texts(store, "SELECT rowid FROM {search} WHERE {search} MATCH ? ORDER BY rowid", {std::string_view{words}});
}

void check_sound(Store& store) {
  CHECK(store.dead_letters().empty());
  CHECK(store.verify().problems.empty());
  CHECK(number(store,
               "SELECT count(*) FROM sqlite_master WHERE type <> 'index' AND (instr(name, 'rebuilt') OR "
               "instr(sql, 'rebuilt') OR instr(sql, 'tried'))") == 0);
}

}  // namespace

TEST_SUITE("full_text") {
  TEST_CASE("full text: external content, written by the rules, before and after rebuilds") {
    for (const auto& statements : {content_beside, content_beside_4}) {
      const TempDir directory;
      Store store(with_rules(stepped(directory.file()), rules({"notes", "search"}, statements, write_both)));
      append(store, "a", 1);
      append(store, "b", 2);
      run_until_idle(store);
      for (int again = 0; again < 3; ++again) {
        CHECK(found(store, "word2") == "2");
        CHECK(texts(store, "SELECT text FROM {search} WHERE {search} MATCH 'everywhere'") ==
              "word1 everywhere,word2 everywhere");
        check_sound(store);
        CHECK(store.rebuild("rules"));
      }
      append(store, "c", 3);
      run_until_idle(store);
      CHECK(found(store, "everywhere") == "1,2,3");
      check_sound(store);
    }
  }

  TEST_CASE("full text: filled by triggers, with its own content and with content beside it") {
    for (const bool is_beside : {false, true}) {
      CAPTURE(is_beside);
      auto made = content_beside;
      if (!is_beside) made.back() = "CREATE VIRTUAL TABLE {search} USING fts5(text)";
      const auto statements = with_triggers(made, is_beside);
      const TempDir directory;
      const auto open = [&](int version) {
        return with_rules(stepped(directory.file()), rules({"notes", "search"}, statements, write_note, version));
      };
      {
        Store store(open(1));
        for (const int value : {1, 2, 3}) append(store, value == 2 ? "b" : "a", value);
        run_until_idle(store);
        CHECK(found(store, "word1").empty());
        CHECK(found(store, "word3") == "1");
        check_sound(store);
        CHECK(store.rebuild("rules"));
        CHECK(found(store, "everywhere") == "1,2");
        append(store, "b", 4, Projecting::synchronous);
        CHECK(found(store, "word2").empty());
        CHECK(found(store, "word4") == "2");
        check_sound(store);
      }
      Store store(open(2));  // Made again in the background.
      append(store, "c", 5);
      run_until_idle(store);
      CHECK(found(store, "everywhere") == "1,2,3");
      CHECK(found(store, "word5") == "3");
      check_sound(store);
    }
  }

  TEST_CASE("full text: verification finds an index that differs") {
    const TempDir directory;
    Store store(with_rules(stepped(directory.file()),
                           rules({"notes", "search"}, with_triggers(content_beside, true), write_note)));
    append(store, "a", 1);
    run_until_idle(store);
    check_sound(store);
    connect(directory.file()).execute("INSERT INTO search (rowid, text) VALUES (9, 'planted')");
    const auto problems = store.verify().problems;
    REQUIRE(problems.size() == 1);
    CHECK(holds(problems.front(), "the read table 'search' differs from a replay: its full-text index has 1 places"));
    CHECK(store.rebuild("rules"));
    check_sound(store);
  }

  TEST_CASE("trees: an R-tree is written, read and made again") {
    const TempDir directory;
    const auto insert = [](const RecordedEvent& event, Tables& tables) {
      tables.execute("INSERT INTO {tree} VALUES (?, 1, 2)", {event.position.value});
    };
    Store store(with_rules(stepped(directory.file()),
                           rules({"tree"}, {"CREATE VIRTUAL TABLE {tree} USING rtree(id, a, b)"}, insert)));
    append(store, "a", 1);
    run_until_idle(store);
    CHECK(texts(store, "SELECT id FROM {tree} WHERE a <= 1") == "1");
    CHECK(store.rebuild("rules"));
    append(store, "a", 2);
    run_until_idle(store);
    CHECK(texts(store, "SELECT id FROM {tree} ORDER BY id") == "1,2");
    check_sound(store);
    Reading reading = store.read({.projections = {"totals"}});
    for (const char* sql : {"DELETE FROM {tree}", "DELETE FROM tree_node", "INSERT INTO tree_rowid VALUES (1, 1)"}) {
      CAPTURE(sql);
      CHECK(error_of([&] { static_cast<void>(reading.query(sql)); }) == ErrorCode::invalid);
    }
  }
}
