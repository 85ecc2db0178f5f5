// Tests of the bus inside one process: on a virtual clock and a log that is a vector.
#include "freshet/bus.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "bus/delay.hpp"
#include "bus/schedule.hpp"
#include "bus_fixture.hpp"
#include "freshet/error.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

std::vector<std::int64_t> sorted(std::vector<std::int64_t> values) {
  std::ranges::sort(values);
  return values;
}

// True if the first arrivals of each partition are in the order of their positions.
bool partitions_in_order(const std::vector<Arrived>& arrived) {
  std::map<int, std::int64_t> last;
  return std::ranges::all_of(arrived, [&](const Arrived& each) {
    if (each.delivery.attempt > 1) return true;
    return std::exchange(last[each.delivery.partition], each.position()) < each.position();
  });
}

// Two streams in different partitions.
constexpr std::int64_t here = 1;
std::int64_t elsewhere() {
  std::int64_t stream = here;
  while (partition_of(stream, 8) == partition_of(here, 8)) ++stream;
  return stream;
}

BusOptions lively(std::uint64_t seed) {
  return {.delay = ExponentialDelay{50ms}, .duplicate_probability = 0.3, .redeliver_after = 100ms, .seed = seed};
}

// Publishes, records without a word, moves on and polls, as the seed says, and drains in the end.
std::vector<Arrived> live_through(World& world, std::uint64_t seed) {
  Random random{seed};
  std::vector<Arrived> arrived;
  for (int step = 0; step < 500; ++step) {
    const auto stream = static_cast<std::int64_t>(random() % 40) + 1;
    if (happens(0.1, random)) {
      world.record(stream);
      if (happens(0.5, random)) world.bus->announce(world.head());
    } else {
      world.publish(stream);
    }
    world.clock.sleep_until(world.clock.now() + draw(ExponentialDelay{2ms}, random));
    for (auto& delivery : world.consumer->poll(random() % 5)) {
      if (happens(0.8, random)) world.consumer->acknowledge(delivery);
      arrived.push_back({world.clock.now(), std::move(delivery)});
    }
  }
  world.bus->announce(world.head());
  std::ranges::move(world.drain(), std::back_inserter(arrived));
  return arrived;
}

}  // namespace

