// Tests of the end of a store: in what order ever its parts are let go, there is an error or a sentence, never a hang.
#include "freshet/session.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <optional>
#include <set>
#include <thread>

#include "base/guarded.hpp"
#include "engine_fixture.hpp"
#include "last_words.hpp"
#include "resources.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

constexpr auto forever = std::chrono::hours{1};

// For bodies that end their process by themselves, or else wait to be killed by an assertion on another thread.
void wait_for_the_end() {
  while (true) std::this_thread::sleep_for(forever);
}

// The system's clock, which knows who has waited on it.
class WatchedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] Timestamp wall_time() const override { return clock_.wall_time(); }
  void sleep_until(Instant deadline) override { clock_.sleep_until(deadline); }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override {
    waited_.locked()->insert(std::this_thread::get_id());
    clock_.wait_until(condition, lock, deadline);
  }
  bool has_waited(std::thread::id thread) { return waited_.locked()->contains(thread); }

 private:
  SystemClock clock_;
  Guarded<std::set<std::thread::id>> waited_;
};

ReadRequest strong() {
  return {.projections = {"totals"}, .consistency = Strong{}, .timeout = forever};
}

ReadRequest eventual() {
  return {.projections = {"totals"}};
}

}  // namespace

TEST_SUITE("closing") {
  TEST_CASE("close: twice is once") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    store.close();
    store.close();
  }

  TEST_CASE("close: leaves no thread") {
    const TempDir directory;
    const std::int64_t before = threads();
    Store store(threaded(directory.file()));
    const auto subscription = store.subscribe_to_events({}, [](const EventBatch&) {});
    const NewEvent one = event(1);
    store.log().append_async({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}}).wait();
    store.close();
    wait_until_threads_are_gone(before);
  }

  TEST_CASE("close: whatever is called afterwards is answered with closed") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 1);
    store.close();
    const std::vector<std::function<void()>> calls = {
        [&] { append(store, "a", 1); },
        [&] { store.log().write([](AppendTransaction&) {}); },
        [&] { static_cast<void>(store.log().head()); },
        [&] { static_cast<void>(store.log().version(stream("a"))); },
        [&] { static_cast<void>(store.log().find_command("c", stream("a"), CommandIdentity("open"))); },
        [&] { static_cast<void>(store.log().read({})); },
        [&] { static_cast<void>(store.log().read_stream(stream("a"), Version{}, 1)); },
        [&] { static_cast<void>(store.read(eventual())); },
        [&] { store.drain(); },
        [&] { store.step(); },
        [&] { static_cast<void>(store.next_step()); },
        [&] { static_cast<void>(store.projections()); },
        [&] { static_cast<void>(store.verify()); },
        [&] { store.rebuild("totals"); },
        [&] { static_cast<void>(store.dead_letters({})); },
        [&] { static_cast<void>(store.retry_dead_letters({})); },
        [&] { static_cast<void>(store.discard_dead_letters({})); },
        [&] { store.crash_projector(CrashPoint::now); },
        [&] { store.restart_projector(); }};
    for (const auto& call : calls) CHECK(error_of(call) == ErrorCode::closed);
  }

  TEST_CASE("close: a Reading stays as it was, until the store is destroyed") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append(store, "a", 7);
    run_until_idle(store);
    Reading reading = store.read(eventual());
    store.close();
    CHECK(number(reading, "SELECT sum FROM totals") == 7);
  }

  TEST_CASE("close: from several threads at once, all return when it is closed") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    std::vector<std::thread> closers;
    for (int closer = 0; closer < 4; ++closer) closers.emplace_back([&] { store.close(); });
    for (auto& closer : closers) closer.join();
    CHECK(error_of([&] { static_cast<void>(store.log().head()); }) == ErrorCode::closed);
  }

  TEST_CASE("close: stops a verification and a rebuild that are going on") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 5'000);
    std::atomic<int> started = 0;
    std::atomic<bool> closing = false;
    const Progress progress = [&](std::int64_t, std::int64_t) {
      ++started;
      while (!closing) std::this_thread::yield();
      return true;
    };
    std::thread verifying(
        [&] { CHECK(error_of([&] { static_cast<void>(store.verify(progress)); }) == ErrorCode::closed); });
    std::thread rebuilding([&] { CHECK_FALSE(store.rebuild("totals", progress)); });
    while (started < 2) std::this_thread::yield();
    std::thread closer([&] { store.close(); });
    // The gate is shut before anything waits, so this ends as soon as the closing has begun.
    while (true) {
      try {
        static_cast<void>(store.log().head());
      } catch (const Error&) {
        break;
      }
    }
    closing = true;
    verifying.join();
    rebuilding.join();
    closer.join();
  }

  TEST_CASE("destroy: threads that wait in read() and drain() are told closed before it is gone") {
    const TempDir directory;
    const auto clock = std::make_shared<WatchedClock>();
    StoreOptions options = threaded(directory.file(), delayed(forever));
    options.clock = clock;
    std::optional<Store> store;
    store.emplace(options);
    append(*store, "a", 1);
    std::atomic<int> closed = 0;
    std::vector<std::thread> threads;
    for (int reader = 0; reader < 3; ++reader) {
      threads.emplace_back([&] {
        if (error_of([&] { static_cast<void>(store->read(strong())); }) == ErrorCode::closed) ++closed;
      });
    }
    threads.emplace_back([&] {
      if (error_of([&] { store->drain(); }) == ErrorCode::closed) ++closed;
    });
    for (const auto& thread : threads) {
      while (!clock->has_waited(thread.get_id())) std::this_thread::yield();
    }
    store.reset();
    for (auto& thread : threads) thread.join();
    CHECK(closed == 4);
  }

  TEST_CASE("destroy: with a Reading alive it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  auto store = std::make_unique<Store>(stepped(directory.file()));
                  const Reading reading = store->read(eventual());
                  store.reset();
                }),
                "a Reading ends before its store is destroyed"));
  }

  TEST_CASE("rows: that outlive their Reading or their callback, or are asked without a row, are a broken program") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  Store store(idle(directory.file()));
                  auto reading = std::make_unique<Reading>(store.read(eventual()));
                  const Rows rows = reading->query("SELECT 1");
                  reading.reset();
                }),
                "Rows end before the Reading that gave them"));
    CHECK(holds(last_words([&] {
                  Store store(idle(directory.file()));
                  std::optional<Rows> rows;
                  store.log().write(
                      [&](AppendTransaction& transaction) { rows.emplace(transaction.tables().query("SELECT 1")); });
                }),
                "Rows end before the callback in which they were asked for"));
    for (const bool is_behind : {false, true}) {
      CHECK(holds(last_words([&] {
                    Store store(idle(directory.file()));
                    Reading reading = store.read(eventual());
                    Rows rows = reading.query("SELECT 1");
                    while (is_behind && rows.next()) {
                    }
                    static_cast<void>(rows.integer(0));
                  }),
                  "while next() says that there is one"));
    }
  }

  TEST_CASE("rows: that were read to their end may outlive their Reading") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    std::optional<Rows> rows;
    {
      Reading reading = store.read(eventual());
      rows.emplace(reading.query("SELECT sum FROM {totals}"));
      CHECK_FALSE(rows->next());
    }
    CHECK_FALSE(rows->next());
    CHECK(rows->columns() == 1);
  }

  TEST_CASE("destroy: with a Session alive it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  auto store = std::make_unique<Store>(stepped(directory.file()));
                  const Session session(*store);
                  store.reset();
                }),
                "a Session ends before its store is destroyed"));
  }

  TEST_CASE("close: a Session is answered with closed, and may end then") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Session session(store);
    store.close();
    CHECK(error_of([&] { static_cast<void>(session.read(eventual())); }) == ErrorCode::closed);
    CHECK(error_of([&] { static_cast<void>(session.log().head()); }) == ErrorCode::closed);
    CHECK(error_of([&] { const Session later(store); }) == ErrorCode::closed);
  }

  TEST_CASE("destroy: with a consumer of the bus alive it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  auto store = std::make_unique<Store>(idle(directory.file()));
                  const auto consumer = store->bus().subscribe({.group = "another"});
                  store.reset();
                }),
                "a consumer is let go before its bus"));
  }

  TEST_CASE("destroy: within on_notice, on the projector's thread, it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  std::unique_ptr<Store> store;
                  StoreOptions options =
                      with_fragile(threaded(directory.file()), [](const RecordedEvent&) { return true; });
                  options.on_notice = [&](const Notice&) { store.reset(); };
                  store = std::make_unique<Store>(options);
                  append(*store, "a", 1);
                  wait_for_the_end();
                }),
                "not closed or destroyed on a thread of its own"));
  }

  TEST_CASE("close: within apply(), on the projector's thread, it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  std::unique_ptr<Store> store;
                  store = std::make_unique<Store>(with_fragile(threaded(directory.file()), [&](const RecordedEvent&) {
                    store->close();
                    return false;
                  }));
                  append(*store, "a", 1);
                  wait_for_the_end();
                }),
                "not closed or destroyed on a thread of its own"));
  }

  TEST_CASE("close: within the callback of a subscription, on a thread of the store's, it is a broken program") {
    for (const bool destroy : {false, true}) {
      const TempDir directory;  // Without events, so that the callback comes after the append has begun.
      CHECK(holds(last_words([&] {
                    auto store = std::make_unique<Store>(threaded(directory.file()));
                    const auto subscription = store->subscribe_to_events({}, [&](const EventBatch&) {
                      if (destroy) store.reset();
                      store->close();
                    });
                    append(*store, "a", 1);
                    wait_for_the_end();
                  }),
                  "a callback does not close its store"));
    }
  }

  TEST_CASE("close: within a callback that was posted, on the application's thread, it is closed") {
    const TempDir directory;
    auto store = std::make_unique<Store>(threaded(directory.file()));
    std::promise<std::function<void()>> posted;
    const auto subscription = store->subscribe_to_events(
        {}, [&](const EventBatch&) { store.reset(); },
        [&](std::function<void()> closure) { posted.set_value(std::move(closure)); });
    append(*store, "a", 1);
    posted.get_future().get()();
    CHECK_FALSE(store);
    CHECK(subscription.ended().has_value());
  }

  TEST_CASE("close: within on_notice, stepped, it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  std::unique_ptr<Store> store;
                  StoreOptions options =
                      with_fragile(stepped(directory.file()), [](const RecordedEvent&) { return true; });
                  options.on_notice = [&](const Notice&) { store->close(); };
                  store = std::make_unique<Store>(options);
                  append(*store, "a", 1);
                  run_until_idle(*store);
                }),
                "not closed or destroyed within a call to it"));
  }

  TEST_CASE("close: within the body of write() it is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  Store store(idle(directory.file()));
                  store.log().write([&](AppendTransaction&) { store.close(); });
                }),
                "not closed or destroyed within a call to it"));
  }

  TEST_CASE("write: an append within the body, past the transaction, is a broken program, and says so") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  Store store(idle(directory.file()));
                  store.log().write([&](AppendTransaction&) { append(store, "a", 1); });
                }),
                "only through its transaction"));
    CHECK(holds(last_words([&] {
                  Store store(idle(directory.file()));
                  store.log().write([&](AppendTransaction&) { store.log().write([](AppendTransaction&) {}); });
                }),
                "only through its transaction"));
  }

  TEST_CASE("stores: several in one process do not know of each other") {
    const TempDir first_directory;
    const TempDir second_directory;
    Store first(threaded(first_directory.file()));
    {
      Store second(threaded(second_directory.file()));
      append(first, "a", 1);
      append(second, "a", 20);
      CHECK(first.drain());
      CHECK(second.drain());
      CHECK(total(second) == 20);
    }
    append(first, "a", 2);
    CHECK(first.drain());
    CHECK(total(first) == 3);
  }
}
