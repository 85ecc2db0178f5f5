// The bus inside one process: brings messages from the publishing threads to each consumer's schedule, and
// what did not fit in between from the log.
#include "bus/in_process_bus.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

// Debian keeps the header in a folder of its own, upstream does not.
#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif

#include "base/ensure.hpp"
#include "base/guarded.hpp"
#include "base/read_ahead.hpp"
#include "bus/schedule.hpp"
#include "freshet/error.hpp"

namespace freshet {
namespace {

// Events read from the log at once: enough to make a read transaction cheap per event, few enough to be
// forgotten beside the time that a batch takes to be applied.
constexpr std::size_t slice_events_max = 1'000;

// What lies between the publishing threads and one consumer: a queue, and the count of the places that its
// messages and the consumer's own take in memory.
class Feed {
 public:
  Feed(std::size_t places_max, std::function<void()> on_arrival)
      : places_max_(places_max), on_arrival_(std::move(on_arrival)) {}
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Publishing threads, one at a time. A message that finds no place is left to the log.
  void push(const Message& message) {
    if (claim(1) == 0) return;
    if (!queue_.enqueue(producer_, message)) give_back(1);
  }

  void notify() const {
    if (!on_arrival_) return;
    try {
      on_arrival_();
    } catch (...) {
      // What arrives is committed, and others are to be told of it as well.
    }
  }

  // The consumer's thread, and so the rest. The message keeps its place.
  std::optional<Message> pop() {
    Message message;
    // Of the one producer by name: there is no other, and only so the queue promises its order.
    if (!queue_.try_dequeue_from_producer(producer_, message)) return std::nullopt;
    return message;
  }

  // Takes up to `wanted` places; how many there were.
  std::size_t claim(std::size_t wanted) {
    std::size_t taken = taken_.load(std::memory_order_relaxed);
    std::size_t granted = 0;
    do {
      granted = std::min(wanted, places_max_ - std::min(places_max_, taken));
    } while (granted > 0 && !taken_.compare_exchange_weak(taken, taken + granted, std::memory_order_relaxed));
    return granted;
  }

  // Takes places that are needed whether there are any or not.
  void overdraw(std::size_t places) { taken_.fetch_add(places, std::memory_order_relaxed); }

  void give_back(std::size_t places) { taken_.fetch_sub(places, std::memory_order_relaxed); }

 private:
  const std::size_t places_max_;
  const std::function<void()> on_arrival_;
  // A count and nothing else: the messages themselves are handed over by the queue.
  std::atomic<std::size_t> taken_ = 0;
  moodycamel::ConcurrentQueue<Message> queue_;
  // The queue keeps the order of one token's messages, and no other order.
  moodycamel::ProducerToken producer_{queue_};
};

class InProcessBus final : public Bus {
 public:
  InProcessBus(const BusOptions& options, ReadLog read_log, Clock& clock, AheadOfNeed read_ahead)
      : options_(options), read_log_(std::move(read_log)), clock_(clock), read_ahead_(read_ahead) {
    ensure(options.partitions >= 1 && options.partitions <= partitions_max,
           "the bus has 1 to partitions_max partitions");
    ensure(options.messages_max >= 1, "a consumer of the bus may hold at least one message");
    ensure(options.redeliver_after > Duration{0}, "a redelivery comes later than the delivery");
    ensure(options.duplicate_probability >= 0.0 && options.duplicate_probability <= 1.0,
           "a probability is from 0 to 1");
  }

  ~InProcessBus() override {
    ensure(feeds_.locked()->empty(), "a consumer is let go before its bus, which ends with its store");
  }

  void publish(std::span<const Message> messages) override;
  void announce(Position head) override;
  std::unique_ptr<Consumer> subscribe(ConsumerOptions options) override;

  // Everything published up to here is in the queues, or was left to the log.
  [[nodiscard]] Position head() const { return Position{head_.load(std::memory_order_acquire)}; }

