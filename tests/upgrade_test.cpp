// Tests of carrying a file of an older format over: what becomes of its events, and of the copy of before.
#include "log/upgrade.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <fstream>
#include <iterator>

#include "engine_fixture.hpp"
#include "format_3.hpp"
#include "log/format.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path copy_of(const fs::path& file) {
  return file.string() + ".format-3";
}

std::int64_t format_of(const fs::path& file) {
  return connect(file).integer("PRAGMA user_version");
}

void put_fixture(const fs::path& file) {
  fs::copy_file(FRESHET_FORMATS "/format-3.db", file);
}

StoreOptions with(StoreOptions options, Upgrade upgrade) {
  options.upgrade = upgrade;
  return options;
}

StoreOptions for_reading(const fs::path& file) {
  StoreOptions options = idle(file);
  options.mode = OpenMode::read_only;
  return options;
}

void carry_over(const fs::path& file, Upgrade upgrade = Upgrade::copy) {
  Store(with(idle(file), upgrade)).close();
}

// Three events of format 3: two in one append, and one more.
void make_3(const fs::path& file, const char* metadata = "") {
  {
    Store store(idle(file));
    const std::vector<NewEvent> two(2, NewEvent{.type = "Deposited", .data = "1", .metadata = metadata});
    static_cast<void>(store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = two}));
    append(store, "b", 3);
  }
  turn_into_3(file);
}

std::vector<std::string> problems_of(const fs::path& file) {
  return Store(for_reading(file)).verify().problems;
}

std::string text_of(const std::optional<Correlation>& correlation) {
  return correlation ? correlation->correlation_id + " " + correlation->causation_id : "none";
}

}  // namespace

