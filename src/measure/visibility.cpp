// Measures how long a write takes to become visible in the read model.
#include <algorithm>
#include <mutex>
#include <string_view>
#include <thread>

#include "bus/delay.hpp"
#include "freshet/error.hpp"
#include "measure/distribution.hpp"
#include "measure/measure.hpp"

namespace freshet::measure {
namespace {

// The least that a read model does: a row for each stream, set to what its last event says.
class LastValue final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "last_value"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"last_value"}; }

  void create(Tables& tables) const override {
    tables.execute("CREATE TABLE {last_value} (stream INTEGER PRIMARY KEY, version INTEGER, data TEXT) STRICT");
  }

  void apply(const RecordedEvent& event, Tables& tables) const override {
    tables.execute(
        "INSERT INTO {last_value} VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET version = excluded.version, "
        "data = excluded.data WHERE excluded.version > version",
        {event.stream_number, event.version.value, event.data});
  }
};

// How long each event took to become visible, as the store tells of its commit and of its row's. What the writing
// thread sees of the commit would not do: on a busy machine it may be late by more than the wait itself.
class Arrivals {
 public:
  explicit Arrivals(std::int64_t count) : waits_(static_cast<std::size_t>(count)) {}

  void note(const Trace& trace) {
    const bool is_commit = trace.kind == Trace::Kind::appended;
    if (!is_commit && trace.kind != Trace::Kind::applied) return;
    const std::lock_guard lock(mutex_);
    Wait& wait = waits_.at(static_cast<std::size_t>(trace.event->position.value - 1));
    (is_commit ? wait.committed : wait.visible) = trace.at;
    if (!is_commit) ++count_;
  }

  [[nodiscard]] std::int64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  // Once the store is closed.
  [[nodiscard]] std::vector<Duration> waits() const {
    std::vector<Duration> waits;
    for (const Wait& wait : waits_) {
      waits.push_back(std::chrono::duration_cast<Duration>(wait.visible - wait.committed));
    }
    return waits;
  }

 private:
  struct Wait {
    Instant committed;
    Instant visible;
  };

  mutable std::mutex mutex_;
  std::vector<Wait> waits_;
  std::int64_t count_ = 0;
};

// Issues the writes. False: it was ended.
bool write(Store& store, std::int64_t writes, const std::function<bool()>& goes_on) {
  const std::vector<NewEvent> events = {{.type = "Measured", .data = R"({"status":"paid","amount_minor":4999})"}};
  Instant next = store.clock().now();
  for (std::int64_t number = 1; number <= writes; ++number) {
    store.clock().sleep_until(next);
    if (!goes_on()) return false;
    static_cast<void>(store.log().append(
        {.stream = {"measure", std::to_string(number)}, .expected = ExpectedVersion::none(), .events = events}));
    // Counted from here: a slow write must not be followed by a burst.
    next = store.clock().now() + write_interval;
  }
  return true;
}

std::vector<CurvePoint> curve_of(const Measured& measured, const Delay& delay) {
  const auto point = [&](Duration after) {
    return CurvePoint{after, measured.share_within(after), p_delivered(delay, after)};
  };
  // One straggler must not squeeze all the others into the first column.
  const Duration end = std::max(Duration{curve_points}, std::min(measured.max(), 2 * measured.quantile(0.99)));
  std::vector<CurvePoint> curve;
  for (int step = 0; step < curve_points; ++step) curve.push_back(point(end * step / (curve_points - 1)));
  if (measured.max() > end) curve.push_back(point(measured.max()));
  return curve;
}

Visibility summary(const Measured& measured, const VisibilityOptions& options) {
  const Delay& delay = options.bus.delay;
  return {.writes = options.writes,
          .delay = format_delay(delay),
          .p50 = measured.quantile(0.5),
          .p90 = measured.quantile(0.9),
          .p99 = measured.quantile(0.99),
          .max = measured.max(),
          .delay_p50 = delay_quantile(delay, 0.5),
          .delay_p90 = delay_quantile(delay, 0.9),
          .delay_p99 = delay_quantile(delay, 0.99),
          .curve = curve_of(measured, delay)};
}

}  // namespace

std::optional<Visibility> visibility(const std::filesystem::path& file, const VisibilityOptions& options,
                                     const OnProgress& on_progress) {
  if (options.writes < 1 || options.writes > writes_max) {
    throw Error(ErrorCode::invalid, "writes must be from 1 to " + std::to_string(writes_max));
  }
  Arrivals arrivals{options.writes};
  const auto goes_on = [&] { return !on_progress || on_progress(arrivals.count(), options.writes); };
  {
    StoreOptions store_options{.file = file,
                               .projections = {std::make_shared<LastValue>()},
                               .durability = options.durability,
                               .bus = options.bus,
                               .clock = options.clock,
                               .on_trace = [&arrivals](const Trace& trace) { arrivals.note(trace); }};
    store_options.bus.partitions = partitions_max;
    Store store{std::move(store_options)};
    if (!write(store, options.writes, goes_on)) return std::nullopt;
    if (!store.drain([&goes_on] { return !goes_on(); })) {
      if (!goes_on()) return std::nullopt;
      throw Error(ErrorCode::projection_failed, "the projector has stopped before every write was visible");
    }
    // The projector tells of a commit after it; when it has ended, everything is told.
    store.close();
  }
  return summary(Measured{arrivals.waits()}, options);
}

}  // namespace freshet::measure
