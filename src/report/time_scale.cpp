// Interpolates between anchors, and finds round times for ticks.
#include "report/time_scale.hpp"

#include <algorithm>
#include <cmath>

#include "base/ensure.hpp"
#include "report/markup.hpp"

namespace freshet::report {
namespace {

constexpr double tick_distance = 110;      // As if the axis were straight.
constexpr double tick_distance_min = 48;   // "1000.25" fits.
constexpr double tick_distance_max = 260;  // A wider hole is a stretched moment, and gets finer ticks.
constexpr Duration step_min{10};           // Ten microseconds: the last digit that a tick shows.
constexpr std::int64_t candidates_max = 2'000;

// The first multiple of `step` above `time`.
Duration multiple_after(Duration time, Duration step) {
  const std::int64_t below = time.count() >= 0 ? time / step : -((-time + step - Duration{1}) / step);
  return (below + 1) * step;
}

std::string tick_text(Duration at) {
  return decimal(static_cast<double>(at.count()) / 1'000.0);
}

}  // namespace

double round_step(double least) {
  ensure(least > 0, "a step is longer than nothing");
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10.0 * power;
}

double TimeScale::x(Duration at) const {
  ensure(!anchors_.empty(), "a time scale has an anchor");
  const auto after = std::lower_bound(anchors_.begin(), anchors_.end(), at,
                                      [](const Anchor& anchor, Duration time) { return anchor.at < time; });
  if (after == anchors_.end()) return anchors_.back().x;
  if (after == anchors_.begin() || after->at == at) return after->x;
  const Anchor& before = *std::prev(after);
  const double share =
      static_cast<double>((at - before.at).count()) / static_cast<double>((after->at - before.at).count());
  return before.x + share * (after->x - before.x);
}

std::vector<TimeScale::Tick> TimeScale::ticks() const {
  const Duration first = anchors_.front().at;
  const Duration last = anchors_.back().at;
  if (first == last) return {{anchors_.front().x, tick_text(first)}};
  const double width = anchors_.back().x - anchors_.front().x;
  const double least = static_cast<double>((last - first).count()) * tick_distance / std::max(width, tick_distance);
  const auto step = std::max(step_min, Duration{std::llround(round_step(std::max(least, 1.0)))});

  std::vector<Duration> times = round_times(first - Duration{1}, last + Duration{1}, step, anchors_.front().x);
  for (Duration finer = step / 10; finer >= step_min; finer /= 10) refine(times, finer);
  std::vector<Tick> ticks;
  for (const Duration time : times) ticks.push_back({x(time), tick_text(time)});
  return ticks;
}

// Multiples of `step` strictly between the two, as many as have room from `free_from` on.
std::vector<Duration> TimeScale::round_times(Duration first, Duration last, Duration step, double free_from) const {
  std::vector<Duration> times;
  std::int64_t candidates = 0;
  for (Duration time = multiple_after(first, step); time < last && ++candidates < candidates_max; time += step) {
    if (x(time) < free_from) continue;
    times.push_back(time);
    free_from = x(time) + tick_distance_min;
  }
  return times;
}

// Fills the wide holes between ticks, and after the last, with multiples of a finer step.
void TimeScale::refine(std::vector<Duration>& times, Duration step) const {
  std::vector<Duration> refined;
  for (std::size_t index = 0; index < times.size(); ++index) {
    refined.push_back(times[index]);
    const bool is_last = index + 1 == times.size();
    const Duration until = is_last ? anchors_.back().at + Duration{1} : times[index + 1];
    if (x(until) - x(times[index]) < tick_distance_max) continue;
    for (const Duration time : round_times(times[index], until, step, x(times[index]) + tick_distance_min)) {
      if (is_last || x(until) - x(time) >= tick_distance_min) refined.push_back(time);
    }
  }
  times = std::move(refined);
}

}  // namespace freshet::report
