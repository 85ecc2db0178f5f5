// Tests of subscriptions under real threads and across processes.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>

#include "subscription/dispatcher.hpp"
#include "subscription_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

constexpr int writers = 3;
constexpr int appends = 200;  // Of each writer, one event each.

// Holds whoever comes until the test lets go, and says when somebody is there.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    is_entered_ = true;
    moved_.notify_all();
    moved_.wait(lock, [&] { return is_open_; });
  }
  void wait_until_entered() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return is_entered_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    moved_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  bool is_entered_ = false;
  bool is_open_ = false;
};

// A process that appends as soon as it reads a byte from `go`, and ends.
pid_t fork_writer(const std::filesystem::path& file, int go, int count) {
  const pid_t child = fork();
  if (child != 0) return child;
  char byte = 0;
  bool done = ::read(go, &byte, 1) == 1;
  try {
    Store store(threaded(file));
    append_many(store, "other", static_cast<std::size_t>(count));
    done = done && store.log().head() >= Position{count};
    store.close();
  } catch (const Error&) {
    done = false;
  }
  _exit(done ? 0 : 1);
}

}  // namespace

TEST_SUITE("subscription_threads") {
  TEST_CASE("subscribe_to_events: there is no gap and no duplicate at the seam, while others append") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&store, writer] {
        for (int event = 0; event < appends; ++event) append(store, std::to_string(writer), 1);
      });
    }
    std::array<Told<EventBatch>, 8> told;
    std::vector<Subscription<EventBatch>> subscriptions;
    std::vector<std::int64_t> begun;
    for (auto& each : told) {
      begun.push_back(store.log().head().value / 2);
      subscriptions.push_back(
          store.subscribe_to_events({.after = Position{begun.back()}, .events_max = 7}, each.keep()));
      append(store, "seam", 1);
    }
    for (auto& thread : threads) thread.join();
    const std::int64_t head = store.log().head().value;
    REQUIRE(head == writers * appends + 8);
    for (std::size_t index = 0; index < told.size(); ++index) {
      told[index].wait(has_reached(head));
      CHECK(positions(told[index].all()) == from_to(begun[index] + 1, head));
    }
  }

  TEST_CASE("subscribe_to_events: events that another process appends are told") {
    const TempDir directory;
    std::array<int, 2> go{};
    REQUIRE(::pipe(go.data()) == 0);
    const pid_t child = fork_writer(directory.file(), go[0], 25);
    Store store(threaded(directory.file()));
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({}, told.keep());
    REQUIRE(::write(go[1], "", 1) == 1);
    told.wait(has_reached(25));
    CHECK(positions(told.all()) == from_to(1, 25));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    for (const int end : go) ::close(end);
  }

  TEST_CASE("subscribe_to_changes: what another process projects is told, to a store that only reads as well") {
    const TempDir directory;
    Store projecting(threaded(directory.file()));
    append(projecting, "a", 1);
    REQUIRE(projecting.drain());
    StoreOptions options = threaded(directory.file());
    options.mode = OpenMode::read_only;
    Store reading(options);
    Told<Changes> told;
    const auto subscription = reading.subscribe_to_changes({.projections = {"totals"}}, told.keep());
    append(projecting, "a", 1);
    told.wait([](const auto& all) { return !all.empty() && all.back().projections.front().position == Position{2}; });
    CHECK(total(reading) == 2);
  }

  TEST_CASE("stop: it waits for the callback that runs, and not for those whose turn would be next") {
    const TempDir directory;
    Store store(idle(directory.file()));
    for (int value = 1; value <= 2; ++value) append(store, "a", value);
    sqlite::Pool readers({.file = directory.file()});
    SystemClock clock;
    Signal news;
    const auto upcasting = std::make_shared<const log::Upcasting>();
    const auto feed = [&] {
      return std::make_unique<subscription::EventFeed>(EventsRequest{.events_max = 1}, upcasting, *readers.borrow());
    };
    const OnNews<EventBatch> nothing = [](const EventBatch&) {};
    std::atomic<bool> has_other = false;
    std::atomic<bool> is_in_last_round = false;
    std::atomic<bool> is_stopping = false;
    std::atomic<bool> told_other_late = false;
    subscription::Dispatcher dispatcher(subscription::Dispatcher::Drive::thread, readers, clock,
                                        {.news = news, .notice = [](const std::string&) {}, .check_may_wait = [] {}});
    const auto busy =
        dispatcher.subscribe<EventBatch>(feed(),
                                         [&](const EventBatch& batch) {
                                           if (batch.through == Position{1}) {
                                             has_other.wait(false);
                                             return;
                                           }
                                           // The round that has the other one in it as well.
                                           is_in_last_round = true;
                                           is_in_last_round.notify_all();
                                           while (!is_stopping) {
                                             try {
                                               static_cast<void>(dispatcher.subscribe<EventBatch>(feed(), nothing, {}));
                                             } catch (const Error&) {
                                               is_stopping = true;
                                             }
                                           }
                                         },
                                         {});
    const auto other = dispatcher.subscribe<EventBatch>(
        feed(), [&](const EventBatch&) { told_other_late = told_other_late || is_stopping; }, {});
    has_other = true;
    has_other.notify_all();
    is_in_last_round.wait(false);
    dispatcher.stop();
    CHECK_FALSE(told_other_late);
    CHECK(other.ended() == "the store is closed");
  }

  TEST_CASE("subscribe_to_events: what an upcaster throws ends the one subscription, whatever it is") {
    const TempDir directory;
    StoreOptions options = threaded(directory.file());
    options.engine = Engine::off;
    {
      Store store(options);
      append(store, "a", 1);
    }
    options.upcasters = {{"Deposited", 1, [](std::string_view) -> std::string { throw 42; }}};
    Gate noticed;
    options.on_notice = [&](const Notice&) { noticed.pass(); };
    noticed.open();
    Store store(options);
    const auto subscription = store.subscribe_to_events({}, [](const EventBatch&) {});
    noticed.wait_until_entered();
    REQUIRE(subscription.ended().has_value());
    CHECK(holds(*subscription.ended(), "something was thrown that is no exception"));
  }

  TEST_CASE("subscribe_to_events: where nobody projects, events are told all the same") {
    const TempDir directory;
    StoreOptions options = threaded(directory.file());
    options.engine = Engine::off;
    Store store(options);
    Told<EventBatch> told;
    const auto subscription = store.subscribe_to_events({}, told.keep());
    append(store, "a", 1);
    told.wait(has_reached(1));
  }

  TEST_CASE("subscribe_to_events: a slow subscriber is caught up from the log, in batches") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    Gate gate;
    Told<EventBatch> told;
    std::atomic<std::size_t> largest = 0;
    const auto keep = told.keep();
    const auto subscription = store.subscribe_to_events({.events_max = 50}, [&](const EventBatch& batch) {
      gate.pass();
      largest = std::max(largest.load(), batch.events.size());
      keep(batch);
    });
    append(store, "a", 1);
    gate.wait_until_entered();
    append_many(store, "a", 2'000);
    gate.open();
    told.wait(has_reached(2'001));
    CHECK(positions(told.all()) == from_to(1, 2'001));
    CHECK(largest == 50);
  }

  TEST_CASE("Subscription: its destructor waits for the callback that runs, and none runs afterwards") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    Gate gate;
    std::atomic<bool> is_done = false;
    std::atomic<int> calls = 0;
    std::optional<Subscription<EventBatch>> subscription(store.subscribe_to_events({.events_max = 1}, [&](const auto&) {
      ++calls;
      gate.pass();
      is_done = true;
    }));
    append_many(store, "a", 5);
    gate.wait_until_entered();
    std::thread opener([&] { gate.open(); });
    subscription.reset();
    CHECK(is_done);
    const int calls_at_the_end = calls;
    append_many(store, "a", 5);
    REQUIRE(store.drain());
    CHECK(calls == calls_at_the_end);
    opener.join();
  }

  TEST_CASE("Subscription: many threads subscribe and unsubscribe while events are told") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    std::atomic<bool> stop = false;
    std::thread writer([&] {
      while (!stop) append(store, "a", 1);
    });
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&store] {
        for (int round = 0; round < 20; ++round) {
          Told<EventBatch> told;
          const auto subscription = store.subscribe_to_events({}, told.keep());
          told.wait([](const auto& all) { return !all.empty(); });
        }
      });
    }
    for (auto& thread : threads) thread.join();
    stop = true;
    writer.join();
  }

  TEST_CASE("close: a callback that waits in a read is woken, and nothing is told afterwards") {
    const TempDir directory;
    Store store(threaded(directory.file(), delayed(1h)));
    Gate gate;
    gate.open();
    std::atomic<int> calls = 0;
    const auto subscription = store.subscribe_to_events({.events_max = 1}, [&](const EventBatch&) {
      ++calls;
      gate.pass();
      static_cast<void>(store.read({.projections = {"totals"}, .consistency = Strong{}, .timeout = 1h}));
    });
    append_many(store, "a", 2);
    gate.wait_until_entered();
    store.close();
    CHECK(calls == 1);
    CHECK(holds(*subscription.ended(), "the store is closed"));
  }

  TEST_CASE("Post: a loop is told everything while another thread appends") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    Loop loop;
    std::vector<EventBatch> told;  // Of this thread alone, which runs the loop.
    const auto subscription = store.subscribe_to_events(
        {.events_max = 3}, [&](const EventBatch& batch) { told.push_back(batch); }, loop.post());
    std::thread writer([&store] { append_many(store, "a", 100); });
    while (told.empty() || told.back().through < Position{100}) loop.run_one();
    writer.join();
    CHECK(positions(told) == from_to(1, 100));
  }

  TEST_CASE("Post: a loop of several threads is told the newest state in the end") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    Loop loop;
    Told<Changes> told;
    const auto subscription = store.subscribe_to_changes({.projections = {"totals"}}, told.keep(), loop.post());
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&] {
        while (!stop) loop.run_one();
      });
    }
    for (int event = 0; event < 200; ++event) append(store, "a", 1);
    told.wait([](const auto& all) { return !all.empty() && all.back().projections.front().position == Position{200}; });
    stop = true;
    for (std::size_t thread = 0; thread < threads.size(); ++thread) loop.post()([] {});
    for (auto& thread : threads) thread.join();
  }

  TEST_CASE("take: a loop that polls the descriptor is told everything") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    auto subscription = store.subscribe_to_events({.events_max = 3});
    std::thread writer([&store] { append_many(store, "a", 100); });
    std::vector<EventBatch> told;
    while (told.empty() || told.back().through < Position{100}) {
      pollfd asked{.fd = subscription.descriptor(), .events = POLLIN, .revents = 0};
      REQUIRE(::poll(&asked, 1, -1) == 1);
      if (auto batch = subscription.take()) told.push_back(*std::move(batch));
    }
    writer.join();
    CHECK(positions(told) == from_to(1, 100));
  }
}
