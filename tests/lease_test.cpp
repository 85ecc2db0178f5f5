// Tests of the lease: of all that have a file open, one projects.
#include "base/lease.hpp"

#include <doctest/doctest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <thread>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

#ifdef __linux__
namespace {

std::atomic<int> flock_error = 0;  // 0: locks are the system's.

}  // namespace

// In the place of the C library's.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (flock_error == 0) return static_cast<int>(syscall(SYS_flock, descriptor, operation));
  errno = flock_error;
  return -1;
}
#endif

namespace {

std::filesystem::path path_of(const TempDir& directory) {
  return directory.file().string() + "-lease";
}

// Runs `body` in a child process; what it returns.
template <typename Body>
int in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A process that does nothing, until its end; it is a child of this one.
class Idle {
 public:
  Idle() : child_(fork()) {
    if (child_ != 0) return;
    while (true) pause();
  }
  ~Idle() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;

 private:
  pid_t child_;
};

}  // namespace

TEST_SUITE("lease") {
#ifdef __linux__
  TEST_CASE("acquire: what the system cannot do is told, and is not taken for a holder") {
    const TempDir directory;
    for (const int error : {ENOLCK, EIO, ENOSYS, EOPNOTSUPP, EINVAL}) {
      flock_error = error;
      Lease lease(directory.file(), "lease");
      const auto failed = error_of([&] { static_cast<void>(lease.acquire()); });
      flock_error = 0;
      CHECK(failed == ErrorCode::io);
      CHECK_FALSE(lease.is_held());
      CHECK(lease.acquire());
    }
  }

  TEST_CASE("read: where nothing can be locked the projector says so, and answers are stale for that reason") {
    const TempDir directory;
    std::string told;
    StoreOptions options = stepped(directory.file());
    options.on_notice = [&](const Notice& notice) { told += notice.message + "\n"; };
    Store store(std::move(options));
    append(store, "a", 1);
    flock_error = ENOLCK;
    run_until_idle(store);
    flock_error = 0;
    CHECK(holds(told, "the projector has stopped: cannot lock"));
    CHECK(holds(told, "No locks available"));
    CHECK_FALSE(store.drain());
    const auto reading = store.read({.projections = {"totals"}, .consistency = Strong{}});
    CHECK(holds(reading.warnings().front(), "the projector has stopped: cannot lock"));
  }

  TEST_CASE("rebuild: where nothing can be locked it is an io error, and not another rebuild") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    flock_error = ENOLCK;
    const auto rebuilt = error_of([&] { static_cast<void>(store.rebuild("totals")); });
    const auto backed_up = error_of([&] { static_cast<void>(store.backup(directory.path() / "copy")); });
    flock_error = 0;
    CHECK(rebuilt == ErrorCode::io);
    CHECK(backed_up == ErrorCode::io);
  }
#endif

  TEST_CASE("holder: the process that has the lease, whatever a dead one has left") {
    const TempDir directory;
    Lease first(directory.file(), "lease");
    Lease second(directory.file(), "lease");
    CHECK_FALSE(first.holder());
    REQUIRE(first.acquire());
    CHECK(first.holder() == getpid());
    CHECK(second.holder() == getpid());
    first.release();
    CHECK_FALSE(second.holder());
    std::ofstream(path_of(directory)) << "123456789012\n";
    CHECK_FALSE(second.holder());
    REQUIRE(second.acquire());
    CHECK(first.holder() == getpid());
  }

  TEST_CASE("holder: asking for it while others come and go makes nobody believe that it is held") {
    const TempDir directory;
    std::atomic<bool> over = false;
    std::thread asking([&] {
      const Lease lease(directory.file(), "lease");
      while (!over) static_cast<void>(lease.holder());
    });
    int refusals = 0;
    for (int taken = 0; taken < 500; ++taken) {
      Lease lease(directory.file(), "lease");
      if (!lease.acquire()) ++refusals;
    }
    over = true;
    asking.join();
    CHECK(refusals == 0);
  }

  TEST_CASE("release: a file that somebody else has locked meanwhile stays") {
    const TempDir directory;
    Lease first(directory.file(), "lease");
    REQUIRE(first.acquire());
    std::filesystem::remove(path_of(directory));  // By hand, as nobody should.
    Lease second(directory.file(), "lease");
    REQUIRE(second.acquire());
    first.release();
    CHECK(std::filesystem::exists(path_of(directory)));
    CHECK_FALSE(first.acquire());
  }

  TEST_CASE("acquire: the lock's file has the permissions of the file it is for, whatever the mask") {
    const TempDir directory;
    std::ofstream(directory.file()) << "";
    const mode_t mask = umask(077);
    for (const mode_t mode : {0664U, 0600U, 0666U}) {
      REQUIRE(chmod(directory.file().c_str(), mode) == 0);
      Lease lease(directory.file(), "lease");
      REQUIRE(lease.acquire());
      struct stat status{};
      REQUIRE(stat(path_of(directory).c_str(), &status) == 0);
      CHECK((status.st_mode & 0777U) == mode);
    }
    umask(mask);
  }

  TEST_CASE("acquire: what another user's crash has left is replaced by who may only read it") {
    const TempDir directory;
    std::ofstream(directory.file()) << "";
    std::ofstream(path_of(directory)) << "1\n";
    REQUIRE(chmod(path_of(directory).c_str(), 0444) == 0);
    REQUIRE(chmod(directory.path().c_str(), 0777) == 0);
    REQUIRE(chmod(directory.file().c_str(), 0666) == 0);
    const int held = in_child([&] {
      if (geteuid() == 0 && setuid(65534) != 0) return 9;
      Lease lease(directory.file(), "lease");
      if (!lease.acquire()) return 1;
      return lease.holder() == getpid() && Lease(directory.file(), "lease").holder() == getpid() ? 0 : 2;
    });
    CHECK(held == 0);
  }

  TEST_CASE("acquire: a lease that root takes for another user's file is that user's") {
    if (geteuid() != 0) return;
    const TempDir directory;
    std::ofstream(directory.file()) << "";
    REQUIRE(chown(directory.file().c_str(), 65534, 65534) == 0);
    REQUIRE(chmod(directory.path().c_str(), 0777) == 0);
    Lease lease(directory.file(), "lease");
    REQUIRE(lease.acquire());
    const int refused = in_child([&] {
      if (setuid(65534) != 0) return 9;
      Lease other(directory.file(), "lease");
      return !other.acquire() && other.holder() == getppid() ? 0 : 1;
    });
    CHECK(refused == 0);
  }

  TEST_CASE("release: a child that was forked meanwhile does not keep the lease") {
    const TempDir directory;
    Lease first(directory.file(), "lease");
    REQUIRE(first.acquire());
    const Idle child;
    first.release();
    Lease second(directory.file(), "lease");
    CHECK(second.acquire());
  }

  TEST_CASE("fork: the child has nothing of the lease, and the parent keeps it") {
    const TempDir directory;
    Lease lease(directory.file(), "lease");
    REQUIRE(lease.acquire());
    const int in_the_child = in_child([&] {
      if (lease.is_held()) return 1;
      lease.release();
      return lease.acquire() ? 2 : 0;
    });
    CHECK(in_the_child == 0);
    CHECK(lease.is_held());
    CHECK_FALSE(Lease(directory.file(), "lease").acquire());
  }
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
    for (const char* each : {"-lease-1-1", "-lease-2-1"}) REQUIRE(std::filesystem::exists(directory.file() += each));
    store.close();
    for (const char* each : {"-lease-1-1", "-lease-2-1"})
      CHECK_FALSE(std::filesystem::exists(directory.file() += each));
  }
}
