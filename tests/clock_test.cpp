// Tests of the clocks.
#include "freshet/clock.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using freshet::Instant;
using freshet::SystemClock;
using freshet::Timestamp;
using freshet::VirtualClock;

TEST_SUITE("clock") {
  TEST_CASE("now: a virtual clock stands still until it is waited on") {
    const VirtualClock clock{Timestamp{5s}};
    CHECK(clock.now() == clock.now());
    CHECK(clock.wall_time() == Timestamp{5s});
  }

  TEST_CASE("sleep_until: both times of a virtual clock move to the deadline") {
    VirtualClock clock{Timestamp{5s}};
    const Instant deadline = clock.now() + 250ms;
    clock.sleep_until(deadline);
    CHECK(clock.now() == deadline);
    CHECK(clock.wall_time() == Timestamp{5250ms});
  }

  TEST_CASE("sleep_until: a deadline that has passed does not move a virtual clock back") {
    VirtualClock clock{Timestamp{5s}};
    const Instant start = clock.now();
    clock.sleep_until(start + 2s);
    clock.sleep_until(start + 1s);
    CHECK(clock.now() == start + 2s);
  }

  TEST_CASE("wait_until: a virtual clock moves to the deadline, for nobody could notify") {
    VirtualClock clock{Timestamp{}};
    std::mutex mutex;
    std::condition_variable condition;
    std::unique_lock lock{mutex};
    const Instant deadline = clock.now() + 1h;
    clock.wait_until(condition, lock, deadline);
    CHECK(clock.now() == deadline);
    CHECK(lock.owns_lock());
  }

  TEST_CASE("sleep_until: the system's clock has reached the deadline afterwards") {
    SystemClock clock;
    const Instant deadline = clock.now() + 1ms;
    clock.sleep_until(deadline);
    CHECK(clock.now() >= deadline);
  }

  TEST_CASE("wait_until: the system's clock returns at once if the deadline has passed") {
    SystemClock clock;
    std::mutex mutex;
    std::condition_variable condition;
    std::unique_lock lock{mutex};
    clock.wait_until(condition, lock, clock.now());
    CHECK(lock.owns_lock());
  }
}
