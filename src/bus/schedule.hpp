// What one consumer of the bus has to be given, and when: arrivals in their partitions, duplicates, and
// redelivery of what is not acknowledged.
//
// Every choice that is left to chance is drawn from a generator of its own, seeded with the options' seed,
// the group and the position. So the same message meets the same fate in every run, however threads are
// timed, wherever the consumer began, and whether it came from the queue or from the log.
//
// Threads: the consumer's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "freshet/bus.hpp"

namespace freshet {

// The same on every machine and in every release: committed offsets depend on it.
[[nodiscard]] int partition_of(std::int64_t stream_number, int partitions);

class Schedule {
 public:
  // Begins above the smallest of the committed offsets; see ConsumerOptions.
  Schedule(const BusOptions& options, std::string_view group, const Offsets& committed, const Clock& clock);
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  // The position of the message that was added last.
  [[nodiscard]] Position last() const { return last_; }

  // Takes the message at last() + 1. What its partition has committed already is passed over.
  void add(const Message& message);

  // When take_due() has something next.
  [[nodiscard]] std::optional<Instant> next() const;

  // The earliest delivery that is due at `now`.
  [[nodiscard]] std::optional<Delivery> take_due(Instant now);

  // Ends the redelivery of this event. Ignored unless it was delivered and not acknowledged yet.
  void acknowledge(const RecordedEvent& event);

  [[nodiscard]] Offsets acknowledged() const;

  // Messages held: not arrived, or not acknowledged.
  [[nodiscard]] std::size_t size() const { return arrivals_.size() + outstanding_.size(); }

 private:
  // A message on its way. Attempt 1 is the message, attempt 2 its duplicate.
  struct Arrival {
    Instant at;
    Delivery delivery;
  };

  // Delivered and not acknowledged.
  struct Outstanding {
    Instant redeliver_at;
    Delivery delivery;
  };

  struct Partition {
    Position committed;
    // No message arrives before the one ahead of it.
    Instant last_arrival{};
    // Where each is in outstanding_; its end for what has not arrived.
    std::map<Position, std::list<Outstanding>::iterator> unacknowledged;
  };

  struct Choices {
    Duration delay;
    std::optional<Duration> duplicate_after;  // A further delay.
  };

  [[nodiscard]] static bool arrives_later(const Arrival& left, const Arrival& right);
  [[nodiscard]] Choices choose(Position position) const;
  [[nodiscard]] Instant arrival(const Message& message, Duration delay) const;
  [[nodiscard]] Partition& partition(const RecordedEvent& event);
  void push(Arrival arrival);
  Delivery take_arrival(Instant now);
  Delivery redeliver(Instant now);

  const BusOptions options_;
  const Duration redeliver_after_;
  const Clock& clock_;
  const std::uint64_t seed_;
  Position last_;
  std::vector<Partition> partitions_;
  // A heap by arrives_later().
  std::vector<Arrival> arrivals_;
  // In the order of redelivery, because each waits equally long.
  std::list<Outstanding> outstanding_;
};

}  // namespace freshet
