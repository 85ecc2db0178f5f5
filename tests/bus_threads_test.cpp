// The bus under real threads: one publishes, one consumes, and the log is shared.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "base/signal.hpp"
#include "bus/in_process_bus.hpp"
#include "freshet/error.hpp"

using namespace std::chrono_literals;
using namespace freshet;

namespace {

constexpr std::int64_t events = 100'000;

RecordedEvent event_at(std::int64_t position) {
  RecordedEvent event;
  event.position = Position{position};
  event.stream_number = position % 1'000;
  event.data = "long enough to be allocated on its own: " + std::to_string(position);
  return event;
}

// Every third batch is only announced, as if another process had appended it.
void publish_all(Bus& bus, Guarded<std::int64_t>& head) {
  std::vector<Message> batch;
  int batches = 0;
  for (std::int64_t position = 1; position <= events; ++position) {
    batch.push_back({.event = std::make_shared<const RecordedEvent>(event_at(position))});
    if (batch.size() < 20 && position < events) continue;
    *head.locked() = position;
    if (++batches % 3 == 0) {
      bus.announce(Position{position});
    } else {
      bus.publish(batch);
    }
    batch.clear();
  }
}

struct Count {
  std::int64_t delivered = 0;
  bool in_order = true;
};

// Acknowledges what arrives, until that is everything.
Count consume_all(Consumer& consumer, Signal& signal, Clock& clock) {
  Count count;
  std::vector<std::int64_t> last(8);
  while (consumer.acknowledged() != Offsets(8, Position{events})) {
    const auto seen = signal.count();
    const auto deliveries = consumer.poll(256);
    for (const Delivery& delivery : deliveries) {
      consumer.acknowledge(delivery);
      if (delivery.attempt > 1) continue;
      auto& before = last.at(static_cast<std::size_t>(delivery.partition));
      count.in_order = count.in_order && before < delivery.event->position.value;
      before = delivery.event->position.value;
      ++count.delivered;
    }
    if (deliveries.empty()) signal.wait(clock, seen, consumer.next_arrival().value_or(clock.now() + 1h));
  }
  return count;
}

Count hammer(const BusOptions& options, AheadOfNeed read_ahead = AheadOfNeed::no) {
  SystemClock clock;
  Guarded<std::int64_t> head;
  const auto read_log = [&](Position after, std::size_t events_max) {
    const auto end = std::min(*head.locked(), after.value + static_cast<std::int64_t>(events_max));
    std::vector<RecordedEvent> slice;
    for (auto position = after.value + 1; position <= end; ++position) slice.push_back(event_at(position));
    return slice;
  };
  const auto bus = make_in_process_bus(options, read_log, clock, read_ahead);
  Signal signal;
  const auto consumer = bus->subscribe({.group = "hammer", .on_arrival = [&] { signal.notify(); }});
  std::jthread publisher{[&] { publish_all(*bus, head); }};
  return consume_all(*consumer, signal, clock);
}

// What was read of a log of `long_log` events.
constexpr std::int64_t long_log = 5'000;
struct LongLog {
  Guarded<std::vector<std::thread::id>> readers;
  Position damaged;

  std::vector<RecordedEvent> read(Position after, std::size_t events_max) {
    readers.locked()->push_back(std::this_thread::get_id());
    std::vector<RecordedEvent> slice;
    const auto end = std::min(long_log, after.value + static_cast<std::int64_t>(events_max));
    for (auto position = after.value + 1; position <= end; ++position) {
      if (Position{position} == damaged) throw Error(ErrorCode::corrupt, "damaged");
      slice.push_back(event_at(position));
    }
    return slice;
  }
  [[nodiscard]] bool was_read_elsewhere() {
    auto of_threads = readers.locked();
    return std::ranges::any_of(*of_threads, [](auto reader) { return reader != std::this_thread::get_id(); });
  }
};

// The positions that arrive, in their order, until nothing more does.
std::vector<std::int64_t> positions_of(Consumer& consumer) {
  std::vector<std::int64_t> positions;
  for (auto deliveries = consumer.poll(256); !deliveries.empty(); deliveries = consumer.poll(256)) {
    for (const Delivery& delivery : deliveries) {
      positions.push_back(delivery.event->position.value);
      consumer.acknowledge(delivery);
    }
  }
  return positions;
}

}  // namespace

TEST_SUITE("bus_threads") {
  TEST_CASE("poll: beside a publishing thread every event arrives once and in its partition's order") {
    const auto count = hammer({});
    CHECK(count.delivered == events);
    CHECK(count.in_order);
  }

  TEST_CASE("poll: the same with a memory so small that most is read from the log") {
    const auto count = hammer({.delay = ExponentialDelay{10us}, .duplicate_probability = 0.1, .messages_max = 64});
    CHECK(count.delivered == events);
    CHECK(count.in_order);
  }

  TEST_CASE("poll: the same when the log is read ahead") {
    const auto count = hammer({.messages_max = 2'048}, AheadOfNeed::yes);
    CHECK(count.delivered == events);
    CHECK(count.in_order);
  }

  TEST_CASE("poll: who is far behind has the log read ahead by another thread, and gets it in order, once") {
    SystemClock clock;
    LongLog log;
    const auto bus = make_in_process_bus(
        {.partitions = 1}, [&](Position after, std::size_t events_max) { return log.read(after, events_max); }, clock,
        AheadOfNeed::yes);
    const auto consumer = bus->subscribe({.group = "behind"});
    bus->announce(Position{long_log});
    std::vector<std::int64_t> all(static_cast<std::size_t>(long_log));
    std::iota(all.begin(), all.end(), 1);
    CHECK(positions_of(*consumer) == all);
    CHECK(log.was_read_elsewhere());
  }

  TEST_CASE("poll: what reading ahead has met is thrown once its turn has come") {
    SystemClock clock;
    LongLog log{.readers = {}, .damaged = Position{1'100}};
    const auto bus = make_in_process_bus(
        {.partitions = 1}, [&](Position after, std::size_t events_max) { return log.read(after, events_max); }, clock,
        AheadOfNeed::yes);
    const auto consumer = bus->subscribe({.group = "behind"});
    bus->announce(Position{long_log});
    std::int64_t last = 0;
    const auto poll_all = [&] {
      for (auto deliveries = consumer->poll(256); !deliveries.empty(); deliveries = consumer->poll(256)) {
        last = deliveries.back().event->position.value;
      }
    };
    CHECK_THROWS_WITH_AS(poll_all(), "damaged", Error);
    CHECK(last > 0);
    CHECK(Position{last} < log.damaged);
  }
}
