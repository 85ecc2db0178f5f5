// Tests of fork(): a child has nothing of its parent's store, and the parent notices nothing of the child.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "engine_fixture.hpp"
#include "freshet/session.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// How the child ends; one that hangs is ended by its alarm, and is -1.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_closed(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code() == ErrorCode::closed && holds(error.what(), "before a fork(): a child opens its own");
  }
  return false;
}

}  // namespace

TEST_SUITE("fork") {
  TEST_CASE("fork: whatever a child calls is closed, at once, and the parent goes on") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    append(store, "a", 1);
    const NewEvent deposit = event(1);
    const Append one{.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&deposit, 1}};
    const int refused = in_child([&] {
      int calls = 0;
      for (const std::function<void()>& call : std::initializer_list<std::function<void()>>{
               [&] { append(store, "a", 1); }, [&] { static_cast<void>(store.log().append_async(one)); },
               [&] { store.log().write([](AppendTransaction&) {}); }, [&] { static_cast<void>(store.log().head()); },
               [&] { static_cast<void>(store.read({.projections = {"totals"}})); }, [&] { store.drain(); },
               [&] { static_cast<void>(store.projections()); }, [&] { static_cast<void>(store.verify()); },
               [&] { static_cast<void>(store.rebuild("totals")); },
               [&] { static_cast<void>(store.backup(directory.path() / "copy")); },
               [&] { static_cast<void>(store.subscribe_to_events({})); }, [&] { store.close(); }}) {
        if (is_closed(call)) ++calls;
      }
      return calls;
    });
    CHECK(refused == 12);
    append(store, "a", 2);
    CHECK(store.drain());
    CHECK(total(store) == 3);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("fork: a child may destroy its copy, subscriptions and sessions included, and open the file itself") {
    const TempDir directory;
    std::optional<Store> store(std::in_place, threaded(directory.file()));
    std::optional<Session> session(std::in_place, *store);
    std::optional told(store->subscribe_to_events({}, [](const EventBatch&) {}));
    append(*store, "a", 1);
    REQUIRE(store->drain());
    const int seen = in_child([&] {
      told.reset();
      session.reset();
      store.reset();
      Store own(idle(directory.file()));  // ThreadSanitizer lets a child of this process begin no threads.
      append(own, "a", 2);
      return static_cast<int>(own.log().head().value);
    });
    CHECK(seen == 2);
    CHECK(store->drain());
    CHECK(total(*store) == 3);
  }

  TEST_CASE("fork: a child that lives on does not keep anybody from projecting when its parent has died") {
    const TempDir directory;
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t parent = fork();
    if (parent == 0) {
      Store store(threaded(directory.file()));
      append(store, "a", 1);
      static_cast<void>(store.drain());
      if (fork() == 0) {
        // From here on it has closed what it got from its parent.
        const pid_t child = getpid();
        static_cast<void>(!write(ready[1], &child, sizeof child));
      }
      while (true) pause();
    }
    pid_t child = 0;
    REQUIRE(read(ready[0], &child, sizeof child) == sizeof child);
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    Store store(threaded(directory.file()));
    append(store, "a", 2);
    CHECK(store.drain());
    CHECK(store.is_projecting());
    CHECK(total(store) == 3);
    kill(child, SIGKILL);
    close(ready[0]);
    close(ready[1]);
  }
}
