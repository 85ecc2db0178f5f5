// Opening and closing a store thousands of times: what the process uses is as it was.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

#include "engine_fixture.hpp"
#include "resources.hpp"

using namespace freshet;
using namespace freshet::tests;
using namespace std::chrono_literals;

namespace {

// Until the allocator has seen what comes again and again.
constexpr std::int64_t warm_up = 100;
// What the heap of a process with many threads may gain by fragmentation.
constexpr std::int64_t growth_bytes_max = 4 << 20;

void open_and_close(const TempDir& directory, std::mt19937_64& chance) {
  Store store(threaded(directory.file()));
  const Appended appended = append(store, std::to_string(chance() % 50), 1);
  if (chance() % 4 == 0) append_many(store, "many", chance() % 8);
  if (chance() % 2 == 0) {
    const Reading reading =
        store.read({.projections = {"totals"}, .consistency = AtLeastPosition{appended.last}, .timeout = 60s});
    CHECK_FALSE(reading.freshness().stale);
  }
  if (chance() % 8 == 0) CHECK(store.rebuild("latest"));
  if (chance() % 2 == 0) store.close();
}

}  // namespace

TEST_SUITE("open_close") {
  TEST_CASE("store: after thousands of openings it holds no more descriptors, threads, files and memory") {
    const std::int64_t count = asked_for("FRESHET_OPENINGS", 500);
    const auto seed = static_cast<std::uint64_t>(asked_for("FRESHET_SEED", 1));
    std::mt19937_64 chance(seed);
    const TempDir directory;
    const std::int64_t descriptors_before = descriptors();
    std::jthread([] {}).join();  // A sanitizer starts a thread of its own with the first one.
    const std::int64_t threads_before = threads();
    std::int64_t resident_warm = 0;
    std::int64_t resident_max = 0;
    for (std::int64_t number = 0; number < warm_up + count; ++number) {
      open_and_close(directory, chance);
      REQUIRE(descriptors() == descriptors_before);
      wait_until_threads_are_gone(threads_before);
      REQUIRE(entries_of(directory.path()) == 1);  // The file alone: no write-ahead log, no lease.
      resident_max = std::max(resident_max, resident_bytes());
      if (number < warm_up) resident_warm = resident_max;
    }
    std::printf("openings: seed %llu, %lld openings, %lld descriptors, resident %lld KiB warm, at most %lld KiB\n",
                static_cast<unsigned long long>(seed), static_cast<long long>(count),
                static_cast<long long>(descriptors_before), static_cast<long long>(resident_warm >> 10),
                static_cast<long long>(resident_max >> 10));
    if (is_memory_measurable()) CHECK(resident_max - resident_warm <= growth_bytes_max);
    Store store(threaded(directory.file()));
    CHECK(store.verify().problems.empty());
  }
}
