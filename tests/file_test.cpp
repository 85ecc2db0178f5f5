// Tests of the file under a store: its names, what may not be one, and what happens to it while it is open.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "as_nobody.hpp"
#include "base/file_name.hpp"
#include "base/pending_file.hpp"
#include "engine_fixture.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

namespace fs = std::filesystem;

StoreOptions for_reading(const fs::path& file) {
  StoreOptions options = idle(file);
  options.mode = OpenMode::read_only;
  return options;
}

ErrorCode opening(const fs::path& file, OpenMode mode) {
  StoreOptions options = idle(file);
  options.mode = mode;
  return error_of([&] { const Store store(options); });
}

// A closed store with one event of this amount.
void make_store(const fs::path& file, std::int64_t value) {
  Store store(stepped(file));
  append(store, "a", value);
  run_until_idle(store);
}

std::int64_t sum_of(const fs::path& file) {
  Store store(stepped(file));
  run_until_idle(store);
  return total(store);
}

// Another process, which has none of this one's connections, and waits until it is told to begin.
class Other {
 public:
  template <typename Body>
  explicit Other(const Body& body) {
    REQUIRE(pipe(begin_.data()) == 0);
    REQUIRE(pipe(end_.data()) == 0);
    child_ = fork();
    if (child_ != 0) return;
    close(begin_[1]);
    char told = 0;
    if (read(begin_[0], &told, 1) != 1) _exit(0);
    try {
      body();
      told = 1;
    } catch (const std::exception&) {
      told = 0;
    }
    static_cast<void>(write(end_[1], &told, 1));
    _exit(0);
  }
  ~Other() {
    close(begin_[1]);
    waitpid(child_, nullptr, 0);
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;

  // From whatever process. False: it has failed.
  [[nodiscard]] bool run() {
    if (std::exchange(told_, true)) return true;
    char succeeded = 0;
    return write(begin_[1], "!", 1) == 1 && read(end_[0], &succeeded, 1) == 1 && succeeded == 1;
  }

 private:
  std::array<int, 2> begin_{};
  std::array<int, 2> end_{};
  pid_t child_ = 0;
  bool told_ = false;
};

void append_and_close(const fs::path& file, std::int64_t value) {
  Store store(idle(file));
  append(store, "late", value);
  store.close();
}

// A store that another user may read and nobody else has open, so that it is read as it lies there. `work` gets it, in
// a process of that user, and a function to call in its midst, which lets the owner write. Gives what as_nobody() does.
template <typename Work>
int while_written(const Work& work) {
  const TempDir directory;
  {
    Store store(stepped(directory.file()));
    for (int value = 1; value <= 8; ++value) {
      const NewEvent event{.type = "Padded", .data = '"' + std::string(500'000, 'x') + '"'};
      static_cast<void>(store.log().append(
          {.stream = {"padding", std::to_string(value)}, .expected = ExpectedVersion::any(), .events = {&event, 1}}));
    }
  }
  fs::permissions(directory.path(), fs::perms{0755});
  fs::permissions(directory.file(), fs::perms{0644});
  Other owner([&] { append_and_close(directory.file(), 1); });
  return as_nobody([&] {
    if (getuid() == 0 || access(directory.file().c_str(), W_OK) == 0) return true;
    Store store(for_reading(directory.file()));
    return work(store, [&] { return owner.run(); });
  });
}

}  // namespace

TEST_SUITE("file") {
  TEST_CASE("name: a file has one, whatever it is called by and whether it is there or not") {
    const TempDir directory;
    const fs::path file = fs::canonical(directory.path()) / "store.db";
    fs::create_directory(directory.path() / "in");
    fs::create_symlink("../store.db", directory.path() / "in" / "link");
    fs::create_symlink("in", directory.path() / "folder");
    for (const bool there : {false, true}) {
      if (there) make_store(file, 1);
      for (const char* called : {"store.db", "in/link", "folder/link", "in/../store.db", "folder/../store.db"}) {
        CAPTURE(called);
        CHECK(resolved(directory.path() / called) == file);
      }
    }
    fs::create_symlink("around", directory.path() / "around");
    CHECK(error_of([&] { static_cast<void>(resolved(directory.path() / "around")); }) == ErrorCode::io);
  }

  TEST_CASE("open: by a link that leads to nothing yet, the store is made where it leads") {
    const TempDir directory;
    fs::create_symlink("store.db", directory.path() / "link");
    make_store(directory.path() / "link", 7);
    CHECK(fs::is_regular_file(fs::symlink_status(directory.file())));
    CHECK(sum_of(directory.file()) == 7);
  }

  TEST_CASE("open: by two names one projects") {
    const TempDir directory;
    fs::create_symlink("store.db", directory.path() / "link");
    Store one(stepped(directory.file()));
    Store two(stepped(directory.path() / "link"));
    run_until_idle(one);
    run_until_idle(two);
    CHECK(one.is_projecting());
    CHECK_FALSE(two.is_projecting());
  }

  TEST_CASE("open: by a link, who may only read sees what the write-ahead log holds") {
    const TempDir directory;
    fs::create_directory(directory.path() / "in");
    fs::create_symlink("../store.db", directory.path() / "in" / "link");
    Store writing(idle(directory.file()));
    append(writing, "a", 1);
    for (const char* name : {"", "in"}) fs::permissions(directory.path() / name, fs::perms{0755});
    for (const char* name : {"", "-wal", "-shm"}) fs::permissions(directory.file().string() + name, fs::perms{0644});
    CHECK(as_nobody([&] {
            const Store store(for_reading(directory.path() / "in" / "link"));
            return const_cast<Store&>(store).log().head() == Position{1};
          }) == 0);
  }

  TEST_CASE("open: a file with a second name is refused in every mode, and is a store again without it") {
    const TempDir directory;
    make_store(directory.file(), 7);
    fs::create_hard_link(directory.file(), directory.path() / "second");
    for (const char* name : {"store.db", "second"}) {
      for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
        CHECK(opening(directory.path() / name, mode) == ErrorCode::io);
      }
    }
    fs::remove(directory.path() / "second");
    CHECK(sum_of(directory.file()) == 7);
  }

  TEST_CASE("open: what is no regular file is refused at once") {
    const TempDir directory;
    REQUIRE(mkfifo(directory.file().c_str(), 0600) == 0);
    for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
      CHECK(opening(directory.file(), mode) == ErrorCode::not_a_database);
      CHECK(opening("/dev/null", mode) == ErrorCode::not_a_database);
    }
  }

