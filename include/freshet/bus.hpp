// The bus: how events travel from the log to their consumers. In this process it stands in for Kafka,
// with Kafka's manners: late, at least once, in order inside a partition and nowhere else.
//
// It is volatile. Messages are a copy of what the log holds; whatever the bus loses (a crash, a full
// memory) or never saw (another process's appends) its consumers get again from the log. So it can
// be bounded without ever blocking an append.
//
// Threads: publish() and announce() from any thread, one at a time (the store calls them while it holds
// the turn to write); a Consumer from one thread; the bus outlives its consumers.
// Failure: poll() throws what reading the log throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "freshet/clock.hpp"
#include "freshet/event.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// How long a message is on its way. Draws below 0 are taken as 0.
struct FixedDelay {
  Duration duration{0};
};
// Each as likely as the other.
struct UniformDelay {
  Duration min;
  Duration max;  // Inclusive.
};
// Around the mean; two of three are at most one deviation away.
struct NormalDelay {
  Duration mean;
  Duration deviation;
};
// Mostly shorter than the mean, at times many times as long.
struct ExponentialDelay {
  Duration mean;
};
using Delay = std::variant<FixedDelay, UniformDelay, NormalDelay, ExponentialDelay>;

// A message may be this long on its way and no longer: a draw above it is cut.
inline constexpr Duration delay_max = std::chrono::hours{24};

// How the bus behaves. The defaults are as quick and tidy as it gets; the rest is for tests and demonstrations.
struct BusOptions {
  Delay delay = FixedDelay{};  // Of each message anew; none by default.
  // The probability that a delivered event is delivered once more, after a further delay.
  double duplicate_probability = 0.0;
  // A delivery that is not acknowledged for this long is repeated; above 0. Longer than redeliver_after_max is taken
  // for that.
  Duration redeliver_after = std::chrono::seconds{30};
  // The same seed makes the same choices for the same messages.
  std::uint64_t seed = 1;
  // Streams are spread over this many partitions, 1 to partitions_max.
  int partitions = 8;
  // Messages held in memory for one consumer. Above it they are dropped and read from the log later.
  std::size_t messages_max = 65'536;
};

// Longer than any process runs.
inline constexpr Duration redeliver_after_max = std::chrono::hours{24 * 365 * 10};

// Each has its own order and its own offset for every consumer; more spread nothing any further.
inline constexpr int partitions_max = 1'024;

// An event on its way.
struct Message {
  std::shared_ptr<const RecordedEvent> event;
  // When it was handed to the bus; the delay counts from here. Not set on what is read from the log:
  // there it counts from the time of recording.
  std::optional<Instant> published;
};

// One arrival of a message.
struct Delivery {
  std::shared_ptr<const RecordedEvent> event;
  int partition = 0;
  int attempt = 1;  // Above 1: a duplicate or a redelivery.
};

// For each partition the position up to which everything was acknowledged; what Kafka calls the
// group's committed offsets.
using Offsets = std::vector<Position>;

// One consumer of the bus. Made by Bus::subscribe(), ends with its destruction, and does so before its bus.
class Consumer {
 public:
  Consumer() = default;
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  virtual ~Consumer() = default;

  // Up to `deliveries_max` of what has arrived by now, in order of arrival. Does not wait.
  [[nodiscard]] virtual std::vector<Delivery> poll(std::size_t deliveries_max) = 0;

  // When poll() will have something next: a time in the past if it has now, nothing if that depends on
  // a publish() to come.
  [[nodiscard]] virtual std::optional<Instant> next_arrival() = 0;

  // The delivery has been worked on; it is not repeated. Later acknowledgements of the same event are
  // ignored.
  virtual void acknowledge(const Delivery& delivery) = 0;

  // What may be committed: for each partition, the position before which nothing is outstanding.
  [[nodiscard]] virtual Offsets acknowledged() const = 0;
};

// What a consumer says of itself when it joins.
struct ConsumerOptions {
  std::string group;
  // Where it goes on: its committed offsets, one a partition; deliveries start right above. Empty means
  // from the beginning of the log. Offsets of another number of partitions: the smallest is used for all.
  Offsets committed = {};
  // Called after every publish() or announce(), on the publishing thread. Must neither block nor throw.
  std::function<void()> on_arrival = {};
};

// See Store::bus(). An implementation on a real broker has to keep these promises and no others.
class Bus {
 public:
  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;

  // Takes messages in position order. Never blocks and never fails: what does not fit is left to the log.
  virtual void publish(std::span<const Message> messages) = 0;

  // The log holds events up to `head` that were not published here.
  virtual void announce(Position head) = 0;

  // Deliveries begin with what the options say was committed last; nothing is remembered of earlier consumers.
  [[nodiscard]] virtual std::unique_ptr<Consumer> subscribe(ConsumerOptions options) = 0;
};

// Reads committed events in position order, as EventLog::read_all.
using ReadLog = std::function<std::vector<RecordedEvent>(Position after, std::size_t events_max)>;

// The bus of this process: a lock-free queue for each consumer, and a schedule of arrivals.
[[nodiscard]] std::unique_ptr<Bus> make_in_process_bus(const BusOptions& options, ReadLog read_log, Clock& clock);

}  // namespace freshet
