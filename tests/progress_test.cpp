// Tests of a projection's progress: the contiguous prefix, and the set above it.
#include "projection/progress.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "bus/delay.hpp"

using freshet::Position;
using freshet::Random;
using freshet::projection::Progress;

namespace {

std::vector<std::int64_t> shuffled(std::int64_t last, Random& random) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(last));
  std::iota(positions.begin(), positions.end(), 1);
  for (std::size_t index = positions.size(); index > 1; --index) {
    std::swap(positions[index - 1], positions[random() % index]);
  }
  return positions;
}

}  // namespace

TEST_SUITE("progress") {
  TEST_CASE("checkpoint: an event above a gap does not move it") {
    Progress progress;
    progress.add(Position{2});
    CHECK(progress.checkpoint() == Position{0});
    CHECK(progress.has(Position{2}));
    CHECK_FALSE(progress.has(Position{1}));
    progress.add(Position{1});
    CHECK(progress.checkpoint() == Position{2});
  }

  TEST_CASE("add: in any order, it agrees with a set") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      INFO("seed " << seed);
      Random random(seed);
      std::set<std::int64_t> model;
      Progress progress;
      for (const std::int64_t position : shuffled(60, random)) {
        progress.add(Position{position});
        model.insert(position);
        std::int64_t prefix = 0;
        while (model.contains(prefix + 1)) ++prefix;
        REQUIRE(progress.checkpoint().value == prefix);
        for (std::int64_t each = 0; each <= 61; ++each) {
          REQUIRE(progress.has(Position{each}) == (each == 0 || model.contains(each)));
        }
      }
    }
  }

  TEST_CASE("take_changes: kept in a table, they are the set above the checkpoint") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      INFO("seed " << seed);
      Random random(seed);
      Progress progress;
      std::set<Position> table;
      for (const std::int64_t position : shuffled(60, random)) {
        progress.add(Position{position});
        if (random() % 3 != 0) continue;
        const Progress::Changes changes = progress.take_changes();
        table.insert(changes.added_above.begin(), changes.added_above.end());
        if (changes.passed_some) {
          std::erase_if(table, [&](Position each) { return each <= progress.checkpoint(); });
        }
        // What a restart would read goes on where this one is.
        const Progress restarted(progress.checkpoint(), table);
        for (std::int64_t each = 0; each <= 61; ++each) {
          REQUIRE(restarted.has(Position{each}) == progress.has(Position{each}));
        }
      }
    }
  }
}
