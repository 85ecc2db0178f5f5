// A bus between a log that is a vector and a consumer that does as the test says, on a virtual clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "freshet/bus.hpp"
#include "freshet/clock.hpp"
#include "freshet/error.hpp"

namespace freshet::tests {

struct Arrived {
  Instant at;
  Delivery delivery;

  [[nodiscard]] std::int64_t position() const { return delivery.event->position.value; }
};

// A log, a bus above it, and a clock that moves as the test says.
class World {
 public:
  explicit World(const BusOptions& options = {}) : options_(options) {
    bus = make_in_process_bus(
        options,
        [this](Position after, std::size_t events_max) {
          if (log_is_broken) throw Error(ErrorCode::io, "the log cannot be read");
          const auto begin = std::min(static_cast<std::size_t>(after.value), log.size());
          const auto end = std::min(begin + events_max, log.size());
          events_read += end - begin;
          return std::vector<RecordedEvent>(log.begin() + static_cast<std::ptrdiff_t>(begin),
                                            log.begin() + static_cast<std::ptrdiff_t>(end));
        },
        clock);
  }

  // An event that the bus is not told of.
  const RecordedEvent& record(std::int64_t stream) {
    RecordedEvent event;
    event.position = Position{static_cast<std::int64_t>(log.size()) + 1};
    event.stream_number = stream;
    event.recorded_at = clock.wall_time();
    log.push_back(event);
    return log.back();
  }

  void publish(std::int64_t stream) {
    const Message message{.event = std::make_shared<const RecordedEvent>(record(stream))};
    bus->publish({&message, 1});
  }

  void subscribe(const Offsets& committed = {}) {
    consumer.reset();
    consumer = bus->subscribe({.group = "test", .committed = committed});
  }

  // Everything that arrives, each acknowledged, until nothing more is on its way.
  std::vector<Arrived> drain(std::size_t deliveries_max = 100) {
    std::vector<Arrived> arrived;
    while (const auto next = consumer->next_arrival()) {
      clock.sleep_until(*next);
      for (auto& delivery : consumer->poll(deliveries_max)) {
        consumer->acknowledge(delivery);
        arrived.push_back({clock.now(), std::move(delivery)});
      }
    }
    return arrived;
  }

  [[nodiscard]] Position head() const { return Position{static_cast<std::int64_t>(log.size())}; }
  [[nodiscard]] Offsets all(Position position) const {
    return Offsets(static_cast<std::size_t>(options_.partitions), position);
  }

  VirtualClock clock{Timestamp{std::chrono::seconds{1'000'000}}};
  std::vector<RecordedEvent> log;
  std::size_t events_read = 0;
  bool log_is_broken = false;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<Consumer> consumer;

 private:
  BusOptions options_;
};

inline std::vector<std::int64_t> positions(const std::vector<Delivery>& deliveries) {
  std::vector<std::int64_t> values;
  for (const Delivery& delivery : deliveries) values.push_back(delivery.event->position.value);
  return values;
}

inline std::vector<std::int64_t> positions(const std::vector<Arrived>& arrived) {
  std::vector<std::int64_t> values;
  for (const Arrived& each : arrived) values.push_back(each.position());
  return values;
}

inline std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> values;
  for (auto value = first; value <= last; ++value) values.push_back(value);
  return values;
}

}  // namespace freshet::tests