  TEST_CASE("open: a name too long for SQLite, or for what is beside the file, leaves no file behind") {
    const TempDir directory;
    CHECK(opening(directory.path() / std::string(248, 'a'), OpenMode::create) == ErrorCode::io);
    CHECK(opening(directory.path() / std::string(256, 'a'), OpenMode::create) == ErrorCode::io);
    CHECK(fs::is_empty(directory.path()));
    const fs::path deep = directory.path() / std::string(240, 'd') /
                          std::string(504 - 2 - 240 - directory.path().native().size() - 10, 'd');
    fs::create_directories(deep);
    const auto of_size = [&](std::size_t bytes) { return deep / std::string(bytes - deep.native().size() - 1, 'f'); };
    CHECK(opening(of_size(505), OpenMode::create) == ErrorCode::io);
    CHECK(fs::is_empty(deep));
    make_store(of_size(504), 7);
    CHECK(sum_of(of_size(504)) == 7);
  }

  TEST_CASE("open: what may not be looked at is not called missing") {
    const TempDir directory;
    make_store(directory.file(), 7);
    fs::permissions(directory.path(), fs::perms::none);
    CHECK(as_nobody([&] { return opening(directory.file(), OpenMode::read_only) == ErrorCode::io; }) == 0);
    fs::permissions(directory.path(), fs::perms::owner_all);
  }

  TEST_CASE("write: nothing is acknowledged once the file was replaced, and what took its place stays as it is") {
    for (const bool is_idle : {false, true}) {
      const TempDir directory;
      make_store(directory.file(), 7);
      make_store(directory.path() / "other", 70);
      Other other([&] { append_and_close(directory.file(), 1); });
      {
        Store store(stepped(directory.file()));
        append(store, "a", 1);
        run_until_idle(store);
        fs::rename(directory.path() / "other", directory.file());
        if (is_idle) {
          store.step();  // Who is idle looks as well, and what others do from then on is theirs.
          CHECK(other.run());
        }
        CHECK(error_of([&] { append(store, "a", 2); }) == ErrorCode::closed);
        CHECK(error_of([&] { append(store, "a", 2); }) == ErrorCode::closed);
        CHECK(error_of([&] { static_cast<void>(total(store)); }) == ErrorCode::closed);
      }
      CHECK(sum_of(directory.file()) == (is_idle ? 71 : 70));
      CHECK(Store(idle(directory.file())).verify().problems.empty());
    }
  }

