// The schedule of one consumer: every message's arrival, its duplicate, its redelivery, its end.
#include "bus/schedule.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/ensure.hpp"
#include "bus/delay.hpp"

namespace freshet {
namespace {

std::uint64_t mixed(std::uint64_t value) {
  return Random(value)();
}

// FNV-1a: std::hash may differ from one machine to another.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char character : text) value = (value ^ static_cast<unsigned char>(character)) * 0x100000001b3U;
  return value;
}

}  // namespace

int partition_of(std::int64_t stream_number, int partitions) {
  const auto count = static_cast<std::uint64_t>(partitions);
  return static_cast<int>(mixed(static_cast<std::uint64_t>(stream_number)) % count);
}

Schedule::Schedule(const BusOptions& options, std::string_view group, const Offsets& committed, const Clock& clock)
    : options_(options),
      redeliver_after_(std::min(options.redeliver_after, redeliver_after_max)),
      clock_(clock),
      seed_(mixed(options.seed) ^ hash(group)),
      last_(committed.empty() ? Position{} : *std::ranges::min_element(committed)),
      partitions_(static_cast<std::size_t>(options.partitions)) {
  const bool as_before = committed.size() == partitions_.size();
  for (std::size_t index = 0; index < partitions_.size(); ++index) {
    partitions_[index].committed = as_before ? committed[index] : last_;
  }
}

void Schedule::add(const Message& message) {
  const auto& event = message.event;
  ensure(event->position.value == last_.value + 1, "messages are scheduled in the order of the log, without gaps");
  last_ = event->position;
  const int number = partition_of(event->stream_number, options_.partitions);
  Partition& own = partition(*event);
  if (event->position <= own.committed) return;
  const Choices choices = choose(event->position);
  own.last_arrival = std::max(own.last_arrival, arrival(message, choices.delay));
  own.unacknowledged.emplace(event->position, outstanding_.end());
  push({own.last_arrival, {.event = event, .partition = number, .attempt = 1}});
  if (choices.duplicate_after) {
    push({own.last_arrival + *choices.duplicate_after, {.event = event, .partition = number, .attempt = 2}});
  }
}

std::optional<Instant> Schedule::next() const {
  std::optional<Instant> earliest;
  if (!arrivals_.empty()) earliest = arrivals_.front().at;
  if (!outstanding_.empty()) {
    const Instant redelivery = outstanding_.front().redeliver_at;
    earliest = std::min(earliest.value_or(redelivery), redelivery);
  }
  return earliest;
}

std::optional<Delivery> Schedule::take_due(Instant now) {
  const auto due = next();
  if (!due || *due > now) return std::nullopt;
  const bool arrives = !arrivals_.empty() && arrivals_.front().at == *due;
  return arrives ? take_arrival(now) : redeliver(now);
}

void Schedule::acknowledge(const RecordedEvent& event) {
  auto& unacknowledged = partition(event).unacknowledged;
  const auto found = unacknowledged.find(event.position);
  if (found == unacknowledged.end() || found->second == outstanding_.end()) return;
  outstanding_.erase(found->second);
  unacknowledged.erase(found);
}

Offsets Schedule::acknowledged() const {
  Offsets offsets;
  offsets.reserve(partitions_.size());
  for (const Partition& each : partitions_) {
    const auto& waiting = each.unacknowledged;
    const Position done = waiting.empty() ? last_ : Position{waiting.begin()->first.value - 1};
    offsets.push_back(std::max(each.committed, done));
  }
  return offsets;
}

// Position decides between equal times, so that a partition keeps its order; a duplicate comes after its
// original.
bool Schedule::arrives_later(const Arrival& left, const Arrival& right) {
  const auto key = [](const Arrival& arrival) {
    return std::tuple(arrival.at, arrival.delivery.event->position, arrival.delivery.attempt);
  };
  return key(left) > key(right);
}

Schedule::Choices Schedule::choose(Position position) const {
  Random random(seed_ ^ mixed(static_cast<std::uint64_t>(position.value)));
  Choices choices{.delay = draw(options_.delay, random)};
  if (happens(options_.duplicate_probability, random)) choices.duplicate_after = draw(options_.delay, random);
  return choices;
}

Instant Schedule::arrival(const Message& message, Duration delay) const {
  if (message.published) return *message.published + delay;
  // The age tells how much of the delay is over. It counts as nothing where the system's clock was set back.
  const Duration age = std::max(Duration{0}, clock_.wall_time() - message.event->recorded_at);
  return clock_.now() + std::max(Duration{0}, delay - age);
}

Schedule::Partition& Schedule::partition(const RecordedEvent& event) {
  return partitions_[static_cast<std::size_t>(partition_of(event.stream_number, options_.partitions))];
}

void Schedule::push(Arrival arrival) {
  arrivals_.push_back(std::move(arrival));
  std::ranges::push_heap(arrivals_, arrives_later);
}

Delivery Schedule::take_arrival(Instant now) {
  std::ranges::pop_heap(arrivals_, arrives_later);
  Delivery delivery = std::move(arrivals_.back().delivery);
  arrivals_.pop_back();
  if (delivery.attempt == 1) {
    outstanding_.push_back({now + redeliver_after_, delivery});
    partition(*delivery.event).unacknowledged[delivery.event->position] = std::prev(outstanding_.end());
  }
  return delivery;
}

Delivery Schedule::redeliver(Instant now) {
  Outstanding& overdue = outstanding_.front();
  overdue.redeliver_at = now + redeliver_after_;
  ++overdue.delivery.attempt;
  // Moves it to the back; where it is known by its iterator, that stays valid.
  outstanding_.splice(outstanding_.end(), outstanding_, outstanding_.begin());
  return overdue.delivery;
}

}  // namespace freshet
