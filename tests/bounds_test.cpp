// Tests of values at and beyond the bounds that the public headers name.
#include <doctest/doctest.h>

#include "bus/delay.hpp"
#include "engine_fixture.hpp"
#include "projection/attempts.hpp"
#include "subscription_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

}  // namespace

TEST_SUITE("bounds") {
  TEST_CASE("read: a timeout below 0 is one of 0") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    append(store, "a", 1);
    for (const Duration timeout : {Duration::min(), Duration{-1}}) {
      const Reading reading = store.read({.projections = {"totals"}, .consistency = Strong{}, .timeout = timeout});
      CHECK(reading.freshness().stale);
      CHECK(reading.freshness().waited == 0ms);
    }
  }

  TEST_CASE("read: the age of a MaxStaleness is 0 or more, however long") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    append(store, "a", 1);
    const auto reading = [&](Duration age) {
      return store.read({.projections = {"totals"}, .consistency = MaxStaleness{age}, .timeout = 0ms});
    };
    for (const Duration age : {Duration::min(), Duration{-1}}) {
      CHECK(error_of([&] { static_cast<void>(reading(age)); }) == ErrorCode::invalid);
    }
    CHECK_FALSE(reading(Duration::max()).freshness().stale);
    CHECK(reading(0ms).freshness().stale);
  }

  TEST_CASE("log: what begins before the first event begins with it, and behind the last one there is nothing") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    for (int value = 1; value <= 3; ++value) append(store, "a", value);
    for (const std::int64_t before : {least, std::int64_t{-1}}) {
      CHECK(store.log().read_all(Position{before}, all_events).size() == 3);
      CHECK(store.log().read({.after = Position{before}, .events_max = 2}).size() == 2);
      CHECK(store.log().read_stream(stream("a"), Version{before}, all_events).size() == 3);
    }
    CHECK(store.log().read_all(Position{greatest}, all_events).empty());
    CHECK(store.log().read_stream(stream("a"), Version{greatest}, all_events).empty());
    CHECK(store.log().read_all({}, 0).empty());
    CHECK(store.log().read_stream(stream("a"), {}, 0).empty());
    auto subscription = store.subscribe_to_events({.after = Position{least}});
    run_until_idle(store);
    CHECK(subscription.take().has_value());
    for (const std::int64_t after : {std::int64_t{4}, greatest}) {
      CHECK(error_of([&] { static_cast<void>(store.subscribe_to_events({.after = Position{after}})); }) ==
            ErrorCode::invalid);
    }
  }

  TEST_CASE("projector: a pause before a retry is neither negative nor longer than a day") {
    for (const int attempts : {-1, 0, 1, 2, 40, std::numeric_limits<int>::max()}) {
      CAPTURE(attempts);
      CHECK(projection::backoff({.retry_backoff = Duration::max()}, attempts) == 24h);
      CHECK(projection::backoff({.retry_backoff = Duration::min()}, attempts) == 0ms);
      CHECK(projection::backoff({.retry_backoff = 1ms}, attempts) <= 24h);
    }
    CHECK(projection::backoff({.retry_backoff = 1ms}, 3) == 4ms);
  }

  TEST_CASE("projector: an event is tried once, if no attempt is asked for") {
    const TempDir directory;
    int tries = 0;
    StoreOptions options = with_fragile(stepped(directory.file()), [&](const RecordedEvent&) { return ++tries > 0; });
    options.projector.attempts_max = std::numeric_limits<int>::min();
    Store store(options);
    append(store, "a", 1);
    run_until_idle(store);
    CHECK(tries == 1);
    CHECK(status(store, "fragile").dead_letters == 1);
  }

  TEST_CASE("bus: a redelivery after the longest time that there is does not come at once") {
    const TempDir directory;
    Store store(stepped(directory.file(), {.redeliver_after = Duration::max()}));
    const auto consumer = store.bus().subscribe({.group = "test"});
    append(store, "a", 1);
    CHECK(consumer->poll(10).size() == 1);
    CHECK(consumer->poll(10).empty());
    CHECK(*consumer->next_arrival() > store.clock().now() + 24h);
  }

  TEST_CASE("bus: draws of the widest delays are delays") {
    Random random(1);
    for (const Delay& delay :
         {Delay{FixedDelay{Duration::max()}}, Delay{FixedDelay{Duration::min()}},
          Delay{UniformDelay{Duration::min(), Duration::max()}}, Delay{NormalDelay{Duration::max(), Duration::max()}},
          Delay{ExponentialDelay{Duration::max()}}, Delay{ExponentialDelay{Duration::min()}}}) {
      for (int draws = 0; draws < 100; ++draws) {
        const Duration drawn = draw(delay, random);
        CHECK(drawn >= 0ms);
        CHECK(drawn <= delay_max);
      }
    }
  }

  TEST_CASE("open: a busy timeout of any length is taken") {
    for (const Duration timeout : {Duration::min(), Duration::max()}) {
      const TempDir directory;
      StoreOptions options = stepped(directory.file());
      options.busy_timeout = timeout;
      Store store(std::move(options));
      append(store, "a", 1);
      run_until_idle(store);
      CHECK(store.rebuild("totals"));
      CHECK(total(store) == 1);
    }
  }

  TEST_CASE("on_arrival: what it throws goes no further, and the other consumers are told") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    int told = 0;
    const auto first = store.bus().subscribe({.group = "first", .on_arrival = [] { throw 42; }});
    const auto second = store.bus().subscribe({.group = "second", .on_arrival = [] { throw std::logic_error("no"); }});
    const auto third = store.bus().subscribe({.group = "third", .on_arrival = [&] { ++told; }});
    append(store, "a", 1);
    append(store, "a", 1, Projecting::synchronous);
    CHECK(told >= 2);
    CHECK(store.log().head() == Position{2});
    run_until_idle(store);
    CHECK(total(store) == 2);
  }

  TEST_CASE("on_trace: what it throws goes no further") {
    const TempDir directory;
    StoreOptions options = stepped(directory.file());
    int notices = 0;
    options.on_notice = [&](const Notice& notice) { notices += holds(notice.message, "not today") ? 1 : 0; };
    options.on_trace = [](const Trace&) { throw std::runtime_error("not today"); };
    Store store(std::move(options));
    append(store, "a", 1);
    append(store, "a", 1, Projecting::synchronous);
    run_until_idle(store);
    CHECK(total(store) == 2);
    CHECK(notices > 0);
  }
}