  void join(Feed& feed) { feeds_.locked()->push_back(&feed); }

  // From then on the feed is neither filled nor notified.
  void leave(Feed& feed) { std::erase(*feeds_.locked(), &feed); }

  [[nodiscard]] const BusOptions& options() const { return options_; }
  [[nodiscard]] const ReadLog& read_log() const { return read_log_; }
  [[nodiscard]] ReadAhead read_ahead() const {
    return ReadAhead(read_ahead_ == AheadOfNeed::yes ? read_log_ : ReadLog{});
  }
  [[nodiscard]] Clock& clock() { return clock_; }

 private:
  void raise_head(Position head);

  const BusOptions options_;
  const ReadLog read_log_;
  Clock& clock_;
  const AheadOfNeed read_ahead_;
  std::atomic<std::int64_t> head_ = 0;
  // The lock is held while publishing, so that a consumer that has left is not touched any more. Nobody
  // else takes it but consumers that come and go.
  Guarded<std::vector<Feed*>> feeds_;
};

class InProcessConsumer final : public Consumer {
 public:
  InProcessConsumer(InProcessBus& bus, ConsumerOptions options)
      : bus_(bus),
        feed_(bus.options().messages_max, std::move(options.on_arrival)),
        schedule_(bus.options(), options.group, options.committed, bus.clock()),
        ahead_(bus.read_ahead()) {
    bus_.join(feed_);
  }

  ~InProcessConsumer() override { bus_.leave(feed_); }

  std::vector<Delivery> poll(std::size_t deliveries_max) override;
  std::optional<Instant> next_arrival() override;
  void acknowledge(const Delivery& delivery) override;
  Offsets acknowledged() const override { return schedule_.acknowledged(); }

 private:
  [[nodiscard]] Position expected() const { return Position{schedule_.last().value + 1}; }
  [[nodiscard]] bool is_due() const;
  void fill_until_due();
  bool fill();
  bool read_on(Position through);
  std::size_t make_room(std::size_t wanted);
  void settle();

