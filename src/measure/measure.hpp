// Measurements of a store on this machine: how long a write takes to become visible, and how many writes
// there can be.
//
// Threads: any. Failure: Error from the store; `invalid` for options outside their bounds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freshet/store.hpp"

namespace freshet::measure {

// Told how much of how much is done; false ends the measurement there.
using OnProgress = std::function<bool(std::int64_t done, std::int64_t total)>;

struct VisibilityOptions {
  std::int64_t writes = 200;  // 1 to writes_max.
  BusOptions bus = {};
  Durability durability = Durability::power_loss;
  std::shared_ptr<Clock> clock = nullptr;  // Not given: the machine's. Time has to pass on it by itself.
};
inline constexpr std::int64_t writes_max = 1'000'000;

// Writes are issued this far apart, and no closer, whether those before are visible or not: so a long delay
// costs a run no more time than its last write, and an append does not wait for another one's projection.
inline constexpr Duration write_interval = std::chrono::milliseconds{2};

// A point of the curve: the probability that a read `after` the commit is fresh.
struct CurvePoint {
  Duration after;
  double p_fresh = 0;      // As measured.
  double p_delivered = 0;  // What the configured delay alone would give; the distance is the engine's share.
};

// From evenly spaced points up to twice the p99; the last one is where the last write became visible.
inline constexpr int curve_points = 60;

// How long writes took to become visible: from the commit of the event until the commit of the rows in the
// read model. A reader that waits sees it the wake-up of a thread later.
struct Visibility {
  std::int64_t writes = 0;
  std::string delay;  // "fixed(50ms)"
  Duration p50{};
  Duration p90{};
  Duration p99{};
  Duration max{};
  // Of the configured delay alone.
  Duration delay_p50{};
  Duration delay_p90{};
  Duration delay_p99{};
  std::vector<CurvePoint> curve;
};

struct ThroughputOptions {
  int writers = 0;              // 0: a row each for 1, 8 and 64. At most writers_max.
  std::int64_t events = 2'000;  // Of each row, spread over its writers; 1 to events_max.
  std::vector<Durability> durabilities = {Durability::power_loss, Durability::process_crash};
};
inline constexpr int writers_max = 1'024;
inline constexpr std::int64_t events_max = 10'000'000;

struct Throughput {
  struct Row {
    Durability durability = Durability::power_loss;
    int writers = 1;
    std::int64_t events = 0;
    double events_per_second = 0;
    Duration p50{};  // Of one append, as its caller waits.
    Duration p99{};
  };
  // What a durable write costs without a store: one block appended to a file and forced to the disk.
  struct Reference {
    std::int64_t writes = 0;
    double writes_per_second = 0;
    Duration p50{};
    Duration p99{};
  };
  std::vector<Row> rows;
  Reference reference;
};

// Both work on a new store in `file`, and leave it there. Nothing is returned if `on_progress` ended them.
//
// visibility() keeps writes from holding up each other: each goes to a stream of its own, and the streams
// are spread over as many partitions as there can be.
[[nodiscard]] std::optional<Visibility> visibility(const std::filesystem::path& file, const VisibilityOptions& options,
                                                   const OnProgress& on_progress);

// The write side alone: nothing is projected meanwhile.
[[nodiscard]] std::optional<Throughput> throughput(const std::filesystem::path& file, const ThroughputOptions& options,
                                                   const OnProgress& on_progress);

}  // namespace freshet::measure
