// Running contests, and the arithmetic of their figures.
#include "bench/contest.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ensure.hpp"

namespace freshet::bench {
namespace {

constexpr int fsyncs_a_round = 32;

// Appends blocks to a file and forces each to the disk, as a write-ahead log does.
class FsyncProbe {
 public:
  explicit FsyncProbe(const std::filesystem::path& directory)
      : file_(directory / "fsync"), descriptor_(::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) {
    ensure(descriptor_ >= 0, "a file can be made where the measured files are");
  }
  FsyncProbe(const FsyncProbe&) = delete;
  FsyncProbe& operator=(const FsyncProbe&) = delete;
  ~FsyncProbe() {
    ::close(descriptor_);
    ::unlink(file_.c_str());
  }

  void run() {
    static constexpr std::array<char, 4096> block{};
    for (int count = 0; count < fsyncs_a_round; ++count) {
      const Instant start = std::chrono::steady_clock::now();
      const bool written = ::write(descriptor_, block.data(), block.size()) == static_cast<ssize_t>(block.size());
      ensure(written && ::fdatasync(descriptor_) == 0, "the disk takes what is written to it");
      waits_us_.push_back(microseconds_since(start));
    }
  }

  [[nodiscard]] const std::vector<double>& waits_us() const { return waits_us_; }

 private:
  std::filesystem::path file_;
  int descriptor_;
  std::vector<double> waits_us_;
};

double figure_of(const Measurement& measurement, Figure figure) {
  switch (figure) {
    case Figure::per_second:
      return measurement.per_second;
    case Figure::min:
      return quantile(measurement.waits_us, 0);
    case Figure::p50:
      return quantile(measurement.waits_us, 0.5);
    case Figure::p99:
      return quantile(measurement.waits_us, 0.99);
    case Figure::p999:
      return quantile(measurement.waits_us, 0.999);
  }
  ensure(false, "a figure is one of its enumerators");
  return 0;
}

// By side, then by round.
using Measurements = std::vector<std::vector<Measurement>>;

Row compare(const Contest& contest, const Comparison& comparison, const Measurements& measurements) {
  std::vector<double> own;
  std::vector<double> other;
  std::vector<double> compared;
  for (std::size_t round = 0; round < measurements.front().size(); ++round) {
    own.push_back(figure_of(measurements[comparison.side][round], comparison.figure));
    compared.push_back(own.back());
    if (!comparison.reference) continue;
    other.push_back(figure_of(measurements[*comparison.reference][round], comparison.figure));
    const bool is_ratio = comparison.of == Comparison::Of::ratio;
    compared.back() = is_ratio ? own.back() / other.back() : own.back() - other.back();
  }
  Row row{.what = comparison.what,
          .figure = comparison.figure,
          .freshet = quantile(own, 0.5),
          .compared = quantile(compared, 0.5),
          .comparison = comparison};
  if (comparison.reference) {
    row.reference = quantile(other, 0.5);
    row.reference_name = contest.sides[*comparison.reference].name;
  }
  row.met = comparison.bound == Bound::at_least ? row.compared >= comparison.goal : row.compared <= comparison.goal;
  return row;
}

}  // namespace

Outcome run(const Contest& contest, int rounds, const std::filesystem::path& directory) {
  FsyncProbe probe(directory);
  Measurements measurements(contest.sides.size());
  for (int round = 0; round < rounds; ++round) {
    probe.run();
    for (std::size_t turn = 0; turn < contest.sides.size(); ++turn) {
      const std::size_t side = (turn + static_cast<std::size_t>(round)) % contest.sides.size();
      measurements[side].push_back(contest.sides[side].run());
    }
  }
  Outcome outcome{
      .rows = {}, .fsync_p50_us = quantile(probe.waits_us(), 0.5), .fsync_p99_us = quantile(probe.waits_us(), 0.99)};
  for (const Comparison& comparison : contest.comparisons) {
    outcome.rows.push_back(compare(contest, comparison, measurements));
  }
  return outcome;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index), values.end());
  return values[index];
}

Measurement repeat_for(Duration duration, const std::function<void()>& operation) {
  Measurement measurement;
  const Instant start = std::chrono::steady_clock::now();
  Instant before = start;
  while (before - start < duration) {
    operation();
    const Instant after = std::chrono::steady_clock::now();
    measurement.waits_us.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
  }
  measurement.per_second = static_cast<double>(measurement.waits_us.size()) * 1e6 / microseconds_since(start);
  return measurement;
}

Measurement repeat_times(std::size_t groups, std::size_t group_size, const std::function<void()>& operation) {
  Measurement measurement;
  const Instant start = std::chrono::steady_clock::now();
  for (std::size_t group = 0; group < groups; ++group) {
    const Instant before = std::chrono::steady_clock::now();
    for (std::size_t count = 0; count < group_size; ++count) operation();
    measurement.waits_us.push_back(microseconds_since(before) / static_cast<double>(group_size));
  }
  measurement.per_second = static_cast<double>(groups * group_size) * 1e6 / microseconds_since(start);
  return measurement;
}

double microseconds_since(Instant start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace freshet::bench
