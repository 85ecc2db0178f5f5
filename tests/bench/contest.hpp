// Contests: the same work done by several sides, in turns, round by round; and the figures that come of it.
//
// Disks and machines have fast minutes and slow ones. So only what was measured in one round is compared, and
// what counts is the median of the rounds' ratios.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "freshet/types.hpp"

namespace freshet::bench {

// What one side did in one round.
struct Measurement {
  double per_second = 0;
  std::vector<double> waits_us;  // One for each operation.
};

// A competitor: Freshet, or what a hand-written program does for the same work.
struct Side {
  std::string name;
  std::function<Measurement()> run;  // Goes on where the last round ended.
};

enum class Figure { per_second, min, p50, p99, p999 };
enum class Bound { at_least, at_most };

// What is compared, and the goal that an issue of speed is held to.
struct Comparison {
  std::string what;
  Figure figure = Figure::per_second;
  std::size_t side = 0;
  std::optional<std::size_t> reference = 1;  // Not given: the figure itself is held to the bound.
  Bound bound = Bound::at_least;
  double goal = 0;
  enum class Of { ratio, difference } of = Of::ratio;  // Of the side's figure and the reference's.
};

struct Contest {
  std::vector<Side> sides;
  std::vector<Comparison> comparisons;
};

// Medians over the rounds.
struct Row {
  std::string what;
  Figure figure = Figure::per_second;
  double freshet = 0;
  std::optional<double> reference;
  std::string reference_name;
  double compared = 0;  // The ratio or difference, or the figure itself.
  Comparison comparison;
  bool met = false;
};

// Of one contest.
struct Outcome {
  std::vector<Row> rows;
  double fsync_p50_us = 0;  // 4 KiB appended and forced to the disk, while the contest went on.
  double fsync_p99_us = 0;
};

// The sides take turns, and each round another one begins.
[[nodiscard]] Outcome run(const Contest& contest, int rounds, const std::filesystem::path& directory);

[[nodiscard]] double quantile(std::vector<double> values, double share);

// For a side: repeats one operation for this long, and takes the time of each.
[[nodiscard]] Measurement repeat_for(Duration duration, const std::function<void()>& operation);
// The same this many times, timed in groups: for what is too short to be timed singly.
[[nodiscard]] Measurement repeat_times(std::size_t groups, std::size_t group_size,
                                       const std::function<void()>& operation);

[[nodiscard]] double microseconds_since(Instant start);

}  // namespace freshet::bench
