// Tests of delays as text and as draws.
#include "bus/delay.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using namespace std::chrono_literals;
using namespace freshet;

namespace {

constexpr int draws = 20'000;

std::vector<double> milliseconds_drawn(const Delay& delay, std::uint64_t seed = 1) {
  Random random{seed};
  std::vector<double> values;
  for (int count = 0; count < draws; ++count) {
    values.push_back(static_cast<double>(draw(delay, random).count()) / 1'000.0);
  }
  return values;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / draws;
}

double deviation(const std::vector<double>& values) {
  const double middle = mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / draws);
}

std::string read_back(std::string_view text) {
  const auto delay = parse_delay(text);
  return delay ? format_delay(*delay) : "nothing";
}

}  // namespace

TEST_SUITE("delay") {
  TEST_CASE("parse_delay: a duration alone is fixed") {
    CHECK(read_back("50ms") == "fixed(50ms)");
    CHECK(read_back("fixed(1500ms)") == "fixed(1.5s)");
    CHECK(read_back("0s") == "fixed(0s)");
  }

  TEST_CASE("parse_delay: a distribution with its durations") {
    CHECK(read_back("uniform(20ms,80ms)") == "uniform(20ms,80ms)");
    CHECK(read_back("uniform(20ms,20ms)") == "uniform(20ms,20ms)");
    CHECK(read_back("normal(50ms,10ms)") == "normal(50ms,10ms)");
    CHECK(read_back("exponential(50ms)") == "exponential(50ms)");
  }

  TEST_CASE("parse_delay: an empty interval, a negative and a too long delay are refused") {
    CHECK_FALSE(parse_delay("uniform(80ms,20ms)"));
    CHECK_FALSE(parse_delay("-50ms"));
    CHECK_FALSE(parse_delay("normal(50ms,-10ms)"));
    CHECK_FALSE(parse_delay("24.1h"));
    CHECK_FALSE(parse_delay("exponential(25h)"));
    CHECK(parse_delay("24h"));
  }

  TEST_CASE("parse_delay: anything else is refused") {
    for (const char* text : {"",
                             "()",
                             "50",
                             "fixed",
                             "fixed()",
                             "fixed(50ms",
                             "fixed50ms)",
                             "fixed(50ms))",
                             "50ms)",
                             "uniform(50ms)",
                             "uniform(,)",
                             "uniform(1ms,2ms,3ms)",
                             "normal(50ms)",
                             "exponential(1ms,2ms)",
                             "gamma(1ms)",
                             "Fixed(50ms)",
                             "fixed (50ms)",
                             "fixed(fixed(50ms))",
                             "inf",
                             "exponential(inf)"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_delay(text));
    }
  }

  TEST_CASE("draw: fixed is always the same") {
    Random random{1};
    CHECK(draw(FixedDelay{50ms}, random) == 50ms);
    CHECK(draw(FixedDelay{50ms}, random) == 50ms);
  }

  TEST_CASE("draw: uniform keeps within its interval, ends included") {
    Random random{1};
    std::vector<Duration> seen;
    for (int count = 0; count < 200; ++count) seen.push_back(draw(UniformDelay{.min = 3us, .max = 5us}, random));
    CHECK(*std::ranges::min_element(seen) == 3us);
    CHECK(*std::ranges::max_element(seen) == 5us);
  }

  TEST_CASE("draw: uniform has the mean and deviation of its distribution") {
    const auto values = milliseconds_drawn(UniformDelay{.min = 20ms, .max = 80ms});
    CHECK(mean(values) == doctest::Approx(50.0).epsilon(0.02));
    CHECK(deviation(values) == doctest::Approx(60.0 / std::sqrt(12.0)).epsilon(0.03));
  }

  TEST_CASE("draw: normal has the mean and deviation of its distribution") {
    const auto values = milliseconds_drawn(NormalDelay{.mean = 50ms, .deviation = 10ms});
    CHECK(mean(values) == doctest::Approx(50.0).epsilon(0.02));
    CHECK(deviation(values) == doctest::Approx(10.0).epsilon(0.03));
  }

  TEST_CASE("draw: exponential has the mean and deviation of its distribution") {
    const auto values = milliseconds_drawn(ExponentialDelay{50ms});
    CHECK(mean(values) == doctest::Approx(50.0).epsilon(0.03));
    CHECK(deviation(values) == doctest::Approx(50.0).epsilon(0.05));
  }

  TEST_CASE("draw: what would be below 0 or above delay_max is cut") {
    const auto values = milliseconds_drawn(NormalDelay{.mean = 0ms, .deviation = 24h});
    CHECK(*std::ranges::min_element(values) == 0.0);
    CHECK(*std::ranges::max_element(values) == static_cast<double>(delay_max / 1ms));
    Random random{1};
    CHECK(draw(FixedDelay{-5ms}, random) == 0ms);
    CHECK(draw(FixedDelay{48h}, random) == delay_max);
  }

  TEST_CASE("draw: the same seed gives the same sequence, another seed another one") {
    const Delay delay = NormalDelay{.mean = 50ms, .deviation = 10ms};
    CHECK(milliseconds_drawn(delay, 7) == milliseconds_drawn(delay, 7));
    CHECK(milliseconds_drawn(delay, 7) != milliseconds_drawn(delay, 8));
  }

  TEST_CASE("draw: the sequence of a seed is the same on every machine") {
    Random random{1};
    CHECK(draw(ExponentialDelay{50ms}, random) == 41800us);
    CHECK(draw(NormalDelay{.mean = 50ms, .deviation = 10ms}, random) == 66276us);
    CHECK(draw(UniformDelay{.min = 20ms, .max = 80ms}, random) == 46661us);
  }

  TEST_CASE("happens: never at 0, always at 1, and as often as asked in between") {
    Random random{1};
    int never = 0;
    int always = 0;
    int sometimes = 0;
    for (int count = 0; count < draws; ++count) {
      never += happens(0.0, random) ? 1 : 0;
      always += happens(1.0, random) ? 1 : 0;
      sometimes += happens(0.3, random) ? 1 : 0;
    }
    CHECK(never == 0);
    CHECK(always == draws);
    CHECK(static_cast<double>(sometimes) / draws == doctest::Approx(0.3).epsilon(0.05));
  }
}