TEST_SUITE("bus") {
  TEST_CASE("poll: a message arrives after its delay and not before") {
    World world{{.delay = FixedDelay{50ms}}};
    world.subscribe();
    world.publish(here);
    const Instant published = world.clock.now();
    CHECK(world.consumer->next_arrival() == published + 50ms);
    world.clock.sleep_until(published + 50ms - 1us);
    CHECK(world.consumer->poll(10).empty());
    world.clock.sleep_until(published + 50ms);
    CHECK(positions(world.consumer->poll(10)) == from_to(1, 1));
  }

  TEST_CASE("poll: a message that says when it was published is delayed from then") {
    World world{{.delay = FixedDelay{50ms}}};
    world.subscribe();
    const auto event = std::make_shared<const RecordedEvent>(world.record(here));
    world.clock.sleep_until(world.clock.now() + 10ms);
    const Message message{.event = event, .published = world.clock.now()};
    world.clock.sleep_until(world.clock.now() + 20ms);
    world.bus->publish({&message, 1});
    CHECK(world.consumer->next_arrival() == *message.published + 50ms);
  }

  TEST_CASE("poll: what is read from the log is delayed from the time of its recording") {
    World world{{.delay = FixedDelay{50ms}}};
    world.record(here);
    world.clock.sleep_until(world.clock.now() + 20ms);
    world.subscribe();
    world.bus->announce(world.head());
    CHECK(world.consumer->next_arrival() == world.clock.now() + 30ms);
  }

  TEST_CASE("poll: an event from the future, by a clock set back since, waits no longer than its delay") {
    World world{{.delay = FixedDelay{50ms}}};
    world.record(here);
    world.log.back().recorded_at += 24h;
    world.subscribe();
    world.bus->announce(world.head());
    CHECK(world.consumer->next_arrival() == world.clock.now() + 50ms);
  }

  TEST_CASE("poll: gives no more than asked for, and the rest next time") {
    World world;
    world.subscribe();
    for (int count = 0; count < 5; ++count) world.publish(count);
    CHECK(positions(world.consumer->poll(3)) == from_to(1, 3));
    CHECK(positions(world.consumer->poll(3)) == from_to(4, 5));
    CHECK(world.consumer->poll(3).empty());
  }

  TEST_CASE("poll: partitions keep their order, whatever the delays are, and nothing is lost") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      CAPTURE(seed);
      auto options = lively(seed);
      options.messages_max = seed % 3 == 0 ? 1 + seed : 65'536;
      World world{options};
      world.subscribe();
      const auto arrived = live_through(world, seed);
      CHECK(partitions_in_order(arrived));
      std::set<std::int64_t> seen;
      for (const Arrived& each : arrived) seen.insert(each.position());
      CHECK(seen.size() == world.log.size());
      CHECK(world.consumer->acknowledged() == world.all(world.head()));
    }
  }

  TEST_CASE("poll: between partitions messages overtake each other") {
    World world{{.delay = UniformDelay{.min = 1ms, .max = 100ms}}};
    world.subscribe();
    for (int stream = 0; stream < 100; ++stream) world.publish(stream);
    const Instant published = world.clock.now();
    const auto arrived = world.drain();
    for (const Arrived& each : arrived) CHECK(each.at >= published + 1ms);
    CHECK(positions(arrived) != from_to(1, 100));
    CHECK(sorted(positions(arrived)) == from_to(1, 100));
    CHECK(partitions_in_order(arrived));
  }

  TEST_CASE("poll: the same seed makes the same run") {
    const auto run = [](std::uint64_t seed) {
      World world{lively(seed)};
      world.subscribe();
      std::vector<std::pair<Instant, std::int64_t>> arrivals;
      for (const Arrived& each : live_through(world, 5)) arrivals.emplace_back(each.at, each.position());
      return arrivals;
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
  }

  TEST_CASE("poll: a message meets the same fate from the queue, from the log and in a second life") {
    World queued{lively(1)};
    World logged{lively(1)};
    queued.subscribe();
    for (int stream = 0; stream < 200; ++stream) queued.publish(stream);
    for (int stream = 0; stream < 200; ++stream) logged.record(stream);
    logged.subscribe();
    logged.bus->announce(logged.head());
    const auto first = queued.drain();
    CHECK(positions(first) == positions(logged.drain()));
    CHECK(first.size() > 200);
  }

  TEST_CASE("poll: groups are told of everything, each with chances of its own") {
    World world{{.delay = ExponentialDelay{50ms}}};
    world.subscribe();
    const auto other = world.bus->subscribe({.group = "other"});
    for (int stream = 0; stream < 50; ++stream) world.publish(stream);
    CHECK(other->next_arrival() != world.consumer->next_arrival());
    const auto arrived = world.drain();
    CHECK(sorted(positions(arrived)) == from_to(1, 50));
    world.clock.sleep_until(world.clock.now() + 1h);
    CHECK(sorted(positions(other->poll(100))) == from_to(1, 50));
  }

  TEST_CASE("duplicates: as many as asked for, each once more and after its original") {
    World world{{.delay = FixedDelay{10ms}, .duplicate_probability = 0.3}};
    world.subscribe();
    for (int stream = 0; stream < 5'000; ++stream) world.publish(stream);
    const Instant published = world.clock.now();
    int duplicates = 0;
    for (const Arrived& each : world.drain(10'000)) {
      CHECK(each.at == published + each.delivery.attempt * 10ms);
      duplicates += each.delivery.attempt == 2 ? 1 : 0;
    }
    CHECK(duplicates / 5'000.0 == doctest::Approx(0.3).epsilon(0.1));
  }

  TEST_CASE("duplicates: need no acknowledgement") {
    World world{{.delay = FixedDelay{10ms}, .duplicate_probability = 1.0}};
    world.subscribe();
    world.publish(here);
    world.clock.sleep_until(world.clock.now() + 10ms);
    world.consumer->acknowledge(world.consumer->poll(1).at(0));
    CHECK(world.consumer->acknowledged() == world.all(Position{1}));
    world.clock.sleep_until(world.clock.now() + 10ms);
    CHECK(world.consumer->poll(1).at(0).attempt == 2);
    CHECK_FALSE(world.consumer->next_arrival());
  }

  TEST_CASE("acknowledge: what is not acknowledged in time is delivered again, and again") {
    World world{{.redeliver_after = 30s}};
    world.subscribe();
    world.publish(here);
    CHECK(world.consumer->poll(1).at(0).attempt == 1);
    CHECK(world.consumer->next_arrival() == world.clock.now() + 30s);
    world.clock.sleep_until(world.clock.now() + 30s);
    CHECK(world.consumer->poll(10).at(0).attempt == 2);
    CHECK(world.consumer->poll(10).empty());
    world.clock.sleep_until(world.clock.now() + 30s);
    CHECK(world.consumer->poll(10).at(0).attempt == 3);
  }

  TEST_CASE("acknowledge: ends the redelivery, and a second time means nothing") {
    World world;
    world.subscribe();
    world.publish(here);
    const auto delivery = world.consumer->poll(1).at(0);
    world.consumer->acknowledge(delivery);
    world.consumer->acknowledge(delivery);
    CHECK_FALSE(world.consumer->next_arrival());
    world.clock.sleep_until(world.clock.now() + 1h);
    CHECK(world.consumer->poll(1).empty());
  }

  TEST_CASE("acknowledge: an event that has not arrived here is not done by it") {
    World world{{.delay = FixedDelay{10ms}}};
    world.subscribe();
    world.publish(here);
    CHECK(world.consumer->next_arrival());
    world.consumer->acknowledge({.event = std::make_shared<const RecordedEvent>(world.log.at(0))});
    CHECK(world.consumer->acknowledged().at(static_cast<std::size_t>(partition_of(here, 8))) == Position{0});
    CHECK(world.drain().size() == 1);
  }

  TEST_CASE("acknowledged: an offset stops before the first event of its partition that is not done") {
    World world;
    world.subscribe();
    for (int count = 0; count < 3; ++count) world.publish(here);
    const auto deliveries = world.consumer->poll(10);
    const auto mine = static_cast<std::size_t>(deliveries.at(0).partition);
    world.consumer->acknowledge(deliveries.at(1));
    world.consumer->acknowledge(deliveries.at(2));
    CHECK(world.consumer->acknowledged().at(mine) == Position{0});
    world.consumer->acknowledge(deliveries.at(0));
    CHECK(world.consumer->acknowledged().at(mine) == Position{3});
  }

  TEST_CASE("acknowledged: a partition without anything outstanding follows the others") {
    World world;
    world.subscribe();
    world.publish(here);
    world.publish(elsewhere());
    const auto deliveries = world.consumer->poll(10);
    world.consumer->acknowledge(deliveries.at(0));
    auto expected = world.all(Position{2});
    expected.at(static_cast<std::size_t>(deliveries.at(1).partition)) = Position{1};
    CHECK(world.consumer->acknowledged() == expected);
  }

  TEST_CASE("subscribe: what was not committed is delivered again, and nothing else") {
    World world;
    world.subscribe();
    for (int stream = 0; stream < 100; ++stream) world.publish(stream);
    std::vector<std::int64_t> unfinished;
    for (const Delivery& delivery : world.consumer->poll(60)) {
      if (delivery.event->position.value % 7 != 0) world.consumer->acknowledge(delivery);
    }
    const Offsets committed = world.consumer->acknowledged();
    for (const RecordedEvent& event : world.log) {
      const auto partition = static_cast<std::size_t>(partition_of(event.stream_number, 8));
      if (event.position > committed.at(partition)) unfinished.push_back(event.position.value);
    }
    world.subscribe(committed);
    CHECK(world.consumer->acknowledged() == committed);
    CHECK(positions(world.drain()) == unfinished);
    CHECK(unfinished.size() < 100);
  }

  TEST_CASE("subscribe: no offsets are the beginning of the log, those of other partitions count by the smallest") {
    World world;
    for (int stream = 0; stream < 10; ++stream) world.record(stream);
    world.bus->announce(world.head());
    world.subscribe();
    CHECK(positions(world.drain()) == from_to(1, 10));
    world.subscribe({Position{9}, Position{4}});
    CHECK(positions(world.drain()) == from_to(5, 10));
  }

  TEST_CASE("announce: alone it brings the events from the log") {
    World world;
    world.subscribe();
    for (int stream = 0; stream < 2'000; ++stream) world.record(stream);
    CHECK_FALSE(world.consumer->next_arrival());
    world.bus->announce(world.head());
    CHECK(positions(world.drain()) == from_to(1, 2'000));
    CHECK(world.events_read == 2'000);
  }

  TEST_CASE("announce: a head below the known one changes nothing") {
    World world;
    world.subscribe();
    world.record(here);
    world.record(here);
    world.bus->announce(Position{2});
    world.bus->announce(Position{1});
    CHECK(positions(world.drain()) == from_to(1, 2));
  }

  TEST_CASE("poll: far behind the head the first events come while the rest are still in the log") {
    World world;
    world.subscribe();
    for (int stream = 0; stream < 2'000; ++stream) world.record(stream);
    world.bus->announce(world.head());
    CHECK(world.consumer->poll(1).size() == 1);
    CHECK(world.events_read < 2'000);
  }

  TEST_CASE("next_arrival: knows of the earliest arrival, wherever in the log it is") {
    World world{{.delay = FixedDelay{50ms}}};
    world.subscribe();
    for (int count = 0; count < 1'500; ++count) world.record(here);
    world.record(elsewhere());
    world.log.back().recorded_at -= 40ms;
    world.bus->announce(world.head());
    CHECK(world.consumer->next_arrival() == world.clock.now() + 10ms);
  }

  TEST_CASE("publish: a gap before a message is closed from the log first") {
    World world;
    world.subscribe();
    world.publish(here);
    world.record(here);
    world.publish(here);
    CHECK(positions(world.drain()) == from_to(1, 3));
    CHECK(world.events_read == 1);
  }

  TEST_CASE("publish: what came from the log already is not taken from the queue again") {
    World world;
    world.subscribe();
    world.bus->announce(Position{1});
    world.publish(here);
    CHECK(positions(world.drain()) == from_to(1, 1));
    const Message again{.event = std::make_shared<const RecordedEvent>(world.log.at(0))};
    world.bus->publish({&again, 1});
    CHECK(world.drain().empty());
  }

  TEST_CASE("publish: above messages_max the rest is left to the log, and comes from there") {
    World world{{.messages_max = 4}};
    world.subscribe();
    for (int stream = 0; stream < 20; ++stream) world.publish(stream);
    CHECK(world.consumer->poll(100).size() == 4);
    CHECK(world.consumer->poll(100).empty());
    CHECK(world.events_read == 0);
    world.clock.sleep_until(*world.consumer->next_arrival());
    CHECK(positions(world.drain()) == from_to(1, 20));
    CHECK(world.events_read == 16);
  }

  TEST_CASE("publish: a queue full of messages out of turn does not keep out the one they wait for") {
    World world{{.messages_max = 4}};
    world.subscribe();
    for (int stream = 0; stream < 3; ++stream) world.record(stream);
    for (int stream = 0; stream < 4; ++stream) world.publish(stream);
    CHECK(positions(world.drain()) == from_to(1, 7));
  }

  TEST_CASE("publish: one place is enough") {
    World world{{.delay = ExponentialDelay{5ms}, .duplicate_probability = 0.5, .messages_max = 1}};
    world.subscribe();
    for (int stream = 0; stream < 50; ++stream) world.publish(stream);
    const auto arrived = world.drain();
    CHECK(partitions_in_order(arrived));
    CHECK(arrived.size() > 50);
    CHECK(world.consumer->acknowledged() == world.all(world.head()));
  }

  TEST_CASE("publish: notifies every consumer after the message is there, and none that has left") {
    World world;
    int calls = 0;
    world.consumer = world.bus->subscribe({.group = "test", .on_arrival = [&] { ++calls; }});
    world.publish(here);
    CHECK(calls == 1);
    world.bus->announce(world.head());
    CHECK(calls == 2);
    world.consumer.reset();
    world.publish(here);
    CHECK(calls == 2);
  }

  TEST_CASE("poll: a log that cannot be read is reported, and nothing is lost by it") {
    World world{{.messages_max = 4}};
    world.subscribe();
    for (int stream = 0; stream < 10; ++stream) world.publish(stream);
    CHECK(world.drain(2).size() == 10);
    for (int stream = 0; stream < 10; ++stream) world.record(stream);
    world.bus->announce(world.head());
    world.log_is_broken = true;
    CHECK(world.consumer->next_arrival() == world.clock.now());
    CHECK_THROWS_AS(static_cast<void>(world.consumer->poll(10)), Error);
    CHECK_THROWS_AS(static_cast<void>(world.consumer->poll(10)), Error);
    world.log_is_broken = false;
    CHECK(positions(world.drain()) == from_to(11, 20));
  }

  TEST_CASE("poll: a log that ends before its announced head is corrupt") {
    World world;
    world.subscribe();
    world.bus->announce(Position{1});
    CHECK_THROWS_WITH_AS(static_cast<void>(world.consumer->poll(1)),
                         "the log holds no event at position 1, which was announced", Error);
  }

  TEST_CASE("partition_of: the same on every machine, and spread evenly") {
    CHECK(partition_of(1, 8) == 1);
    CHECK(partition_of(2, 8) == 6);
    CHECK(partition_of(123'456'789, 1'024) == 633);
    std::map<int, int> streams;
    for (std::int64_t stream = 1; stream <= 8'000; ++stream) ++streams[partition_of(stream, 8)];
    for (const auto& [partition, count] : streams) CHECK(count == doctest::Approx(1'000).epsilon(0.15));
  }
}