  TEST_CASE("write: what was committed before the file was moved is in it") {
    const TempDir directory;
    const TempDir other;
    {
      Store store(stepped(directory.file()));
      append(store, "a", 1);
      fs::rename(directory.file(), other.file());
      CHECK(error_of([&] { append(store, "a", 2); }) == ErrorCode::closed);
    }
    CHECK(sum_of(other.file()) == 1);
  }

  TEST_CASE("read: a file that was removed or replaced is not called fresh, nor is it projected on") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    run_until_idle(store);
    Store reading(for_reading(directory.file()));
    CHECK(total(reading) == 1);
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(directory.file().string() + suffix);
    CHECK(error_of([&] { static_cast<void>(total(store)); }) == ErrorCode::closed);
    CHECK(error_of([&] { static_cast<void>(total(reading)); }) == ErrorCode::closed);
    store.step();
    CHECK_FALSE(store.is_projecting());
  }

  TEST_CASE(
      "write: nothing is acknowledged once the write-ahead log was removed, nor is the lost one folded in later") {
    const TempDir directory;
    make_store(directory.file(), 7);
    Other other([&] { append_and_close(directory.file(), 5); });
    {
      Store store(idle(directory.file()));
      append(store, "a", 1);
      for (const char* suffix : {"-wal", "-shm"}) fs::remove(directory.file().string() + suffix);
      CHECK(error_of([&] { append(store, "a", 2); }) == ErrorCode::closed);
      CHECK(other.run());
    }
    CHECK(sum_of(directory.file()) == 12);
    CHECK(Store(idle(directory.file())).verify().problems.empty());
  }

  TEST_CASE("read: as it lies there, a backup of a file that is written to meanwhile is busy, and leaves no copy") {
    const TempDir copies;
    fs::permissions(copies.path(), fs::perms::all);
    CHECK(while_written([&](Store& store, const auto& meanwhile) {
            const ErrorCode code = error_of([&] {
              static_cast<void>(store.backup(copies.file(), ExistingFile::refuse,
                                             [&](std::int64_t, std::int64_t) { return meanwhile(); }));
            });
            return code == ErrorCode::busy;
          }) == 0);
    CHECK(fs::is_empty(copies.path()));
  }

  TEST_CASE("read: as it lies there, an export of a file that is written to meanwhile is busy") {
    CHECK(while_written([&](Store& store, const auto& meanwhile) {
            const ErrorCode code =
                error_of([&] { store.log().export_events([&](const ExportedEvent&) { return meanwhile(); }); });
            return code == ErrorCode::busy;
          }) == 0);
  }

  TEST_CASE(
      "read: as it lies there, the verification of a file that is written to meanwhile is busy, and finds nothing") {
    CHECK(while_written([&](Store& store, const auto& meanwhile) {
            const ErrorCode code = error_of(
                [&] { static_cast<void>(store.verify([&](std::int64_t, std::int64_t) { return meanwhile(); })); });
            return code == ErrorCode::busy;
          }) == 0);
  }

  TEST_CASE("read: as it lies there, rows of a file that is written to meanwhile are busy, and the next read is not") {
    CHECK(while_written([&](Store& store, const auto& meanwhile) {
            const ErrorCode code = error_of([&] {
              Reading reading = store.read({.projections = {"totals"}});
              if (!meanwhile()) return;
              static_cast<void>(number(reading, "SELECT count(*) FROM totals"));
            });
            return code == ErrorCode::busy && store.log().head() == Position{9};
          }) == 0);
  }

  TEST_CASE("pending file: its target stays the same when the working directory changes") {
    const TempDir directory;
    const TempDir elsewhere;
    const fs::path before = fs::current_path();
    fs::current_path(directory.path());
    {
      PendingFile pending("target", ExistingFile::refuse);
      fs::current_path(elsewhere.path());
      pending.commit();
    }
    fs::current_path(before);
    CHECK(fs::exists(directory.path() / "target"));
    CHECK(fs::is_empty(elsewhere.path()));
  }
}