TEST_SUITE("upgrade") {
  TEST_CASE("upgrade: before it, a whole copy is made that the release before opens") {
    const TempDir directory;
    put_fixture(directory.file());
    const auto before = Store(for_reading(directory.file())).log().read_all(Position{}, all_events).size();
    carry_over(directory.file());
    CHECK(format_of(directory.file()) == log::format_version);
    const fs::path copy = copy_of(directory.file());
    REQUIRE(fs::exists(copy));
    CHECK(fs::status(copy).permissions() == fs::status(directory.file()).permissions());
    CHECK(format_of(copy) == 3);
    CHECK(problems_of(copy).empty());
    {
      Store store(for_reading(copy));
      CHECK(store.log().read_all(Position{}, all_events).size() == before);
      CHECK(log::is_marked_as_backup(store.identity()));
    }
    CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);
  }

  TEST_CASE("upgrade: who must not be given a copy, or not carry a file over, says so") {
    const TempDir directory;
    put_fixture(directory.file());
    const std::string before = bytes_of(directory.file());
    const auto refused = [&] { carry_over(directory.file(), Upgrade::never); };
    CHECK(error_of(refused) == ErrorCode::unsupported_format);
    CHECK(holds(message_of(refused), "--upgrade copy"));
    CHECK(bytes_of(directory.file()) == before);
    CHECK_NOTHROW(Store(with(for_reading(directory.file()), Upgrade::never)));
    carry_over(directory.file(), Upgrade::no_copy);
    CHECK(format_of(directory.file()) == log::format_version);
    CHECK_FALSE(fs::exists(copy_of(directory.file())));
    CHECK_NOTHROW(carry_over(directory.file(), Upgrade::never));
  }

  TEST_CASE("upgrade: a copy that is there already is not replaced, and says what to do") {
    const TempDir directory;
    put_fixture(directory.file());
    std::ofstream(copy_of(directory.file())) << "precious";
    const std::string before = bytes_of(directory.file());
    const auto refused = [&] { carry_over(directory.file()); };
    CHECK(error_of(refused) == ErrorCode::io);
    CHECK(holds(message_of(refused), "move that away"));
    CHECK(bytes_of(copy_of(directory.file())) == "precious");
    CHECK(bytes_of(directory.file()) == before);
    CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);
    carry_over(directory.file(), Upgrade::no_copy);
    CHECK(bytes_of(copy_of(directory.file())) == "precious");
  }

  TEST_CASE("upgrade: a copy that one who was killed has left is taken for what it is") {
    const TempDir directory;
    put_fixture(directory.file());
    const std::string before = bytes_of(directory.file());
    carry_over(directory.file());
    const std::string copy = bytes_of(copy_of(directory.file()));
    fs::remove(directory.file());
    put_fixture(directory.file());
    std::ofstream(copy_of(directory.file()).string() + ".unfinished") << "half a copy";
    REQUIRE(bytes_of(directory.file()) == before);
    carry_over(directory.file());
    CHECK(format_of(directory.file()) == log::format_version);
    CHECK(bytes_of(copy_of(directory.file())) == copy);
    CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);
  }

  TEST_CASE("upgrade: the copy of what has changed since is another one") {
    const TempDir directory;
    put_fixture(directory.file());
    carry_over(directory.file());
    fs::remove(directory.file());
    put_fixture(directory.file());
    connect(directory.file()).execute("UPDATE projections SET revision = revision + 1");
    CHECK(error_of([&] { carry_over(directory.file()); }) == ErrorCode::io);
    CHECK(format_of(directory.file()) == 3);
  }

  TEST_CASE("upgrade: the copy lies beside the file, and not beside a link to it") {
    const TempDir directory;
    const TempDir links;
    put_fixture(directory.file());
    fs::create_symlink(directory.file(), links.file());
    carry_over(links.file());
    CHECK(fs::exists(copy_of(directory.file())));
    CHECK_FALSE(fs::exists(copy_of(links.file())));
  }

  TEST_CASE("upgrade: its caller is told of it, and of the copy") {
    const TempDir directory;
    put_fixture(directory.file());
    std::vector<std::string> told;
    StoreOptions options = idle(directory.file());
    options.on_notice = [&](const Notice& notice) { told.push_back(notice.message); };
    Store(options).close();
    REQUIRE(told.size() == 1);
    CHECK(holds(told.front(), "from format 3 to 4"));
    CHECK(holds(told.front(), copy_of(directory.file()).string()));
  }

  TEST_CASE("upgrade: events say the same before and after, and those who read meanwhile go on") {
    const TempDir directory;
    make_3(directory.file(), R"({"correlation_id":"click","causation_id":"order/1@2","by":"ada"})");
    Store reader(for_reading(directory.file()));
    const auto before = reader.log().read_all(Position{}, all_events);
    REQUIRE(before.size() == 3);
    CHECK(text_of(before[0].correlation) == "click order/1@2");
    CHECK(text_of(before[2].correlation) == "none");
    carry_over(directory.file());
    Store after(for_reading(directory.file()));
    for (Store* store : {&reader, &after}) {
      const auto now = store->log().read_all(Position{}, all_events);
      REQUIRE(now.size() == before.size());
      for (std::size_t index = 0; index < now.size(); ++index) {
        CHECK(log::checksum(now[index]) == log::checksum(before[index]));
        CHECK(now[index].append_end == now[index].position);
      }
      CHECK(store->log().read_stream(stream("a"), Version{}, all_events).size() == 2);
      CHECK(store->verify().problems.empty());
    }
  }

  TEST_CASE("upgrade: an event has the ids that its metadata name, and none that they do not") {
    const std::string too_long(correlation_id_bytes_max + 1, 'x');
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"({"correlation_id":"a","causation_id":"b"})", "a b"},
        {R"({ "n" : {"correlation_id":"inner"} , "causation_id":"\u0062\/", "correlation_id":"\u00e4" })", "ä b/"},
        {R"({"correlation_id":"a"})", "none"},
        {R"({"correlation_id":1,"causation_id":"b"})", "none"},
        {R"({"correlation_id":"","causation_id":"b"})", "none"},
        {R"({"correlation_id":"a","causation_id":")" + too_long + R"("})", "none"},
        {R"({"correlation_id":"a","causation_id":"\ud83d"})", "none"},
        {R"({"correlation_id":"a","causation_id":"unfinished)", "none"},
        {R"([{"correlation_id":"a","causation_id":"b"}])", "none"},
        {R"({"n":{"correlation_id":"a","causation_id":"b"}})", "none"},
        {"null", "none"},
        {"no JSON", "none"}};
    for (const auto& [metadata, ids] : cases) {
      INFO(metadata);
      const TempDir directory;
      make_3(directory.file(), metadata.c_str());
      CHECK(text_of(Store(for_reading(directory.file())).log().read_all(Position{}, 1).front().correlation) == ids);
      carry_over(directory.file());
      const auto read = Store(for_reading(directory.file())).log().read_all(Position{}, 1);
      CHECK(text_of(read.front().correlation) == ids);
      CHECK(read.front().metadata == metadata);
      CHECK(problems_of(directory.file()).empty());
    }
  }

  TEST_CASE("upgrade: a damaged event stays one, and is found as before") {
    for (const char* damage :
         {"UPDATE events SET data = '7' WHERE position = 2", "UPDATE events SET checksum = 0 WHERE position = 2",
          "UPDATE events SET metadata = '{}' WHERE position = 2", "UPDATE events SET version = 7 WHERE position = 2",
          "UPDATE events SET stream = 9 WHERE position = 3", "DELETE FROM events WHERE position = 2",
          "UPDATE streams SET id = 'c' WHERE id = 'b'", "DELETE FROM streams WHERE id = 'b'"}) {
      INFO(damage);
      const TempDir directory;
      make_3(directory.file());
      {
        auto connection = connect(directory.file());
        drop_triggers(connection);
        connection.execute(damage);
      }
      const auto before = problems_of(directory.file());
      REQUIRE_FALSE(before.empty());
      carry_over(directory.file());
      CHECK(format_of(directory.file()) == log::format_version);
      CHECK(problems_of(directory.file()) == before);
    }
  }

  TEST_CASE("upgrade: rows that are no events are corrupt, and the file and its directory are left as they were") {
    const TempDir directory;
    make_3(directory.file());
    {
      auto connection = connect(directory.file());
      drop_triggers(connection);
      connection.execute(
          "DROP INDEX events_of_stream; UPDATE events SET version = 1;"
          "CREATE INDEX events_of_stream ON events (stream, version)");
      sqlite3_db_config(connection.handle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
      connection.execute(
          "PRAGMA writable_schema = ON;"
          "UPDATE sqlite_master SET sql = replace(sql, 'CREATE INDEX', 'CREATE UNIQUE INDEX')");
    }
    const std::string before = bytes_of(directory.file());
    const auto refused = [&] { carry_over(directory.file()); };
    CHECK(error_of(refused) == ErrorCode::corrupt);
    CHECK(holds(message_of(refused), "it is as it was"));
    CHECK(bytes_of(directory.file()) == before);
    CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 1);
  }

  TEST_CASE("upgrade: nobody changes events afterwards either, and an application's views stay") {
    const TempDir directory;
    make_3(directory.file());
    connect(directory.file()).execute("CREATE VIEW app_types AS SELECT type FROM events");
    carry_over(directory.file());
    auto connection = connect(directory.file());
    CHECK(connection.integer("SELECT count(*) FROM app_types") == 3);
    for (const char* change : {"UPDATE events SET data = '9'", "DELETE FROM events", "UPDATE streams SET id = 'c'"}) {
      CHECK(holds(message_of([&] { connection.execute(change); }), "append-only"));
    }
  }

  TEST_CASE("upgrade: of threads that open a file at once one carries it over, and all write") {
    const TempDir directory;
    make_3(directory.file());
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        Store store(idle(directory.file()));
        append(store, "c", 1);
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(Store(idle(directory.file())).log().head() == Position{7});
    CHECK(problems_of(directory.file()).empty());
    CHECK(problems_of(copy_of(directory.file())).empty());
    CHECK(Store(for_reading(copy_of(directory.file()))).log().head() == Position{3});
  }

  TEST_CASE("open: a role that this release does not know is a newer one's, and a replica is not written to") {
    const TempDir directory;
    Store(idle(directory.file())).close();
    connect(directory.file()).execute("UPDATE store SET role = 'replica', origin = 'kafka://a/b', origin_position = 0");
    CHECK_NOTHROW(Store(for_reading(directory.file())));
    CHECK(error_of([&] { Store(idle(directory.file())); }) == ErrorCode::unsupported_format);
    connect(directory.file()).execute("UPDATE store SET role = 'other'");
    CHECK(error_of([&] { Store(for_reading(directory.file())); }) == ErrorCode::unsupported_format);
    CHECK(error_of([&] { Store(idle(directory.file())); }) == ErrorCode::unsupported_format);
  }
}
