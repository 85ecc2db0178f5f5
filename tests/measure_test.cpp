// Tests of measured distributions, of the delays' distribution functions, and of both measurements.
#include "measure/measure.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "engine_fixture.hpp"
#include "freshet/error.hpp"
#include "measure/distribution.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::measure;
using freshet::tests::TempDir;

namespace {

Measured from_1_to_10() {
  std::vector<Duration> values;
  for (int count = 10; count >= 1; --count) values.emplace_back(count);
  return Measured{std::move(values)};
}

bool rises(const std::vector<CurvePoint>& curve) {
  return std::ranges::is_sorted(curve, {}, &CurvePoint::after) &&
         std::ranges::is_sorted(curve, {}, &CurvePoint::p_fresh);
}

const OnProgress to_the_end = [](std::int64_t /*done*/, std::int64_t /*total*/) { return true; };

// Ends a measurement when so much is done.
OnProgress until(std::int64_t enough) {
  return [enough](std::int64_t done, std::int64_t /*total*/) { return done < enough; };
}

// A thread that the system lets wait whenever it asks for the time: the one that made the clock.
class LateClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    if (std::this_thread::get_id() == late_) std::this_thread::sleep_for(5ms);
    return machine_.now();
  }
  [[nodiscard]] Timestamp wall_time() const override { return machine_.wall_time(); }
  void sleep_until(Instant deadline) override { machine_.sleep_until(deadline); }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant deadline) override {
    machine_.wait_until(condition, lock, deadline);
  }

 private:
  SystemClock machine_;
  std::thread::id late_ = std::this_thread::get_id();
};

}  // namespace

