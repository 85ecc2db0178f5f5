// Tests of opening a file: what is made, what is recognized, and what is left as it was.
#include "log/format.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "engine_fixture.hpp"
#include "log/schema.hpp"
#include "log/upgrade.hpp"
#include "sqlite/permission.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

void open(const std::filesystem::path& file, OpenMode mode) {
  StoreOptions options = stepped(file);
  options.mode = mode;
  const Store store(options);
}

ErrorCode opening(const std::filesystem::path& file, OpenMode mode = OpenMode::create) {
  return error_of([&] { open(file, mode); });
}

std::ptrdiff_t files_in(const TempDir& directory) {
  return std::distance(std::filesystem::directory_iterator(directory.path()), {});
}

// A file that must be refused in every mode, and be the only one there afterwards, as it was.
void check_left_alone(const TempDir& directory, ErrorCode code) {
  const std::string before = bytes_of(directory.file());
  for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    CHECK(opening(directory.file(), mode) == code);
    CHECK(bytes_of(directory.file()) == before);
    CHECK(files_in(directory) == 1);
  }
}

// One append by a process of its own, which ends with 0 if all went well.
pid_t append_in_process(const std::filesystem::path& file) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    Store store(stepped(file));
    append(store, "a", 1);
    store.close();
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

}  // namespace

