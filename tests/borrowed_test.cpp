// Tests that the engine owns what it keeps beyond a call: all that it is given here is gone, or overwritten, before it
// is used. An address sanitizer sees a use of what was freed; without one the overwritten texts give wrong answers.
#include <doctest/doctest.h>

#include <cstring>

#include "freshet/freshet.h"
#include "freshet/session.hpp"
#include "rules.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// A text on the heap, longer than any string keeps inside of itself; overwritten before it is freed.
class Passing {
 public:
  explicit Passing(std::string text) : text_(std::move(text)) { text_.reserve(64); }
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;
  ~Passing() { std::memset(text_.data(), '#', text_.size()); }

  [[nodiscard]] std::string_view view() const { return text_; }
  [[nodiscard]] const char* c_str() const { return text_.c_str(); }

 private:
  std::string text_;
};

const std::string wanted = "a text that no small string holds, wanted";

std::shared_ptr<const Projection> notes(Rules::Apply apply) {
  return rules({"notes"}, {"CREATE TABLE {notes} (text TEXT)"}, std::move(apply));
}

void insert_wanted(const RecordedEvent&, Tables& tables) {
  tables.execute("INSERT INTO {notes} VALUES (?), ('another')", {Passing(wanted).view()});
}

Rows ask(Reading& reading, std::string_view text) {
  return reading.query(Passing("SELECT text FROM {notes} WHERE text = ? OR text = ?").view(),
                       {Passing(std::string(text)).view(), std::string_view{}});
}

freshet_value text_value(const Passing& text) {
  return {.type = FRESHET_TEXT, .integer = 0, .real = 0, .text = text.c_str(), .text_size = text.view().size()};
}

}  // namespace

