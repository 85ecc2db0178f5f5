// Tests of calls from within: what is called in the body of write() or in a callback works, or says at once why not.
// None waits for what its own thread is in the middle of.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "engine_fixture.hpp"
#include "last_words.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

constexpr auto forever = 24h;

ReadRequest strong() {
  return {.projections = {"totals"}, .consistency = Strong{}, .timeout = forever};
}

// What a store with one event on its way says when `call` is made in the body of write().
std::string said_in_body(const StoreOptions& options, const std::function<void(Store&)>& call) {
  return last_words([&] {
    Store store(options);
    append(store, "a", 1);
    store.log().write([&](AppendTransaction&) { call(store); });
  });
}

// Runs something when it is applied.
class Calls final : public Projection {
 public:
  explicit Calls(std::function<void()> call) : call_(std::move(call)) {}
  [[nodiscard]] std::string_view name() const override { return "calls"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"calls"}; }
  void create(Tables& tables) const override { tables.execute("CREATE TABLE {calls} (n INTEGER)"); }
  void apply(const RecordedEvent& /*event*/, Tables& /*tables*/) const override { call_(); }

 private:
  std::function<void()> call_;
};

constexpr const char* no_waiting = "nothing is called that waits for it";
constexpr const char* no_writing = "in the body of write() only through its transaction";

}  // namespace

TEST_SUITE("within") {
  TEST_CASE("write: in its body nothing is drained, stepped or unsubscribed, and it says so at once") {
    const TempDir directory;
    const auto drain = [](Store& store) { store.drain(); };
    CHECK(holds(said_in_body(threaded(directory.file(), delayed(50ms)), drain), no_waiting));
    CHECK(holds(said_in_body(stepped(directory.file(), delayed(50ms)), drain), no_waiting));
    CHECK(holds(said_in_body(stepped(directory.file()),
                             [](Store& store) {
                               while (true) store.step();
                             }),
                no_writing));
    const auto crash = [](Store& store) { store.crash_projector(CrashPoint::now); };
    CHECK(holds(said_in_body(threaded(directory.file()), crash), no_waiting));
    CHECK(holds(last_words([&] {
                  Store store(threaded(directory.file()));
                  std::optional told(store.subscribe_to_events({}, [](const EventBatch&) {}));
                  store.log().write([&](AppendTransaction&) { told.reset(); });
                }),
                no_waiting));
  }

  TEST_CASE("write: in its body nothing is rebuilt, retried or discarded, whether there is something or not") {
    const TempDir directory;
    const StoreOptions options = stepped(directory.file());
    CHECK(holds(said_in_body(options, [](Store& store) { store.rebuild("totals"); }), no_writing));
    CHECK(holds(said_in_body(options, [](Store& store) { store.retry_dead_letters(); }), no_writing));
    CHECK(holds(said_in_body(options, [](Store& store) { store.discard_dead_letters({}); }), no_writing));
  }

  TEST_CASE("write: a read in its body answers at once with what there is, and says why it did not wait") {
    const TempDir directory;
    for (const Engine engine : {Engine::threads, Engine::stepped}) {
      StoreOptions options = threaded(directory.file(), delayed(forever));
      options.engine = engine;
      Store store(options);
      append(store, "a", 1);
      store.log().write([&](AppendTransaction&) {
        const Reading reading = store.read(strong());
        CHECK(reading.freshness().stale);
        CHECK(holds(reading.warnings().front(), "it is not waited for in a callback of the store or in the body"));
        ReadRequest request = strong();
        request.on_timeout = OnTimeout::error;
        CHECK(error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::stale);
        CHECK_FALSE(store.read({.projections = {"totals"}}).must_replay());
      });
    }
  }

  TEST_CASE("write: its body may verify, back up, read the log, ask for states, and subscribe") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    append(store, "a", 1);
    REQUIRE(store.drain());
    std::optional<Subscription<EventBatch>> told;
    store.log().write([&](AppendTransaction&) {
      CHECK(store.verify().problems.empty());
      CHECK(store.backup(directory.path() / "copy.db"));
      CHECK(store.log().head() == Position{1});
      CHECK(store.projections().size() == 2);
      CHECK(store.dead_letters().empty());
      told.emplace(store.subscribe_to_events({}));
    });
    CHECK(append(store, "a", 1).last == Position{2});
  }

  TEST_CASE("apply: nothing waits in it either") {
    const TempDir directory;
    const auto said = [](Engine engine, const std::function<void(Store&)>& call) {
      const TempDir own;  // Without events, so that nothing is applied before the store is known.
      return last_words([&] {
        std::atomic<Store*> self = nullptr;
        StoreOptions options = threaded(own.file());
        options.engine = engine;
        options.projections.push_back(std::make_shared<Calls>([&] { call(*self.load()); }));
        Store store(options);
        self = &store;
        append(store, "a", 1);
        store.drain();
      });
    };
    for (const Engine engine : {Engine::threads, Engine::stepped}) {
      CHECK(holds(said(engine, [](Store& store) { store.drain(); }), no_waiting));
      CHECK(holds(said(engine, [](Store& store) { append(store, "a", 1); }), no_writing));
    }
    std::atomic<Store*> self = nullptr;
    std::atomic<bool> was_stale = false;
    StoreOptions options = stepped(directory.path() / "other.db");
    options.projections.push_back(
        std::make_shared<Calls>([&] { was_stale = self.load()->read(strong()).freshness().stale; }));
    Store store(options);
    self = &store;
    append(store, "a", 1);
    CHECK(store.drain());
    CHECK(was_stale);
  }

  TEST_CASE("on_notice: a drain on the projector's thread would wait for itself, and says so") {
    for (const Engine engine : {Engine::threads, Engine::stepped}) {
      const TempDir directory;
      CHECK(holds(last_words([&] {
                    std::atomic<Store*> self = nullptr;
                    StoreOptions options = with_fragile(threaded(directory.file()), on_amount(7));
                    options.engine = engine;
                    options.on_notice = [&](const Notice&) { self.load()->drain(); };
                    Store store(options);
                    self = &store;
                    append(store, "a", 7);
                    store.drain();
                  }),
                  no_waiting));
    }
  }

  TEST_CASE("on_trace: a drain while an append is told of is refused") {
    const TempDir directory;
    CHECK(holds(last_words([&] {
                  std::atomic<Store*> self = nullptr;
                  StoreOptions options = threaded(directory.file());
                  options.on_trace = [&](const Trace& trace) {
                    if (trace.kind == Trace::Kind::appended) self.load()->drain();
                  };
                  Store store(options);
                  self = &store;
                  append(store, "a", 7);
                }),
                no_waiting));
  }

  TEST_CASE("subscription: its callback may append, drain, wait in a read and rebuild") {
    const TempDir directory;
    for (const Engine engine : {Engine::threads, Engine::stepped}) {
      const TempDir own;
      StoreOptions options = threaded(own.file());
      options.engine = engine;
      Store store(options);
      std::atomic<int> calls = 0;
      const auto told = store.subscribe_to_events({}, [&](const EventBatch& batch) {
        if (batch.events.front().position != Position{1}) return;
        append(store, "b", 1);
        CHECK(store.drain());
        CHECK_FALSE(store.read(strong()).freshness().stale);
        CHECK(store.rebuild("totals"));
        ++calls;
      });
      append(store, "a", 1);
      while (calls == 0) {
        if (engine == Engine::stepped) store.step();
        std::this_thread::yield();
      }
      CHECK(total(store) == 2);
    }
  }
}
