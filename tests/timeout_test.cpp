// Tests of reads that are not met in time, and of those that real threads wait in.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "engine_fixture.hpp"
#include "simulation/clock.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

ReadRequest strong(OnTimeout on_timeout = OnTimeout::stale) {
  return {.projections = {"totals"}, .consistency = Strong{}, .timeout = 20ms, .on_timeout = on_timeout};
}

ReadRequest at_least(std::int64_t version) {
  return {.projections = {"latest"}, .stream = stream("a"), .consistency = AtLeastVersion{Version{version}}};
}

std::string warning(const Reading& reading) {
  REQUIRE(reading.warnings().size() == 1);
  return reading.warnings().front();
}

// Longer than a test may take: who waits this long was not woken.
constexpr Duration forever = 24h;

}  // namespace

TEST_SUITE("timeout") {
  TEST_CASE("read: the longest timeout that there is waits until the answer is there") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    const Reading reading =
        store.read({.projections = {"totals"}, .consistency = Strong{}, .timeout = Duration::max()});
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.freshness().waited == 50ms);
  }

  TEST_CASE("read: after the timeout the stale answer comes, with a warning of what was asked and what is shown") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    const Reading reading = store.read(strong());
    CHECK(reading.freshness().stale);
    CHECK(reading.freshness().waited == 20ms);
    CHECK(warning(reading) ==
          "stale: waited 20ms for position 1, the last one when the read began; the read tables "
          "show everything up to position 0");
    CHECK_FALSE(reading.must_replay());
  }

  TEST_CASE("read: the warning names the versions of a stream") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1, Projecting::synchronous);
    append(store, "a", 2);
    ReadRequest request = at_least(2);
    request.timeout = 20ms;
    CHECK(warning(store.read(request)) ==
          "stale: waited 20ms for version 2 of account/a; the read tables show version 1 of 2");
  }

  TEST_CASE("read: the warning says so if the log itself holds no such version") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    const Reading reading = store.read(at_least(5));
    CHECK(reading.freshness().waited == read_timeout_default);
    CHECK(reading.freshness().version == Version{1});
    CHECK(holds(warning(reading), "the log itself holds no version 5 yet (its last is 1)"));
    ReadRequest unknown = at_least(1);
    unknown.stream = stream("nobody");
    CHECK(holds(warning(store.read(unknown)), "the log itself holds no account/nobody yet"));
  }

  TEST_CASE("read: the warning says so if the log itself holds no such position") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    ReadRequest request{.projections = {"totals"}, .consistency = AtLeastPosition{Position{9}}};
    CHECK(holds(warning(store.read(request)), "the log itself holds no position 9 yet (its last is 1)"));
    request.stream = stream("a");
    const Reading reading = store.read(request);
    CHECK(reading.freshness().stale);
    CHECK(holds(warning(reading), "position 9"));
  }

  TEST_CASE("read: where an error is asked for, a timeout is stale") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    CHECK(error_of([&] { static_cast<void>(store.read(strong(OnTimeout::error))); }) == ErrorCode::stale);
  }

  TEST_CASE("read: where a replay is asked for, a timeout says that it is needed") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(30ms)));
    append(store, "a", 1);
    CHECK(store.read(strong(OnTimeout::replay)).must_replay());
    CHECK_FALSE(store.read(strong(OnTimeout::replay)).must_replay());
  }

  TEST_CASE("read (eventual): a stale answer asks for no replay and is no error") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    ReadRequest request = strong(OnTimeout::replay);
    request.consistency = Eventual{};
    CHECK_FALSE(store.read(request).must_replay());
    request.on_timeout = OnTimeout::error;
    CHECK(store.read(request).freshness().stale);
  }

  TEST_CASE("read: a timeout of nothing looks once") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    ReadRequest request = strong();
    request.timeout = 0ms;
    const Instant before = store.clock().now();
    CHECK(store.read(request).freshness().stale);
    CHECK(store.clock().now() == before);
  }

  TEST_CASE("read: with the engine off the timeout ends the wait") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append(store, "a", 1);
    CHECK(store.read(strong()).freshness().waited == 20ms);
  }

  TEST_CASE("read: a file opened for reading is read, waits, and is not written") {
    const TempDir directory;
    {
      Store store(stepped(directory.file()));
      append(store, "a", 1);
      run_until_idle(store);
      append(store, "a", 2);
    }
    StoreOptions options = stepped(directory.file());
    options.mode = OpenMode::read_only;
    Store store(options);
    CHECK(total(store) == 1);
    CHECK(store.read(strong()).freshness().stale);
    CHECK_FALSE(store.step());
    CHECK_FALSE(store.drain());
    CHECK(error_of([&] { append(store, "a", 1); }) == ErrorCode::read_only);
    CHECK(error_of([&] { static_cast<void>(store.rebuild("totals")); }) == ErrorCode::read_only);
  }

  TEST_CASE("read: a thread that waits is woken by the projector") {
    const TempDir directory;
    Store store(threaded(directory.file(), delayed(5ms)));
    append(store, "a", 1);
    ReadRequest request = strong();
    request.timeout = forever;
    CHECK_FALSE(store.read(request).freshness().stale);
    CHECK(total(store) == 1);
  }

  TEST_CASE("read: a thread that waits is woken by a synchronous append") {
    const TempDir directory;
    Store store(threaded(directory.file(), delayed(forever)));
    // The reader asks for the next version a moment before it is appended, and mostly has to wait for it.
    constexpr std::int64_t rounds = 50;
    std::atomic<std::int64_t> asked = 0;
    std::atomic<int> met = 0;
    std::thread reader([&] {
      for (std::int64_t version = 1; version <= rounds; ++version) {
        ReadRequest request = at_least(version);
        request.timeout = forever;
        asked = version;
        if (!store.read(request).freshness().stale) ++met;
      }
    });
    for (std::int64_t version = 1; version <= rounds; ++version) {
      while (asked < version) std::this_thread::yield();
      append(store, "a", 1, Projecting::synchronous);
    }
    reader.join();
    CHECK(met == rounds);
  }

  TEST_CASE("read: a version that the log does not hold yet is waited for, whoever appends it") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    Store other(idle(directory.file()));
    ReadRequest request = at_least(2);
    request.timeout = forever;
    std::thread writer([&] {
      append(other, "a", 1);
      append(other, "a", 2);
    });
    CHECK(store.read(request).freshness().version == Version{2});
    writer.join();
  }

  TEST_CASE("close: threads that wait are woken with closed") {
    const TempDir directory;
    Store store(threaded(directory.file(), delayed(forever)));
    append(store, "a", 1);
    ReadRequest request = strong();
    request.timeout = forever;
    std::atomic<int> closed = 0;
    std::atomic<int> started = 0;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 4; ++reader) {
      readers.emplace_back([&] {
        ++started;
        if (error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::closed) ++closed;
      });
    }
    readers.emplace_back([&] {
      ++started;
      if (error_of([&] { store.drain(); }) == ErrorCode::closed) ++closed;
    });
    while (started < 5) std::this_thread::yield();
    store.close();
    for (auto& reader : readers) reader.join();
    CHECK(closed == 5);
  }

  TEST_CASE("read: a store that does not project sees what another one does") {
    const TempDir directory;
    Store projecting(threaded(directory.file()));
    append(projecting, "a", 1);
    REQUIRE(projecting.drain());
    Store other(threaded(directory.file()));
    append(other, "a", 2);
    ReadRequest request = strong();
    request.timeout = forever;
    CHECK_FALSE(other.read(request).freshness().stale);
    CHECK(total(other) == 3);
    CHECK_FALSE(other.is_projecting());
  }
  TEST_CASE("read: a stepped wait sees what another store has appended meanwhile") {
    const TempDir directory;
    const auto clock = std::make_shared<simulation::SimulatedClock>();
    StoreOptions options = stepped(directory.file());
    options.clock = clock;
    Store store(options);
    options.engine = Engine::off;
    Store other(options);
    clock->on_sleep([&](Instant) {
      if (other.log().head() == Position{}) append(other, "a", 1);
    });
    ReadRequest request = at_least(1);
    request.timeout = 1h;
    const Reading reading = store.read(request);
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.freshness().waited <= 50ms);
  }

  TEST_CASE("drain: on a virtual clock it goes from one step to the next, however far apart they are") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(24h)));
    append(store, "a", 1);
    int looks = 0;
    CHECK(store.drain([&] { return ++looks == 100; }));
    CHECK(total(store) == 1);
    CHECK(store.clock().now().time_since_epoch() == 24h);
  }
}
