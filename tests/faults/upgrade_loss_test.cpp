// Tests of a file that is carried over to the newest format on a disk that fails: whatever is left is one format or the
// other, whole.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"
#include "faults/choice.hpp"
#include "faults/disk.hpp"
#include "format_3.hpp"
#include "log/event_rows.hpp"
#include "log/format.hpp"

using namespace freshet;
using namespace freshet::faults;
using namespace freshet::tests;

namespace {

struct Seen {
  int before = 0;  // Left in format 3.
  int after = 0;
  int full = 0;  // Told that the disk is full.
};

class Upgrades {
 public:
  // How many changes, or calls, an undisturbed one makes.
  [[nodiscard]] std::int64_t changes() const {
    Disk disk;
    make();
    disk.arm({});
    carry_over();
    return disk.changes();
  }
  [[nodiscard]] std::int64_t writes() const {
    Disk disk;
    make();
    disk.arm({.only = Call::write});
    carry_over();
    return disk.calls();
  }

  void cut(std::int64_t change, std::uint64_t seed, Seen& seen) const {
    INFO("repeat it with: FRESHET_SEED=" << seed << " FRESHET_CALL=" << change << " fault_tests");
    Disk disk;
    make();
    disk.arm({.cut_at = change});
    try {
      carry_over();
    } catch (const Error&) {
      REQUIRE(disk.has_lost_power());
    }
    disk.reboot(seed * 1'000'003 + static_cast<std::uint64_t>(change));
    check(seen);
  }

  void fill(std::int64_t write, Seen& seen) const {
    INFO("repeat it with: FRESHET_CALL=" << write << " fault_tests");
    Disk disk;
    make();
    disk.arm({.fail_at = write, .fail_until = for_ever, .failure = faults::Failure::full, .only = Call::write});
    try {
      carry_over();
    } catch (const Error& error) {
      const std::string what = name(error.code()) + std::string(": ") + error.what();
      INFO("the error: " << what);
      REQUIRE((error.code() == ErrorCode::disk_full || error.code() == ErrorCode::io));
      seen.full += error.code() == ErrorCode::disk_full ? 1 : 0;
    }
    disk.arm({});
    check(seen);
  }

 private:
  static constexpr std::int64_t events_made = 90;

  void make() const {
    {
      Store store(idle(directory_.file()));
      for (std::int64_t number = 1; number <= events_made; ++number) {
        append(store, std::string(1, static_cast<char>('a' + number % 7)), number);
      }
    }
    turn_into_3(directory_.file());
  }

  void carry_over() const {
    StoreOptions options = idle(directory_.file());
    options.upgrade = Upgrade::no_copy;
    Store(options).close();
  }

  // As it was left, and once more when it is carried over at last.
  void check(Seen& seen) const {
    {
      auto connection = connect(directory_.file());
      const std::int64_t format = connection.integer("PRAGMA user_version");
      REQUIRE((format == 3 || format == log::format_version));
      ++(format == 3 ? seen.before : seen.after);
      const sqlite::Transaction snapshot(connection, sqlite::Transaction::Kind::read);
      REQUIRE(log::read_all(connection, Position{}, all_events).size() == events_made);
    }
    carry_over();
    Store store(idle(directory_.file()));
    REQUIRE(store.verify().problems.empty());
    REQUIRE(store.log().read_all(Position{}, all_events).back().data == std::to_string(events_made));
  }

  TempDir directory_;
};

}  // namespace

TEST_SUITE("upgrade_loss") {
  TEST_CASE("power_loss: after a cut at any change a file that is carried over is one format or the other") {
    const Upgrades upgrades;
    Seen seen;
    for (const std::uint64_t seed : seeds(2, 20)) {
      for (const std::int64_t change : sample(upgrades.changes(), 50, seed)) upgrades.cut(change, seed, seen);
    }
    CHECK(seen.before > 0);
    CHECK(seen.after > 0);
  }

  TEST_CASE("disk_full: a file that there is no room to carry over stays as it is, and one error says so") {
    const Upgrades upgrades;
    Seen seen;
    for (const std::int64_t write : sample(upgrades.writes(), 50, 1)) upgrades.fill(write, seen);
    CHECK(seen.before > 0);
    CHECK(seen.full > 0);
  }
}
