// An hour's worth of events in minutes: several writers, reads of every consistency, and a reader that
// keeps one snapshot open meanwhile. Memory and the write-ahead log stay within bounds, and the read
// tables are exact.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <random>
#include <thread>

#include "engine_fixture.hpp"
#include "measure/distribution.hpp"
#include "resources.hpp"

using namespace freshet;
using namespace freshet::tests;
using namespace std::chrono_literals;

namespace {

constexpr int writers = 4;
constexpr std::int64_t streams_of_a_writer = 1'000;
constexpr std::size_t batch_max = 19;  // Of one append; 10 on average.
constexpr Duration patience = std::chrono::minutes{5};

// Nine connections (the log's, the projector's, a reader's for each thread and for the snapshot) with a
// cache of 16 MiB each, 64 MiB for what the bus and the allocator hold, and the index of a write-ahead
// log of gigabytes, which is 2 MiB a gigabyte.
constexpr std::int64_t resident_bytes_max = (9 * 16 + 64 + 48) << 20;
// Four times the size at which it is written back: a checkpoint may find a reader in its way a few times.
constexpr std::int64_t log_bytes_max = 64 << 20;

using Times = std::vector<Duration>;

Duration since(Instant start) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start);
}

// What one writer did, to be compared with the read tables.
struct Written {
  std::int64_t events = 0;
  std::int64_t sum = 0;
  std::int64_t reads = 0;
  Times appends;
  Times visible;
};

// Appends at its share of a steady rate, as far as the machine can, and reads now and then.
class Writer {
 public:
  Writer(Store& store, int number, std::uint64_t seed)
      : store_(store), number_(number), chance_(seed * 100 + static_cast<std::uint64_t>(number)) {}

  Written run(std::int64_t events, double events_per_second) {
    const Instant began = std::chrono::steady_clock::now();
    while (written_.events < events) {
      const auto due = std::chrono::duration<double>(static_cast<double>(written_.events) / events_per_second);
      std::this_thread::sleep_until(began + std::chrono::duration_cast<Instant::duration>(due));
      append_some();
    }
    return std::move(written_);
  }

 private:
  void append_some() {
    const auto some = tests::events(1 + chance_() % batch_max, static_cast<std::int64_t>(chance_() % 100));
    const std::string id = std::to_string(number_) + "-" + std::to_string(chance_() % streams_of_a_writer);
    const Instant began = std::chrono::steady_clock::now();
    const auto result = store_.log().append({.stream = stream(id), .expected = ExpectedVersion::any(), .events = some});
    written_.appends.push_back(since(began));
    written_.events += std::ssize(some);
    written_.sum += std::ssize(some) * std::stoll(some.front().data);
    if (chance_() % 20 == 0) read(std::get<Appended>(result));
  }

  // One of the consistencies; each of them promises what was just appended, or says what is lacking.
  void read(const Appended& appended) {
    ++written_.reads;
    ReadRequest request{.projections = {"totals", "latest"}, .timeout = patience, .on_timeout = OnTimeout::error};
    const Instant began = std::chrono::steady_clock::now();
    switch (chance_() % 5) {
      case 0:
        require_not_above_head(store_.read(request).freshness().position);
        return;
      case 1:
        request.consistency = Strong{};
        break;
      case 2:
        request.consistency = MaxStaleness{20ms};
        static_cast<void>(store_.read(request));
        return;
      case 3:
        request.stream = appended.stream;
        request.consistency = AtLeastVersion{appended.version};
        require(store_.read(request).freshness().version >= appended.version);
        return;
      default:
        request.consistency = AtLeastPosition{appended.last};
    }
    require(store_.read(request).freshness().position >= appended.last);
    written_.visible.push_back(since(began));
  }

  // The head is looked up after the read: the other writers move both.
  void require_not_above_head(Position position) { require(position <= store_.log().head()); }

  static void require(bool condition) {
    if (!condition) throw std::logic_error("a read lacks what it promised");
  }

  Store& store_;
  int number_;
  std::mt19937_64 chance_;
  Written written_;
};

// Samples what the process uses, on a thread of its own.
class Sampler {
 public:
  explicit Sampler(const std::filesystem::path& file)
      : thread_([this, log = file.string() + "-wal"] {
          while (!stopping_) {
            resident_max_ = std::max(resident_max_.load(), resident_bytes());
            log_max_ = std::max(log_max_.load(), bytes_of(log));
            std::this_thread::sleep_for(20ms);
          }
        }) {}
  ~Sampler() {
    stopping_ = true;
    thread_.join();
  }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  [[nodiscard]] std::int64_t resident_max() const { return resident_max_; }
  [[nodiscard]] std::int64_t log_max() const { return log_max_; }