  InProcessBus& bus_;
  Feed feed_;
  Schedule schedule_;
  // At most one slice, beside the places.
  ReadAhead ahead_;
  // Taken from the queue, but above what is expected: what is missing before it comes from the log first.
  std::optional<Message> aside_;
  // Places that this side has claimed; when settled, as many as the schedule takes.
  std::size_t claimed_ = 0;
};

void InProcessBus::publish(std::span<const Message> messages) {
  if (messages.empty()) return;
  const Instant now = clock_.now();
  auto feeds = feeds_.locked();
  for (const Message& message : messages) {
    const Message stamped{.event = message.event, .published = message.published.value_or(now)};
    for (Feed* feed : *feeds) feed->push(stamped);
  }
  raise_head(messages.back().event->position);
  for (const Feed* feed : *feeds) feed->notify();
}

void InProcessBus::announce(Position head) {
  auto feeds = feeds_.locked();
  raise_head(head);
  for (const Feed* feed : *feeds) feed->notify();
}

// Released after the queues were filled: whoever has read the head finds in its queue what is there at all.
void InProcessBus::raise_head(Position head) {
  const auto known = head_.load(std::memory_order_relaxed);
  head_.store(std::max(known, head.value), std::memory_order_release);
}

std::unique_ptr<Consumer> InProcessBus::subscribe(ConsumerOptions options) {
  return std::make_unique<InProcessConsumer>(*this, std::move(options));
}

std::vector<Delivery> InProcessConsumer::poll(std::size_t deliveries_max) {
  fill_until_due();
  std::vector<Delivery> deliveries;
  const Instant now = bus_.clock().now();
  while (deliveries.size() < deliveries_max) {
    auto delivery = schedule_.take_due(now);
    if (!delivery) break;
    deliveries.push_back(std::move(*delivery));
  }
  settle();
  return deliveries;
}

std::optional<Instant> InProcessConsumer::next_arrival() {
  try {
    fill_until_due();
  } catch (...) {
    // It is poll() that reports why the log cannot be read, so it is what has to be called next.
    return bus_.clock().now();
  }
  return schedule_.next();
}

void InProcessConsumer::acknowledge(const Delivery& delivery) {
  schedule_.acknowledge(*delivery.event);
  settle();
}

bool InProcessConsumer::is_due() const {
  const auto next = schedule_.next();
  return next && *next <= bus_.clock().now();
}

// A long way behind the head the first events are handed out while the rest are still in the log.
void InProcessConsumer::fill_until_due() {
  while (fill() && !is_due()) {
  }
  settle();
}

// Moves what the queue has in turn to the schedule, and at most one slice of the log. True: there is more,
// and room for it.
bool InProcessConsumer::fill() {
  while (true) {
    // Before the queue: what is up to here and then not in the queue never will be.
    const Position head = bus_.head();
    if (!aside_) aside_ = feed_.pop();
    if (!aside_) return head >= expected() && read_on(head);
    const Position found = aside_->event->position;
    if (found > expected()) return read_on(Position{found.value - 1});
    // The place that it had in the queue is the schedule's now, or free if the log has brought it before.
    ++claimed_;
    if (found == expected()) schedule_.add(*aside_);
    aside_.reset();
  }
}

bool InProcessConsumer::read_on(Position through) {
  const auto missing = static_cast<std::size_t>(through.value - schedule_.last().value);
  const std::size_t room = make_room(std::min(missing, slice_events_max));
  if (room == 0) return false;
  auto ahead = ahead_.take(schedule_.last(), room);
  auto events = ahead ? std::move(*ahead) : bus_.read_log()(schedule_.last(), room);
  if (missing >= 2 * slice_events_max && room == slice_events_max) {
    ahead_.begin(Position{schedule_.last().value + static_cast<std::int64_t>(room)}, slice_events_max);
  }
  const auto require_expected = [&](bool found) {
    if (found) return;
    throw Error(ErrorCode::corrupt,
                "the log holds no event at position " + std::to_string(expected().value) + ", which was announced");
  };
  require_expected(!events.empty());
  for (RecordedEvent& event : events) {
    require_expected(event.position == expected());
    schedule_.add({.event = std::make_shared<const RecordedEvent>(std::move(event)), .published = std::nullopt});
  }
  return true;
}

// How many of up to `wanted` messages the schedule may take. If there is no place left, what waits in the
// queue out of turn gives up its own: otherwise a queue full of messages that cannot be used yet would keep
// out the one that they wait for. The log has them all.
std::size_t InProcessConsumer::make_room(std::size_t wanted) {
  settle();
  claimed_ += feed_.claim(wanted);
  if (claimed_ <= schedule_.size()) {
    for (; aside_; aside_ = feed_.pop()) ++claimed_;
  }
  return std::min(wanted, claimed_ - std::min(claimed_, schedule_.size()));
}

// Gives back the places that the schedule does not need any more. Duplicates are added where there is no
// place left, too; they share their event with the original, so that the memory they take is small.
void InProcessConsumer::settle() {
  const std::size_t needed = schedule_.size();
  if (needed > claimed_) feed_.overdraw(needed - claimed_);
  if (needed < claimed_) feed_.give_back(claimed_ - needed);
  claimed_ = needed;
}

}  // namespace

std::unique_ptr<Bus> make_in_process_bus(const BusOptions& options, ReadLog read_log, Clock& clock,
                                         AheadOfNeed read_ahead) {
  return std::make_unique<InProcessBus>(options, std::move(read_log), clock, read_ahead);
}

std::unique_ptr<Bus> make_in_process_bus(const BusOptions& options, ReadLog read_log, Clock& clock) {
  return make_in_process_bus(options, std::move(read_log), clock, AheadOfNeed::no);
}

}  // namespace freshet