TEST_SUITE("format") {
  TEST_CASE("open: makes a file that is missing, and finds it again") {
    const TempDir directory;
    {
      Store store(stepped(directory.file()));
      append(store, "a", 1);
    }
    CHECK(files_in(directory) == 1);
    StoreOptions options = stepped(directory.file());
    options.mode = OpenMode::existing;
    Store store(options);
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("open: as existing or for reading, a missing file is an error, and none is made") {
    const TempDir directory;
    CHECK(opening(directory.file(), OpenMode::existing) == ErrorCode::file_missing);
    CHECK(opening(directory.file(), OpenMode::read_only) == ErrorCode::file_missing);
    CHECK(files_in(directory) == 0);
  }

  TEST_CASE("open: a missing directory is an io error, and none is made") {
    const TempDir directory;
    CHECK(opening(directory.path() / "nowhere" / "store.db") == ErrorCode::io);
    CHECK(opening(directory.path() / "nowhere" / "store.db", OpenMode::existing) == ErrorCode::file_missing);
    CHECK(files_in(directory) == 0);
  }

  TEST_CASE("open: a directory is no database") {
    const TempDir directory;
    CHECK(opening(directory.path()) == ErrorCode::not_a_database);
    CHECK(files_in(directory) == 0);
  }

  TEST_CASE("open: an empty file becomes a store where one may be made, and is no database elsewhere") {
    const TempDir directory;
    write_file(directory.file(), "");
    CHECK(opening(directory.file(), OpenMode::existing) == ErrorCode::not_a_database);
    CHECK(opening(directory.file(), OpenMode::read_only) == ErrorCode::not_a_database);
    CHECK(bytes_of(directory.file()).empty());
    Store store(stepped(directory.file()));
    CHECK(append(store, "a", 1).first == Position{1});
  }

  TEST_CASE("open: a file that is not a database is left as it was") {
    const TempDir directory;
    write_file(directory.file(), std::string(5'000, 'x'));
    check_left_alone(directory, ErrorCode::not_a_database);
  }

  TEST_CASE("open: a short file that is not a database is left as it was") {
    const TempDir directory;
    write_file(directory.file(), "hello\n");
    check_left_alone(directory, ErrorCode::not_a_database);
  }

  TEST_CASE("open: somebody else's database is left as it was") {
    const TempDir directory;
    sqlite::Connection({.file = directory.file(), .access = sqlite::Access::create})
        .execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    check_left_alone(directory, ErrorCode::not_a_database);
  }

  TEST_CASE("open: an empty database that carries somebody else's mark is left as it was") {
    const TempDir directory;
    sqlite::Connection({.file = directory.file(), .access = sqlite::Access::create})
        .execute("PRAGMA application_id = 7; CREATE TABLE gone (x); DROP TABLE gone");
    check_left_alone(directory, ErrorCode::not_a_database);
  }

  TEST_CASE("open: a file of a newer format, of an older one, or of one that never was, is left as it was") {
    for (const char* version : {"5", "2", "1", "0", "-1"}) {
      const TempDir directory;
      Store(idle(directory.file())).close();
      connect(directory.file()).execute(std::string("PRAGMA user_version = ") + version);
      const std::string before = bytes_of(directory.file());
      for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
        CHECK(opening(directory.file(), mode) == ErrorCode::unsupported_format);
        CHECK(bytes_of(directory.file()) == before);
      }
    }
  }

  TEST_CASE("open: what carries a file over happens wholly or not at all") {
    const TempDir directory;
    std::filesystem::copy_file(FRESHET_FORMATS "/format-3.db", directory.file());
    const auto tables = [](sqlite::Connection& connection) {
      return connection.integer("SELECT count(*) FROM sqlite_master WHERE type = 'table'");
    };
    auto connection = connect(directory.file());
    const std::int64_t before = tables(connection);
    {
      const sqlite::Transaction killed(connection, sqlite::Transaction::Kind::write);
      log::upgrade(connection);
      CHECK(tables(connection) > before);
    }
    CHECK(connection.integer("PRAGMA user_version") == 3);
    CHECK(tables(connection) == before);
    CHECK_NOTHROW(open(directory.file(), OpenMode::read_only));
    CHECK(connection.integer("PRAGMA user_version") == 3);
    CHECK_NOTHROW(open(directory.file(), OpenMode::existing));
    CHECK(connection.integer("PRAGMA user_version") == log::format_version);
  }

  TEST_CASE("open: a file that was carried over has the schema of one that was made") {
    const TempDir directory;
    std::filesystem::copy_file(FRESHET_FORMATS "/format-3.db", directory.file());
    Store(idle(directory.file())).close();
    auto connection = connect(directory.file());
    for (const auto& [name, sql] : log::schema()) {
      sqlite::Run run(connection.statement("SELECT sql FROM sqlite_master WHERE name = ?"), name);
      REQUIRE(run.next());
      CHECK(run.text(0) == sql);
    }
    CHECK(connection.integer("SELECT count(*) FROM pragma_foreign_key_check") == 0);
  }

  TEST_CASE("open: a read table whose name is the engine's by now is told of, and the file is left as it was") {
    const TempDir directory;
    std::filesystem::copy_file(FRESHET_FORMATS "/format-3.db", directory.file());
    connect(directory.file()).execute("CREATE TABLE Epochs (x)");
    CHECK_NOTHROW(open(directory.file(), OpenMode::read_only));
    CHECK(opening(directory.file()) == ErrorCode::unsupported_format);
    CHECK(connect(directory.file()).integer("PRAGMA user_version") == 3);
  }

  TEST_CASE("schema: a projection may not name any of the engine's tables") {
    const TempDir directory;
    Store store(idle(directory.file()));
    std::set<std::string> known(sqlite::tables_of_engine.begin(), sqlite::tables_of_engine.end());
    CHECK(known.erase("state_snapshots") == 1);
    for (const auto& [name, sql] : log::schema()) {
      if (sql.starts_with("CREATE TABLE")) CHECK(known.erase(std::string(name)) == 1);
    }
    CHECK(known.empty());
  }

  TEST_CASE("lineage: a store that was restored knows the histories that it goes on from") {
    const TempDir directory;
    const TempDir copies;
    std::string first;
    {
      Store store(stepped(directory.file()));
      append(store, "a", 1);
      append(store, "a", 2);
      REQUIRE(store.backup(copies.file()).has_value());
      first = store.identity().epoch;
      append(store, "a", 3);
      auto connection = connect(directory.file());
      const auto lineage = log::lineage_of(connection);
      REQUIRE(lineage.size() == 1);
      CHECK(lineage[0].epoch == first);
      CHECK(lineage[0].begins_after == Position{0});
    }
    {
      // Nobody has written to the copy yet.
      StoreOptions looking = idle(copies.file());
      looking.mode = OpenMode::read_only;
      const std::string epoch = Store(looking).identity().epoch;
      auto connection = connect(copies.file());
      CHECK(log::lineage_of(connection).back().epoch == epoch);
    }
    for (int opening = 1; opening <= 2; ++opening) {
      Store store(stepped(copies.file()));
      auto connection = connect(copies.file());
      const auto lineage = log::lineage_of(connection);
      REQUIRE(lineage.size() == 3);
      CHECK(lineage.front().epoch == first);
      CHECK(lineage.back().epoch == store.identity().epoch);
      CHECK(lineage[1].begins_after == Position{2});
      CHECK(lineage[2].begins_after == Position{2});
      append(store, "a", 4);
    }
  }

  TEST_CASE("lineage: a file of an older format knows its own history alone, whatever tables it has") {
    const TempDir directory;
    std::filesystem::copy_file(FRESHET_FORMATS "/format-3.db", directory.file());
    connect(directory.file()).execute("CREATE TABLE epochs (x)");
    auto connection = connect(directory.file());
    const auto lineage = log::lineage_of(connection);
    REQUIRE(lineage.size() == 1);
    CHECK(lineage[0].epoch == log::identity_of(connection).epoch);
  }

  TEST_CASE("open: the file says what it is, and its events can be read by a person") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append(store, "a", 42);
    auto connection = connect(directory.file());
    CHECK(connection.integer("PRAGMA application_id") == log::application_id);
    CHECK(connection.integer("PRAGMA user_version") == log::format_version);
    CHECK(connection.integer("SELECT count(*) FROM events WHERE typeof(data) = 'text' AND data = '42'") == 1);
    CHECK(connection.integer("SELECT length(id) FROM store") == 32);
  }

  TEST_CASE("open: threads that make one file at once make one store") {
    const TempDir directory;
    std::atomic<int> ready = 0;
    std::atomic<int> opened = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < 4) std::this_thread::yield();
        Store store(threaded(directory.file()));
        append(store, "a", 1);
        ++opened;
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(opened == 4);
    Store store(stepped(directory.file()));
    run_until_idle(store);
    CHECK(total(store) == 4);
    CHECK(number(store, "SELECT count(*) FROM store") == 1);
    CHECK(number(store, "SELECT count(*) FROM projections") == 2);
  }

  TEST_CASE("open: processes that make one file at once make one store") {
    const TempDir directory;
    std::vector<pid_t> children;
    for (int process = 0; process < 3; ++process) children.push_back(append_in_process(directory.file()));
    for (const pid_t child : children) {
      int result = 0;
      waitpid(child, &result, 0);
      CHECK(result == 0);
    }
    Store store(stepped(directory.file()));
    run_until_idle(store);
    CHECK(total(store) == 3);
  }
}