 private:
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> resident_max_ = 0;
  std::atomic<std::int64_t> log_max_ = 0;
  std::thread thread_;
};

Written write_in_parallel(Store& store, std::int64_t events, double rate, std::uint64_t seed) {
  std::vector<Written> parts(writers);
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < writers; ++number) {
      threads.emplace_back([&, number] {
        try {
          parts[static_cast<std::size_t>(number)] = Writer(store, number, seed).run(events / writers, rate / writers);
        } catch (...) {
          const std::lock_guard lock(mutex);
          failure = std::current_exception();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
  Written all;
  for (Written& part : parts) {
    all.events += part.events;
    all.sum += part.sum;
    all.reads += part.reads;
    all.appends.insert(all.appends.end(), part.appends.begin(), part.appends.end());
    all.visible.insert(all.visible.end(), part.visible.begin(), part.visible.end());
  }
  return all;
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// As text, and as one line of JSON.
void report(const char* what, const Times& times) {
  const measure::Measured measured(times);
  const double p50 = milliseconds(measured.quantile(0.5));
  const double p99 = milliseconds(measured.quantile(0.99));
  const double p999 = milliseconds(measured.quantile(0.999));
  const double max = milliseconds(measured.max());
  std::printf("load: %-10s p50 %8.3f ms  p99 %8.3f ms  p99.9 %8.3f ms  max %8.3f ms  (%zu)\n", what, p50, p99, p999,
              max, times.size());
  std::printf(R"({"load":"%s","count":%zu,"p50_ms":%.3f,"p99_ms":%.3f,"p99_9_ms":%.3f,"max_ms":%.3f})"
              "\n",
              what, times.size(), p50, p99, p999, max);
}

void report_sizes(const char* phase, const Sampler& sampler, std::int64_t log_bytes) {
  std::printf("load: %s: resident at most %lld MiB, write-ahead log at most %lld MiB, %lld MiB at the end\n", phase,
              static_cast<long long>(sampler.resident_max() >> 20), static_cast<long long>(sampler.log_max() >> 20),
              static_cast<long long>(log_bytes >> 20));
  std::printf(R"({"load":"%s","resident_max_bytes":%lld,"log_max_bytes":%lld,"log_bytes":%lld})"
              "\n",
              phase, static_cast<long long>(sampler.resident_max()), static_cast<long long>(sampler.log_max()),
              static_cast<long long>(log_bytes));
}

}  // namespace

TEST_SUITE("load") {
  TEST_CASE("store: under load, with a snapshot open, memory is bounded and the read tables are exact") {
    const std::int64_t events = asked_for("FRESHET_LOAD_EVENTS", 60'000);
    const auto rate = static_cast<double>(asked_for("FRESHET_LOAD_RATE", 10'000));
    const auto seed = static_cast<std::uint64_t>(asked_for("FRESHET_SEED", 1));
    const TempDir directory;
    const std::filesystem::path log_file = directory.file().string() + "-wal";
    StoreOptions options = threaded(directory.file());
    options.durability = Durability::power_loss;
    Store store(std::move(options));
    append(store, "first", 1);
    std::optional<Reading> snapshot(store.read({.projections = {"totals"}, .consistency = Strong{}, .timeout = 60s}));
    const std::int64_t head_then = snapshot->freshness().head.value;

    const Instant began = std::chrono::steady_clock::now();
    const Sampler sampler(directory.file());
    const Written held = write_in_parallel(store, events, rate, seed);
    const double seconds = milliseconds(since(began)) / 1e3;
    std::printf("load: seed %llu, %lld events in %.1f s, %lld reads\n", static_cast<unsigned long long>(seed),
                static_cast<long long>(held.events), seconds, static_cast<long long>(held.reads));
    report("append", held.appends);
    report("visibility", held.visible);
    report_sizes("snapshot open", sampler, bytes_of(log_file));
    CHECK(number(*snapshot, "SELECT max(position) FROM events") == head_then);

    snapshot.reset();
    const Sampler sampler_after(directory.file());
    const Written released = write_in_parallel(store, std::max(events / 10, std::int64_t{20'000}), rate, seed + 1);
    report("append after", released.appends);
    report_sizes("snapshot released", sampler_after, bytes_of(log_file));
    CHECK(bytes_of(log_file) <= log_bytes_max);
    if (is_memory_measurable()) CHECK(sampler_after.resident_max() <= resident_bytes_max);

    Reading reading = store.read({.projections = {"totals", "latest"}, .consistency = Strong{}, .timeout = patience});
    REQUIRE_FALSE(reading.freshness().stale);
    CHECK(number(reading, "SELECT events FROM totals") == 1 + held.events + released.events);
    CHECK(number(reading, "SELECT sum FROM totals") == 1 + held.sum + released.sum);
    CHECK(store.verify().problems.empty());
  }
}
