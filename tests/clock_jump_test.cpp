// Tests of a store whose clock is set forwards and back.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"
#include "exchange/import.hpp"
#include "order_store.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// Shows what it is set to; what is waited for passes as on any clock.
class SetClock final : public Clock {
 public:
  explicit SetClock(Timestamp start) : clock_(start) {}

  void set(Duration by) { by_ += by; }

  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] Timestamp wall_time() const override { return clock_.wall_time() + by_; }
  void sleep_until(Instant deadline) override { clock_.sleep_until(deadline); }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override {
    clock_.wait_until(condition, lock, deadline);
  }

 private:
  VirtualClock clock_;
  Duration by_{};
};

struct Fixture {
  explicit Fixture(BusOptions bus = {}) {
    options = stepped(directory.file(), std::move(bus));
    options.clock = clock;
    options.on_notice = [this](const Notice& notice) { notices.push_back(notice.message); };
    store.emplace(options);
  }

  RecordedEvent newest() { return store->log().read_all(Position{store->log().head().value - 1}, 1).at(0); }

  TempDir directory;
  std::shared_ptr<SetClock> clock = std::make_shared<SetClock>(Timestamp{std::chrono::days{20'000}});
  std::vector<std::string> notices;
  StoreOptions options;
  std::optional<Store> store;
};

}  // namespace

TEST_SUITE("clock_jump") {
  TEST_CASE("append: it happened when the clock says so, and is recorded no earlier than what was before") {
    Fixture fixture;
    fixture.clock->set(24h);
    append(*fixture.store, "a", 1);
    const Timestamp ahead = fixture.clock->wall_time();
    fixture.clock->set(-24h);
    append(*fixture.store, "a", 2);
    CHECK(fixture.newest().occurred_at == fixture.clock->wall_time());
    CHECK(fixture.newest().recorded_at == ahead);
  }

  TEST_CASE("append: that the clock is behind the log is told once, and again after it has caught up") {
    Fixture fixture;
    append(*fixture.store, "a", 1);
    fixture.clock->set(-5s);  // Clocks of two machines may differ by as much.
    append(*fixture.store, "a", 1);
    CHECK(fixture.notices.empty());
    fixture.clock->set(-1h);
    append(*fixture.store, "a", 1);
    append(*fixture.store, "a", 1);
    REQUIRE(fixture.notices.size() == 1);
    CHECK(holds(fixture.notices.front(), "position 3 is recorded at 2024-10-04T00:00:00.000000Z, and the clock shows"));
    fixture.clock->set(2h);
    append(*fixture.store, "a", 1);
    CHECK(fixture.notices.size() == 1);
    fixture.clock->set(-1h);
    append(*fixture.store, "a", 1);
    CHECK(fixture.notices.size() == 2);
  }

  TEST_CASE("import: an event from the future is taken, told of, and dates no other") {
    Fixture fixture;
    append(*fixture.store, "a", 1);
    ExportedEvent exported{.event = fixture.newest()};
    exported.event.position = Position{2};
    exported.event.version = Version{2};
    exported.event.append_end = exported.event.position;
    exported.event.recorded_at = fixture.clock->wall_time() + 24h * 365;
    fixture.store->log().write([&](AppendTransaction& transaction) { CHECK(transaction.import_event(exported)); });
    CHECK(fixture.notices.size() == 1);
    append(*fixture.store, "a", 1);
    CHECK(fixture.newest().occurred_at == fixture.clock->wall_time());
    CHECK(fixture.newest().recorded_at == exported.event.recorded_at);
    CHECK(fixture.notices.size() == 1);
  }

  TEST_CASE("read (max staleness): where the clock is behind the log, all of it counts as old") {
    Fixture fixture(delayed(3s));
    append(*fixture.store, "a", 1);
    run_until_idle(*fixture.store);
    fixture.clock->set(-1h);
    append(*fixture.store, "a", 2);
    sleep(*fixture.store, 1500ms);
    const ReadRequest request{.projections = {"totals"}, .consistency = MaxStaleness{1s}, .timeout = 0s};
    const Reading late = fixture.store->read(request);
    CHECK(late.freshness().stale);
    CHECK(late.freshness().behind == 0s);
    run_until_idle(*fixture.store);
    CHECK_FALSE(fixture.store->read(request).freshness().stale);
  }

  TEST_CASE("read: no age is below 0, wherever it stands") {
    Fixture fixture(delayed(3s));
    append(*fixture.store, "a", 1);
    fixture.clock->set(-1h);
    CHECK(status(*fixture.store, "totals").behind == 0s);
    CHECK(fixture.store->read({.projections = {"totals"}}).freshness().behind == 0s);
    CHECK(fixture.store->read({.projections = {"totals"}, .stream = stream("a")}).freshness().behind == 0s);
  }

  TEST_CASE("append: at a time that no export could bring back nothing is recorded") {
    Fixture fixture;
    const Duration far = std::chrono::days{100'000};
    for (const Duration by : {far, -3 * far}) {
      fixture.clock->set(by);
      CHECK(holds(message_of([&] { append(*fixture.store, "a", 1); }), "the clock shows a time outside"));
    }
    fixture.clock->set(2 * far);
    CHECK(append(*fixture.store, "a", 1).last == Position{1});
  }

  TEST_CASE("import: nothing was recorded at a time that no export could bring back") {
    Fixture fixture;
    append(*fixture.store, "a", 1);
    ExportedEvent exported{.event = fixture.newest()};
    exported.event.position = Position{2};
    exported.event.version = Version{2};
    exported.event.append_end = exported.event.position;
    exported.event.recorded_at = Timestamp::max();
    CHECK(error_of([&] {
            fixture.store->log().write(
                [&](AppendTransaction& transaction) { static_cast<void>(transaction.import_event(exported)); });
          }) == ErrorCode::invalid);
  }
}
