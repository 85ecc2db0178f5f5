// Tests of power cuts: at each change that the engine makes to the disk the power goes, and what the disk
// may have left is opened again.
#include <doctest/doctest.h>

#include <set>

#include "faults/choice.hpp"
#include "faults/disk.hpp"
#include "faults/workload.hpp"

using namespace freshet;
using namespace freshet::faults;
using freshet::tests::TempDir;

namespace {

struct Seen {
  int cuts = 0;
  int openings = 0;              // Cuts before anything was acknowledged.
  int lost = 0;                  // Cuts after which something acknowledged was missing.
  int unacknowledged_kept = 0;   // Cuts after which the command in progress was there.
  std::set<std::size_t> states;  // How many commands were left.
};

class PowerLoss {
 public:
  PowerLoss(std::vector<Step> steps, Durability durability, bool ignores_sync = false)
      : steps_(std::move(steps)), durability_(durability), ignores_sync_(ignores_sync) {
    Disk disk;
    expected_ = expect(directory_.file(), steps_);
  }

  // How many changes a run makes from the first to the last.
  [[nodiscard]] std::int64_t changes() const {
    Disk disk;
    Run run(directory_.file(), durability_);
    disk.arm({});
    run(steps_);
    run.close();
    return disk.changes();
  }

  void cut(std::int64_t change, std::uint64_t seed, Seen& seen) const {
    INFO("repeat it with: FRESHET_SEED=" << seed << " FRESHET_CALL=" << change << " fault_tests");
    Disk disk;
    const Progressed progressed = cut(disk, change, seed);
    const std::size_t least = durability_ == Durability::power_loss ? progressed.acknowledged : 0;
    const std::size_t left = check_what_is_left(directory_.file(), expected_, {least, progressed.asked});
    ++seen.cuts;
    seen.openings += progressed.acknowledged == 0;
    seen.lost += left < progressed.acknowledged;
    seen.unacknowledged_kept += left > progressed.acknowledged;
    seen.states.insert(left);
  }

  // The promise is found broken after a cut, in one way or another.
  [[nodiscard]] bool breaks(std::int64_t change, std::uint64_t seed) const {
    Disk disk;
    const Progressed progressed = cut(disk, change, seed);
    try {
      Store store(options_for(directory_.file(), durability_));
      return !store.verify().problems.empty() || known_commands(store, expected_) < progressed.acknowledged;
    } catch (const Error&) {
      return true;
    }
  }

 private:
  Progressed cut(Disk& disk, std::int64_t change, std::uint64_t seed) const {
    Run run(directory_.file(), durability_);
    disk.arm({.cut_at = change, .ignores_sync = ignores_sync_});
    try {
      run(steps_);
    } catch (const Error& error) {
      REQUIRE(disk.has_lost_power());
      REQUIRE((error.code() == ErrorCode::io || error.code() == ErrorCode::closed));
    }
    run.close();
    disk.reboot(seed * 1'000'003 + static_cast<std::uint64_t>(change));
    return run.progressed();
  }

  std::vector<Step> steps_;
  Durability durability_;
  bool ignores_sync_;
  TempDir directory_;
  Expected expected_;
};

// Whether the disk keeps a command in progress is luck: about one cut in a hundred. `kept`: goes on with other seeds
// until one was kept, at most 15.
Seen cut_everywhere(const PowerLoss& power_loss, std::int64_t count, std::int64_t few, std::int64_t many,
                    bool kept = false) {
  constexpr std::uint64_t more_seeds = 15;
  Seen seen;
  const std::int64_t changes = power_loss.changes();
  const auto cut_with = [&](std::uint64_t seed) {
    for (const std::int64_t change : sample(changes, count, seed)) power_loss.cut(change, seed, seen);
  };
  const auto chosen = seeds(few, many);
  for (const std::uint64_t seed : chosen) cut_with(seed);
  for (std::uint64_t more = 1; kept && seen.unacknowledged_kept == 0 && more <= more_seeds; ++more) {
    cut_with(chosen.back() + more);
  }
  MESSAGE(changes << " changes, " << seen.cuts << " cuts, " << seen.openings << " while opening, " << seen.lost
                  << " lost something acknowledged, " << seen.unacknowledged_kept << " kept what was in progress");
  return seen;
}

}  // namespace

TEST_SUITE("power_loss") {
  TEST_CASE("power_loss: after a cut at any change no acknowledged command is lost, and nothing else is there") {
    const Seen seen = cut_everywhere(PowerLoss(workload(), Durability::power_loss), 150, 2, 40, true);
    CHECK(seen.openings > 0);
    CHECK(seen.lost == 0);
    CHECK(seen.unacknowledged_kept > 0);
    CHECK(seen.states.size() > 5);
  }

  TEST_CASE("process_crash: after a cut at any change only a suffix is lost") {
    const Seen seen = cut_everywhere(PowerLoss(workload(), Durability::process_crash), 150, 1, 40);
    CHECK(seen.lost > 0);
    CHECK(seen.states.size() > 5);
  }

  TEST_CASE("power_loss: a disk that only says that it has synced is found out") {
    const PowerLoss power_loss(workload(), Durability::power_loss, true);
    int broken = 0;
    for (std::int64_t change = 50; change < 400; change += 50) broken += power_loss.breaks(change, 1);
    // A cut may happen to drop nothing.
    CHECK(broken >= 4);
  }

  TEST_CASE("power_loss: a checkpoint that SQLite begins by itself loses nothing either") {
    const Seen seen = cut_everywhere(PowerLoss(large_workload(), Durability::power_loss), 3, 1, 1);
    CHECK(seen.lost == 0);
  }
}