TEST_SUITE("borrowed") {
  TEST_CASE("query: a reading's values may be gone when its rows are asked for") {
    const TempDir directory;
    Store store(with_rules(stepped(directory.file()), notes(insert_wanted)));
    append(store, "a", 1);
    run_until_idle(store);
    Reading reading = store.read({.projections = {"rules"}});
    for (int again = 0; again < 2; ++again) {
      Rows rows = ask(reading, wanted);
      REQUIRE(rows.next());
      CHECK(rows.text(0) == wanted);
      CHECK_FALSE(rows.next());
    }
  }

  TEST_CASE("query: a projection's values, and those of an append's transaction, likewise") {
    const TempDir directory;
    const auto copy = [](const RecordedEvent& event, Tables& tables) {
      if (amount(event) == 1) return insert_wanted(event, tables);
      Rows rows = tables.query("INSERT INTO {notes} VALUES (?) RETURNING text", {Passing(wanted).view()});
      REQUIRE(rows.next());
      CHECK(rows.text(0) == wanted);
      CHECK_FALSE(rows.next());
    };
    Store store(with_rules(stepped(directory.file()), notes(copy)));
    append(store, "a", 1);
    append(store, "a", 2);
    run_until_idle(store);
    CHECK(number(store, "SELECT count(*) FROM notes WHERE text LIKE '%wanted'") == 2);
    store.log().write([&](AppendTransaction& transaction) {
      Rows rows = transaction.tables().query("SELECT text FROM notes WHERE text = ?", {Passing(wanted).view()});
      REQUIRE(rows.next());
      CHECK(rows.text(0) == wanted);
    });
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("requests: appends, sessions, reads, subscriptions and rebuilds keep nothing of theirs") {
    const TempDir directory;
    StoreOptions options = threaded(directory.file());
    options.projections.push_back(notes(insert_wanted));
    Store store(std::move(options));
    std::future<AppendResult> answer;
    {
      const std::vector<NewEvent> gone = {
          {.type = wanted, .data = "1", .content_type = wanted, .metadata = "{\"why\":\"" + wanted + "\"}"}};
      answer = store.log().append_async({.stream = {"account", wanted},
                                         .expected = ExpectedVersion::any(),
                                         .events = gone,
                                         .command_id = wanted,
                                         .identity = CommandIdentity("open").add(Passing(wanted).view()),
                                         .outcome = wanted});
    }
    CHECK(std::get<Appended>(answer.get()).outcome == wanted);
    const CommandIdentity identity = CommandIdentity("open").add(Passing(wanted).view());
    CHECK(store.log().find_command(Passing(wanted).view(), {"account", wanted}, identity).has_value());
    CHECK(store.log().read_stream({"account", wanted}, {}, 9).at(0).type == wanted);
    auto told = store.subscribe_to_events({.stream = StreamId{"account", std::string(Passing(wanted).view())}});
    const Session token(store);
    const Session session(store, Passing(token.token()).view());
    CHECK(store.drain());
    CHECK(store.rebuild(Passing("rules").view()));
    Reading reading = store.read({.projections = {std::string(Passing("rules").view())},
                                  .stream = StreamId{"account", std::string(Passing(wanted).view())}});
    CHECK(texts(reading, "SELECT text FROM {notes} WHERE text LIKE 'a text%'") == wanted);
  }

  TEST_CASE("C: names, tables, values and SQL may be gone after the call that they were given to") {
    const TempDir directory;
    const auto apply = [](void*, const freshet_event*, freshet_tables* tables, freshet_error* error) {
      const Passing sql("INSERT INTO {notes} VALUES (?)");
      const Passing text(wanted);
      const freshet_value value = text_value(text);
      return freshet_tables_execute(tables, sql.c_str(), &value, 1, error);
    };
    const auto create = [](void*, freshet_tables* tables, freshet_error* error) {
      return freshet_tables_execute(tables, Passing("CREATE TABLE {notes} (text TEXT)").c_str(), nullptr, 0, error);
    };
    freshet_options* options = freshet_options_new(Passing(directory.file().string()).c_str());
    {
      const Passing name("rules of the notes");
      const Passing table("notes");
      const char* const tables[] = {table.c_str()};
      const freshet_projection rules{.name = name.c_str(),
                                     .schema_version = 1,
                                     .tables = tables,
                                     .tables_count = 1,
                                     .context = nullptr,
                                     .create = create,
                                     .apply = apply};
      freshet_options_add_projection(options, &rules);
    }
    freshet_store* store = nullptr;
    REQUIRE(freshet_open(options, &store, nullptr) == FRESHET_OK);
    freshet_options_free(options);
    {
      const Passing type("Written");
      const Passing data("{}");
      const freshet_new_event one{.type = type.c_str(),
                                  .data = data.c_str(),
                                  .data_size = data.view().size(),
                                  .content_type = nullptr,
                                  .metadata = nullptr,
                                  .occurred_at = nullptr};
      REQUIRE(freshet_append(store, Passing("account").c_str(), Passing("a").c_str(), FRESHET_ANY, &one, 1, nullptr,
                             FRESHET_SYNCHRONOUS, nullptr, nullptr) == FRESHET_OK);
    }
    freshet_reading* reading = nullptr;
    {
      const Passing name("rules of the notes");
      const char* const names[] = {name.c_str()};
      const freshet_request request{.projections = names, .projections_count = 1};
      REQUIRE(freshet_read(store, &request, &reading, nullptr) == FRESHET_OK);
    }
    freshet_rows* rows = nullptr;
    {
      const Passing sql("SELECT text FROM {notes} WHERE text = ?");
      const Passing text(wanted);
      const freshet_value value = text_value(text);
      REQUIRE(freshet_query(reading, sql.c_str(), &value, 1, &rows, nullptr) == FRESHET_OK);
    }
    bool has_row = false;
    REQUIRE(freshet_rows_next(rows, &has_row, nullptr) == FRESHET_OK);
    REQUIRE(has_row);
    CHECK(freshet_rows_text(rows, 0, nullptr) == wanted);
    freshet_rows_free(rows);
    freshet_reading_free(reading);
    CHECK(freshet_close(store, nullptr) == FRESHET_OK);
  }
}