TEST_SUITE("measure") {
  TEST_CASE("Measured quantile: the smallest value that this share does not exceed") {
    const Measured measured = from_1_to_10();
    CHECK(measured.quantile(0.5) == 5us);
    CHECK(measured.quantile(0.9) == 9us);
    CHECK(measured.quantile(0.91) == 10us);
    CHECK(measured.quantile(0.001) == 1us);
    CHECK(measured.quantile(1.0) == 10us);
    CHECK(measured.max() == 10us);
  }

  TEST_CASE("Measured quantile: a single value is every quantile") {
    const Measured measured{{7us}};
    CHECK(measured.quantile(0.01) == 7us);
    CHECK(measured.quantile(0.99) == 7us);
  }

  TEST_CASE("Measured share_within: the limit itself is within") {
    const Measured measured = from_1_to_10();
    CHECK(measured.share_within(0us) == 0.0);
    CHECK(measured.share_within(3us) == doctest::Approx(0.3));
    CHECK(measured.share_within(10us) == 1.0);
  }

  TEST_CASE("p_delivered: a fixed delay is a step") {
    CHECK(p_delivered(FixedDelay{50ms}, 50ms - 1us) == 0.0);
    CHECK(p_delivered(FixedDelay{50ms}, 50ms) == 1.0);
    CHECK(p_delivered(FixedDelay{}, 0us) == 1.0);
  }

  TEST_CASE("p_delivered: a uniform delay rises evenly between its ends") {
    const Delay delay = UniformDelay{20ms, 80ms};
    CHECK(p_delivered(delay, 19ms) == 0.0);
    CHECK(p_delivered(delay, 35ms) == doctest::Approx(0.25));
    CHECK(p_delivered(delay, 80ms) == 1.0);
    CHECK(p_delivered(UniformDelay{20ms, 20ms}, 20ms) == 1.0);
  }

  TEST_CASE("p_delivered: a normal delay is half done at its mean, and 0.8413 one deviation later") {
    const Delay delay = NormalDelay{50ms, 10ms};
    CHECK(p_delivered(delay, 50ms) == doctest::Approx(0.5));
    CHECK(p_delivered(delay, 60ms) == doctest::Approx(0.841345).epsilon(1e-5));
    CHECK(p_delivered(delay, 30ms) == doctest::Approx(0.022750).epsilon(1e-4));
    CHECK(p_delivered(NormalDelay{50ms, 0ms}, 49ms) == 0.0);
  }

  TEST_CASE("p_delivered: what a normal delay draws below 0 arrives at once") {
    CHECK(p_delivered(NormalDelay{10ms, 10ms}, 0us) == doctest::Approx(0.158655).epsilon(1e-5));
    CHECK(p_delivered(NormalDelay{10ms, 10ms}, -1us) == 0.0);
  }

  TEST_CASE("p_delivered: an exponential delay has delivered 1 - 1/e at its mean") {
    CHECK(p_delivered(ExponentialDelay{50ms}, 50ms) == doctest::Approx(0.632121).epsilon(1e-5));
    CHECK(p_delivered(ExponentialDelay{50ms}, 0us) == 0.0);
    CHECK(p_delivered(ExponentialDelay{0ms}, 0us) == 1.0);
  }

  TEST_CASE("p_delivered: no delay is longer than the longest") {
    CHECK(p_delivered(ExponentialDelay{delay_max}, delay_max) == 1.0);
  }

  TEST_CASE("delay_quantile: turns p_delivered round") {
    CHECK(delay_quantile(FixedDelay{50ms}, 0.99) == 50ms);
    CHECK(delay_quantile(UniformDelay{20ms, 80ms}, 0.5) == 50ms);
    CHECK(delay_quantile(NormalDelay{50ms, 10ms}, 0.5) == 50ms);
    CHECK(delay_quantile(ExponentialDelay{50ms}, 0.5) == 34'658us);
  }

  TEST_CASE("visibility: no write is visible before its delay is over") {
    const TempDir directory;
    const auto measured = visibility(directory.file(), {.writes = 10, .bus = {.delay = FixedDelay{20ms}}}, to_the_end);
    REQUIRE(measured);
    CHECK(measured->writes == 10);
    CHECK(measured->delay == "fixed(20ms)");
    CHECK(measured->delay_p50 == 20ms);
    CHECK(measured->curve.front().p_fresh == 0.0);
    CHECK(measured->p50 <= measured->p90);
    CHECK(measured->p99 <= measured->max);
  }

  TEST_CASE("visibility: on a busy machine, where the writer is late, no write is visible before its delay either") {
    const TempDir directory;
    const VisibilityOptions options{
        .writes = 5, .bus = {.delay = FixedDelay{20ms}}, .clock = std::make_shared<LateClock>()};
    const auto measured = visibility(directory.file(), options, to_the_end);
    REQUIRE(measured);
    for (const CurvePoint& point : measured->curve) {
      if (point.after < 20ms) CHECK(point.p_fresh == 0.0);
    }
  }

  TEST_CASE("visibility: the curve rises from the commit to certainty") {
    const TempDir directory;
    const auto measured =
        visibility(directory.file(), {.writes = 10, .bus = {.delay = UniformDelay{1ms, 5ms}}}, to_the_end);
    REQUIRE(measured);
    CHECK(measured->curve.size() >= curve_points);
    CHECK(rises(measured->curve));
    CHECK(measured->curve.front().after == 0us);
    CHECK(measured->curve.back().p_fresh == 1.0);
  }

  TEST_CASE("visibility: a duplicate does not make a write visible twice") {
    const TempDir directory;
    const VisibilityOptions options{.writes = 10, .bus = {.delay = FixedDelay{1ms}, .duplicate_probability = 1.0}};
    const auto measured = visibility(directory.file(), options, to_the_end);
    REQUIRE(measured);
    CHECK(measured->curve.back().p_fresh == 1.0);
  }

  TEST_CASE("visibility: who ends it gets nothing") {
    const TempDir directory;
    const VisibilityOptions options{.writes = 10, .bus = {.delay = FixedDelay{1h}}};
    int asked = 0;
    CHECK_FALSE(visibility(directory.file(), options,
                           [&asked](std::int64_t /*done*/, std::int64_t /*total*/) { return ++asked < 12; }));
  }

  TEST_CASE("visibility: a number of writes outside the bounds is refused") {
    const TempDir directory;
    CHECK_THROWS_AS(static_cast<void>(visibility(directory.file(), {.writes = 0}, to_the_end)), Error);
  }

  TEST_CASE("throughput: a row for 1, 8 and 64 writers with each durability") {
    const TempDir directory;
    const auto measured = throughput(directory.file(), {.events = 64}, to_the_end);
    REQUIRE(measured);
    REQUIRE(measured->rows.size() == 6);
    CHECK(measured->rows[0].durability == Durability::power_loss);
    CHECK(measured->rows[2].writers == 64);
    CHECK(measured->rows[5].durability == Durability::process_crash);
    CHECK(measured->rows[5].events == 64);
    CHECK(measured->rows[5].events_per_second > 0.0);
    CHECK(measured->rows[5].p50 <= measured->rows[5].p99);
    CHECK(measured->reference.writes > 0);
  }

  TEST_CASE("throughput: every event is appended once, and only the store is left behind") {
    const TempDir directory;
    const auto file = directory.file();
    const ThroughputOptions options{.writers = 3, .events = 50, .durabilities = {Durability::process_crash}};
    REQUIRE(throughput(file, options, to_the_end));
    Store store{{.file = file, .engine = Engine::off}};
    CHECK(store.log().head() == Position{50});
    CHECK_FALSE(std::filesystem::exists(directory.path() / "store.db-reference"));
  }

  TEST_CASE("throughput: who ends it gets nothing") {
    const TempDir directory;
    CHECK_FALSE(throughput(directory.file(), {.writers = 2, .events = 50}, until(20)));
  }
}
