// Tests of reading a store that cannot be written, by whatever is in the way: the mode, the file or its directory.
#include <doctest/doctest.h>

#include "as_nobody.hpp"
#include "engine_fixture.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

namespace fs = std::filesystem;

constexpr auto everybody_reads = fs::perms::owner_read | fs::perms::owner_exec | fs::perms::group_read |
                                 fs::perms::group_exec | fs::perms::others_read | fs::perms::others_exec;

StoreOptions for_reading(const fs::path& file) {
  StoreOptions options = threaded(file);
  options.mode = OpenMode::read_only;
  return options;
}

void write_seven(const fs::path& file) {
  Store store(stepped(file));
  append(store, "a", 7);
  run_until_idle(store);
}

// A store in a directory that nobody may write to, for as long as it lives.
class Sealed {
 public:
  Sealed() { write_seven(directory_.file()); }
  ~Sealed() { fs::permissions(directory_.path(), fs::perms::owner_all); }
  Sealed(const Sealed&) = delete;
  Sealed& operator=(const Sealed&) = delete;

  void seal() {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      fs::permissions(entry.path(), everybody_reads & ~(fs::perms::owner_exec));
    }
    fs::permissions(directory_.path(), everybody_reads);
  }
  [[nodiscard]] fs::path file() const { return directory_.file(); }

 private:
  TempDir directory_;
};

bool shows_seven(Store& store) {
  return total(store) == 7 && store.log().head() == Position{1} && store.verify().problems.empty();
}

}  // namespace

TEST_SUITE("read_only") {
  TEST_CASE("read: everything but writing works, and a second opening still finds a store") {
    const TempDir directory;
    write_seven(directory.file());
    {
      Store store(for_reading(directory.file()));
      CHECK(shows_seven(store));
      CHECK(store.projections().size() == 2);
      CHECK_FALSE(store.is_projecting());
      CHECK(store.drain());
      CHECK(error_of([&] { append(store, "a", 1); }) == ErrorCode::read_only);
      CHECK(error_of([&] { store.log().write([](AppendTransaction&) {}); }) == ErrorCode::read_only);
      CHECK(error_of([&] { store.rebuild("totals"); }) == ErrorCode::read_only);
    }
    Store store(stepped(directory.file()));
    CHECK(append(store, "a", 1).first == Position{2});
  }

  TEST_CASE("close: reading leaves no files of SQLite's behind") {
    const TempDir directory;
    write_seven(directory.file());
    CHECK(shows_seven(*std::make_unique<Store>(for_reading(directory.file()))));
    CHECK_FALSE(fs::exists(directory.file().string() + "-wal"));
    CHECK_FALSE(fs::exists(directory.file().string() + "-shm"));
  }

  TEST_CASE("read: sees what others write meanwhile, and waits for it") {
    const TempDir directory;
    write_seven(directory.file());
    Store reading(for_reading(directory.file()));
    Store writing(threaded(directory.file()));
    const Appended appended = append(writing, "a", 3);
    ReadRequest request{.projections = {"totals"},
                        .consistency = AtLeastPosition{appended.last},
                        .timeout = std::chrono::minutes{1},
                        .on_timeout = OnTimeout::error};
    Reading found = reading.read(request);
    CHECK(number(found, "SELECT sum FROM totals") == 10);
  }

  TEST_CASE("open: a store in a directory that cannot be written can be read, though nobody has it open") {
    Sealed sealed;
    sealed.seal();
    CHECK(as_nobody([&] {
            Store store(for_reading(sealed.file()));
            return shows_seven(store);
          }) == 0);
  }

  TEST_CASE("open: a name with signs that mean something in a URI is a name") {
    const TempDir directory;
    const fs::path odd = directory.path() / "a?b#c%41 ä";
    fs::create_directory(odd);
    write_seven(odd / "s.db");
    fs::permissions(odd / "s.db", everybody_reads);
    fs::permissions(odd, everybody_reads);
    fs::permissions(directory.path(), everybody_reads);
    CHECK(as_nobody([&] {
            Store store(for_reading(odd / "s.db"));
            return shows_seven(store);
          }) == 0);
    fs::permissions(directory.path(), fs::perms::owner_all);
    fs::permissions(odd, fs::perms::owner_all);
  }

  TEST_CASE("open: a store that somebody else has open can be read where it cannot be written, and is seen to change") {
    Sealed sealed;
    Store writing(idle(sealed.file()));
    append(writing, "b", 3);
    sealed.seal();
    CHECK(as_nobody([&] {
            Store store(for_reading(sealed.file()));
            return store.log().head() == Position{2};
          }) == 0);
  }

  TEST_CASE("open: what a crash left beside the file is not passed over where it cannot be read") {
    const TempDir from;
    Sealed sealed;
    Store writing(idle(sealed.file()));
    append(writing, "b", 3);
    // The write-ahead log alone: the index beside it died with its process.
    fs::copy_file(sealed.file(), from.file());
    fs::copy_file(sealed.file().string() + "-wal", from.file().string() + "-wal");
    for (const auto& entry : fs::directory_iterator(from.path())) fs::permissions(entry.path(), everybody_reads);
    fs::permissions(from.path(), everybody_reads);
    CHECK(as_nobody([&] {
            const ErrorCode code = error_of([&] { Store store(for_reading(from.file())); });
            return code == ErrorCode::io || code == ErrorCode::read_only;
          }) == 0);
    fs::permissions(from.path(), fs::perms::owner_all);
  }

  TEST_CASE("open: for writing, a file or a directory that cannot be written is read_only") {
    Sealed sealed;
    sealed.seal();
    CHECK(as_nobody([&] {
            const ErrorCode code = error_of([&] { Store store(stepped(sealed.file())); });
            if (code != ErrorCode::read_only) std::fprintf(stderr, "it is %s\n", name(code));
            return code == ErrorCode::read_only;
          }) == 0);
  }
}
