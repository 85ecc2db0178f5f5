// Tests of the lease: of all that have a file open, one projects.
#include "base/lease.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

TEST_SUITE("lease") {
  TEST_CASE("acquire: one holds it, and another one when it was released") {
    const TempDir directory;
    Lease first(directory.file(), "lease");
    Lease second(directory.file(), "lease");
    CHECK(first.acquire());
    CHECK(first.acquire());
    CHECK_FALSE(second.acquire());
    CHECK_FALSE(second.is_held());
    first.release();
    CHECK_FALSE(first.is_held());
    CHECK(second.acquire());
    CHECK_FALSE(first.acquire());
  }

  TEST_CASE("acquire: leases of other names and other files do not matter") {
    const TempDir directory;
    Lease first(directory.file(), "lease");
    Lease other_name(directory.file(), "rebuild");
    Lease other_file(directory.path() / "other.db", "lease");
    CHECK(first.acquire());
    CHECK(other_name.acquire());
    CHECK(other_file.acquire());
  }

  TEST_CASE("release: leaves no file behind, and nobody else's lease is released") {
    const TempDir directory;
    Lease first(directory.file(), "lease");
    Lease second(directory.file(), "lease");
    REQUIRE(first.acquire());
    first.release();
    CHECK(std::filesystem::is_empty(directory.path()));
    REQUIRE(second.acquire());
    first.release();
    CHECK_FALSE(first.acquire());
  }

  TEST_CASE("acquire: a directory that does not exist is an io error") {
    const TempDir directory;
    Lease lease(directory.path() / "nowhere" / "store.db", "lease");
    CHECK(error_of([&] { static_cast<void>(lease.acquire()); }) == ErrorCode::io);
  }

  TEST_CASE("acquire: of threads that come and go never two hold it") {
    const TempDir directory;
    std::atomic<int> holders = 0;
    std::atomic<int> most = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int taken = 0; taken < 50;) {
          Lease lease(directory.file(), "lease");
          if (!lease.acquire()) continue;
          most = std::max(most.load(), ++holders);
          ++taken;
          --holders;
          lease.release();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(most == 1);
  }

  TEST_CASE("acquire: the death of a process gives its lease back") {
    const TempDir directory;
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
      Lease lease(directory.file(), "lease");
      const char held = lease.acquire() ? 'y' : 'n';
      static_cast<void>(!write(ready[1], &held, 1));
      pause();
      _exit(0);
    }
    char held = 0;
    REQUIRE(read(ready[0], &held, 1) == 1);
    CHECK(held == 'y');
    Lease lease(directory.file(), "lease");
    CHECK_FALSE(lease.acquire());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK(lease.acquire());
    close(ready[0]);
    close(ready[1]);
  }

  TEST_CASE("step: a second store does not project while the first one holds the lease, and then takes over") {
    const TempDir directory;
    std::optional<Store> first(std::in_place, stepped(directory.file(), delayed(1h)));
    Store second(stepped(directory.file()));
    append(*first, "a", 1);
    first->step();
    CHECK(first->is_projecting());
    CHECK_FALSE(second.step());
    CHECK_FALSE(second.is_projecting());
    CHECK_FALSE(second.next_step());
    CHECK_FALSE(second.drain());
    CHECK(total(second) == 0);
    first->close();
    run_until_idle(second);
    CHECK(second.is_projecting());
    CHECK(total(second) == 1);
  }

  TEST_CASE("open: with threads the next store takes over by itself") {
    const TempDir directory;
    std::optional<Store> first(std::in_place, threaded(directory.file()));
    append(*first, "a", 1);
    REQUIRE(first->drain());
    Store second(threaded(directory.file()));
    append(second, "a", 2);
    first.reset();
    const ReadRequest request{.projections = {"totals"}, .consistency = Strong{}, .timeout = 24h};
    CHECK_FALSE(second.read(request).freshness().stale);
    append(second, "a", 4);
    CHECK_FALSE(second.read(request).freshness().stale);
    CHECK(total(second) == 7);
  }

  TEST_CASE("close: no lease file is left behind") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    store.step();
    REQUIRE(std::filesystem::exists(directory.file().string() + "-lease"));
    store.close();
    CHECK_FALSE(std::filesystem::exists(directory.file().string() + "-lease"));
  }
}
