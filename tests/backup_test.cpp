// Tests of backups: complete, in one file, while others write; and nothing left behind where one fails.
#include "log/backup.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "engine_fixture.hpp"
#include "freshet/session.hpp"
#include "log/format.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

std::size_t files_in(const TempDir& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory.path()), {}));
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// While it is open, nothing is folded into the file.
std::unique_ptr<sqlite::Connection> holding_the_log(const std::filesystem::path& file) {
  auto held = std::make_unique<sqlite::Connection>(sqlite::ConnectionOptions{.file = file});
  static_cast<void>(held->integer("SELECT count(*) FROM store"));
  return held;
}

std::string text(const std::filesystem::path& file, const char* sql) {
  auto connection = connect(file);
  sqlite::Run run(connection.statement(sql));
  REQUIRE(run.next());
  return std::string(run.text(0));
}

}  // namespace

TEST_SUITE("backup") {
  TEST_CASE("backup: the copy is one file with all that was committed, and verification is clean") {
    const TempDir directory;
    const TempDir copies;
    Store store(stepped(directory.file()));
    for (int value = 1; value <= 10; ++value) append(store, std::to_string(value % 3), value);
    run_until_idle(store);
    const auto backup = store.backup(copies.file());
    REQUIRE(backup.has_value());
    CHECK(backup->head == Position{10});
    CHECK(backup->bytes == static_cast<std::int64_t>(std::filesystem::file_size(copies.file())));
    CHECK(files_in(copies) == 1);
    Store copy(stepped(copies.file()));
    CHECK(copy.log().head() == Position{10});
    CHECK(total(copy) == 55);
    CHECK(copy.verify().problems.empty());
    append(copy, "a", 1);
  }

  TEST_CASE("backup: the copy has the store's id and an epoch of its own") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const auto first = directory.path() / "first";
    const auto second = directory.path() / "second";
    REQUIRE(store.backup(first).has_value());
    REQUIRE(store.backup(second).has_value());
    CHECK(text(first, "SELECT id FROM store") == text(directory.file(), "SELECT id FROM store"));
    CHECK(text(first, "SELECT epoch FROM store") != text(directory.file(), "SELECT epoch FROM store"));
    CHECK(text(first, "SELECT epoch FROM store") != text(second, "SELECT epoch FROM store"));
  }

  TEST_CASE("backup: one that is put back twice is two histories, and the original's tokens are refused by both") {
    const TempDir directory;
    const TempDir copies;
    const auto restore = [&] {
      std::filesystem::copy_file(copies.file(), directory.file(), std::filesystem::copy_options::overwrite_existing);
    };
    // The tokens of one history, which the ones before are refused in.
    std::vector<std::string> tokens;
    const auto live = [&] {
      Store store(stepped(directory.file()));
      for (const std::string& token : tokens) {
        CHECK(error_of([&] { const Session refused(store, token); }) == ErrorCode::foreign_session);
      }
      Session session(store);
      static_cast<void>(append(store, "a", 1));
      session.note(store.log().head());
      tokens.push_back(session.token());
      return store.identity().epoch;
    };
    {
      Store store(stepped(directory.file()));
      append(store, "a", 1);
      REQUIRE(store.backup(copies.file()).has_value());
      // To look at the copy changes nothing.
      StoreOptions looking = idle(copies.file());
      looking.mode = OpenMode::read_only;
      CHECK(Store(looking).verify().problems.empty());
    }
    live();
    restore();
    const std::string first = live();
    {
      // Opened again it is the same history.
      Store store(stepped(directory.file()));
      CHECK(store.identity().epoch == first);
      const Session same(store, tokens.back());
    }
    restore();
    CHECK(live() != first);
    CHECK(tokens.size() == 3);
  }

  TEST_CASE("open: beside the write-ahead log of the store in whose place it was put, a backup is left as it is") {
    // Mostly a log has nothing of the page that says whose the file is.
    for (const bool has_identity : {false, true}) {
      const TempDir directory;
      const TempDir restored;
      const TempDir copies;
      Store(stepped(directory.file())).close();
      {
        Store store(stepped(directory.file()));
        if (has_identity) connect(directory.file()).execute("UPDATE store SET created_at = 0");
        append(store, "a", 1);
        REQUIRE(store.backup(copies.file()).has_value());
        append(store, "a", 2);
        copy_files(directory, restored);
      }
      std::filesystem::copy_file(copies.file(), restored.file(), std::filesystem::copy_options::overwrite_existing);
      REQUIRE(std::filesystem::file_size(restored.file().string() + "-wal") > 0);
      for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
        StoreOptions options = stepped(restored.file());
        options.mode = mode;
        const std::string message = message_of([&] { const Store store(options); });
        CHECK(holds(message, "store.db-wal' is not of"));
        CHECK(holds(message, "remove"));
        CHECK(error_of([&] { const Store store(options); }) == ErrorCode::corrupt);
        CHECK(bytes_of(restored.file()) == bytes_of(copies.file()));
      }
      for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(restored.file().string() + suffix);
      Store store(stepped(restored.file()));
      CHECK(store.log().head() == Position{1});
      CHECK(append(store, "a", 3).first == Position{2});
    }
  }

  TEST_CASE("open: the write-ahead log of another store is not read over a file") {
    const TempDir directory;
    const TempDir other;
    {
      Store store(stepped(other.file()));
      connect(other.file()).execute("UPDATE store SET created_at = 0");
      std::filesystem::copy_file(other.file().string() + "-wal", directory.file().string() + "-wal");
    }
    {
      const TempDir made;
      Store(stepped(made.file())).close();
      std::filesystem::copy_file(made.file(), directory.file());
    }
    CHECK(error_of([&] { const Store store(stepped(directory.file())); }) == ErrorCode::corrupt);
  }

  TEST_CASE("open: after a crash right behind the first opening of a backup, it is the store that it began to be") {
    const TempDir copies;
    const TempDir crashed;
    {
      const TempDir directory;
      Store store(stepped(directory.file()));
      append(store, "a", 1);
      REQUIRE(store.backup(copies.file()).has_value());
    }
    std::string epoch;
    {
      const auto held = holding_the_log(copies.file());
      Store store(stepped(copies.file()));
      epoch = store.identity().epoch;
      copy_files(copies, crashed);
    }
    REQUIRE(std::filesystem::file_size(crashed.file().string() + "-wal") > 0);
    Store store(stepped(crashed.file()));
    CHECK(store.identity().epoch == epoch);
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("open: after a crash right behind the upgrade of a file, or of a backup of one, it goes on") {
    for (const bool is_backup : {false, true}) {
      const TempDir directory;
      const TempDir crashed;
      std::filesystem::copy_file(FRESHET_FORMATS "/format-3.db", directory.file());
      if (is_backup) {
        auto connection = connect(directory.file());
        log::mark_as_backup(connection);
      }
      {
        const auto held = holding_the_log(directory.file());
        Store store(stepped(directory.file()));
        copy_files(directory, crashed);
      }
      REQUIRE(std::filesystem::file_size(crashed.file().string() + "-wal") > 0);
      CHECK(Store(stepped(crashed.file())).log().head() == Position{123});
    }
  }

  TEST_CASE("backup: a file that is there is left as it is, unless it is to be replaced") {
    const TempDir directory;
    const TempDir copies;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    std::ofstream(copies.file()) << "precious";
    CHECK(holds(message_of([&] { static_cast<void>(store.backup(copies.file())); }), "there is such a file already"));
    CHECK(std::filesystem::file_size(copies.file()) == 8);
    CHECK(store.backup(copies.file(), ExistingFile::replace).has_value());
    CHECK(files_in(copies) == 1);
    CHECK(Store(stepped(copies.file())).log().head() == Position{1});
  }

  TEST_CASE("backup: a database that is open is not replaced, the store's own file included") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    CHECK(error_of([&] { static_cast<void>(store.backup(directory.file(), ExistingFile::replace)); }) == ErrorCode::io);
    append(store, "a", 1);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("backup: stopped by its caller it leaves nothing behind") {
    const TempDir directory;
    const TempDir copies;
    Store store(stepped(directory.file()));
    append_many(store, "a", 60'000);
    int told = 0;
    CHECK_FALSE(store
                    .backup(copies.file(), ExistingFile::refuse,
                            [&](std::int64_t done, std::int64_t total) {
                              ++told;
                              CHECK(done < total);
                              return false;
                            })
                    .has_value());
    CHECK(told == 1);
    CHECK(files_in(copies) == 0);
  }

  TEST_CASE("backup: what one that died has left beside its place is gone after the next") {
    const TempDir directory;
    const TempDir copies;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    for (const char* left : {".unfinished", ".unfinished-wal", ".unfinished-shm", ".unfinished-lease"}) {
      std::ofstream(copies.file().string() + left) << "half of it";
    }
    REQUIRE(store.backup(copies.file()).has_value());
    CHECK(files_in(copies) == 1);
    CHECK(Store(stepped(copies.file())).log().head() == Position{1});
  }

  TEST_CASE("backup: of two to one place at the same time the second is refused, and the first undisturbed") {
    const TempDir directory;
    const TempDir copies;
    Store store(stepped(directory.file()));
    append_many(store, "a", 60'000);
    int refused = 0;
    const auto backup = store.backup(copies.file(), ExistingFile::refuse, [&](std::int64_t, std::int64_t) {
      refused += error_of([&] { static_cast<void>(store.backup(copies.file())); }) == ErrorCode::busy;
      return true;
    });
    REQUIRE(backup.has_value());
    CHECK(refused > 0);
    CHECK(files_in(copies) == 1);
    CHECK(Store(stepped(copies.file())).verify().problems.empty());
  }

  TEST_CASE("backup: what is appended meanwhile is in the store and not in the copy") {
    const TempDir directory;
    const TempDir copies;
    Store store(stepped(directory.file()));
    append_many(store, "a", 60'000);
    std::int64_t before = store.log().head().value;
    const auto backup = store.backup(copies.file(), ExistingFile::refuse, [&](std::int64_t, std::int64_t) {
      append(store, "b", 1);
      return true;
    });
    REQUIRE(backup.has_value());
    CHECK(backup->head.value == before);
    CHECK(store.log().head().value > before);
    Store copy(stepped(copies.file()));
    CHECK(copy.log().head().value == before);
    CHECK(copy.verify().problems.empty());
  }

  TEST_CASE("backup: a directory that is not there is an error that names the file") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK(holds(message_of([&] { static_cast<void>(store.backup(directory.path() / "no" / "copy.db")); }), "copy.db"));
  }
}
