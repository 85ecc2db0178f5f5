// The measurements of a small and of a large file, one figure a line.
#include "bench/scale.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include "bench/contest.hpp"
#include "bench/freshet_side.hpp"
#include "bench/hand_written.hpp"
#include "resources.hpp"

namespace freshet::bench {
namespace {

constexpr std::size_t batch_events = 1'000;
constexpr std::size_t long_stream_events = 100'000;
constexpr std::size_t asked_orders = 5'000;
constexpr Duration snapshot_held = std::chrono::minutes{1};

struct Figure {
  std::string what;
  std::string unit;
  double value = 0;
};
using Figures = std::vector<Figure>;

// One file, from its first event on.
class Subject {
 public:
  Subject(const Workload& workload, const std::filesystem::path& directory, std::size_t events)
      : workload_(workload), directory_(directory), file_(directory / "scale.db"), events_(events) {}

  Figures run() {
    fill();
    fill_bare();
    project_by_hand();
    project();
    open();
    ask();
    read_long_stream();
    append_beside_checkpoints();
    hold_snapshot();
    return std::move(figures_);
  }

 private:
  void add(const char* what, const char* unit, double value) {
    std::fprintf(stderr, "%zu events: %s: %.4g %s\n", events_, what, value, unit);
    figures_.push_back({what, unit, value});
  }

  [[nodiscard]] static double seconds_since(Instant start) { return microseconds_since(start) / 1e6; }

  [[nodiscard]] double per_event(std::int64_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(events_);
  }

  // As fill_log(); besides, some of its orders are remembered.
  void fill() {
    const Instant start = std::chrono::steady_clock::now();
    {
      Store store(store_options(file_, Engine::off));
      Supply supply(workload_, "-", Times::moving_on);
      for (std::size_t done = 0; done < events_; done += batch_events) {
        append_batch(store.log(), supply, batch_events - 1);
        const Supplied last = supply.next();
        require_appended(store.log().append(append_of(last)));
        if (done % (events_ / asked_orders / batch_events * batch_events + batch_events) == 0) {
          orders_.push_back(last.stream.id);
        }
      }
      store.close();
    }
    add("bulk append", "/s", static_cast<double>(events_) / seconds_since(start));
    add("bytes per event, log", "", per_event(tests::bytes_of(file_)));
  }

  void fill_bare() {
    const auto file = directory_ / "bare.db";
    {
      hand_written::Database database(file, hand_written::Database::Sync::normal);
      hand_written::Log log(database);
      Supply supply(workload_, "-", Times::moving_on);
      for (std::size_t done = 0; done < events_; done += batch_events) {
        log.begin();
        for (std::size_t count = 0; count < batch_events; ++count) log.insert(supply.next());
        log.commit();
      }
    }
    add("bytes per event, bare table", "", per_event(tests::bytes_of(file)));
    std::filesystem::remove(file);
  }

  void project_by_hand() {
    const auto file = directory_ / "by_hand.db";
    std::filesystem::copy_file(file_, file);
    const Instant start = std::chrono::steady_clock::now();
    {
      hand_written::Database database(file, hand_written::Database::Sync::normal);
      hand_written::ReadTables(database).apply_log(batch_events);
    }
    add("catching up, by hand", "/s", static_cast<double>(events_) / seconds_since(start));
    std::filesystem::remove(file);
  }

  void project() {
    Instant start = std::chrono::steady_clock::now();
    project_all(file_);
    add("catching up", "/s", static_cast<double>(events_) / seconds_since(start));
    Store store(store_options(file_, Engine::off));
    start = std::chrono::steady_clock::now();
    ensure(store.rebuild("orders"), "the rebuild is not stopped");
    add("rebuild of `orders`", "s", seconds_since(start));
    start = std::chrono::steady_clock::now();
    ensure(store.verify().problems.empty(), "the file is sound");
    add("verify", "s", seconds_since(start));
  }

  [[nodiscard]] const std::string& next_order() {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return orders_[(state_ >> 33U) % orders_.size()];
  }

  void open() {
    const Measurement times = repeat_times(9, 1, [&] {
      Store store(store_options(file_, Engine::threads));
      ensure(orders::Orders(store).get(next_order()).value.has_value(), "the order is found");
    });
    add("open, first answer, close: p50", "ms", quantile(times.waits_us, 0.5) / 1e3);
    Store store(store_options(file_, Engine::threads));
    const Instant start = std::chrono::steady_clock::now();
    ensure(orders::Orders(store).get(next_order()).value.has_value(), "the order is found");
    add("first answer of an open store", "ms", microseconds_since(start) / 1e3);
  }

  void ask() {
    Store store(store_options(file_, Engine::threads));
    orders::Orders orders(store);
    const auto p50 = [&](const char* what, std::size_t times, const auto& operation) {
      add(what, "us", quantile(repeat_times(times, 1, operation).waits_us, 0.5));
    };
    p50("get: p50", 20'000, [&] { ensure(orders.get(next_order()).value.has_value(), "the order is found"); });
    p50("replay: p50", 20'000, [&] { ensure(orders.replay(next_order()).value.has_value(), "the order is found"); });
    {
      hand_written::Database database(file_, hand_written::Database::Sync::normal);
      hand_written::Queries queries(database);
      p50("get, by hand: p50", 20'000, [&] { ensure(queries.get(next_order()).has_value(), "the order is found"); });
      p50("replay, by hand: p50", 20'000,
          [&] { ensure(queries.replay(next_order()).has_value(), "the order is found"); });
    }
    Supply supply(workload_, "-new-");
    Position last;
    p50("append, one event a commit: p50", 2'000, [&] {
      const Supplied supplied = supply.next();
      last = std::get<Appended>(store.log().append(append_of(supplied))).last;
    });
    std::vector<double> waits_us;
    for (int count = 0; count < 1'000; ++count) {
      const Supplied supplied = supply.next();
      last = std::get<Appended>(store.log().append(append_of(supplied))).last;
      const Instant start = std::chrono::steady_clock::now();
      const Reading reading = store.read(
          {.projections = {"orders"}, .consistency = AtLeastPosition{last}, .timeout = std::chrono::seconds{60}});
      ensure(!reading.freshness().stale, "the event becomes visible");
      waits_us.push_back(microseconds_since(start));
    }
    add("wait for an append: p50", "us", quantile(waits_us, 0.5));
    add("resident memory", "MB", static_cast<double>(tests::resident_bytes()) / 1e6);
  }

  void read_long_stream() {
    Store store(store_options(file_, Engine::off));
    const StreamId stream{"counter", "long"};
    std::vector<NewEvent> batch(append_events_max, NewEvent{.type = "Counted", .data = R"({"by":1})"});
    for (std::size_t done = store.log().version(stream).value; done < long_stream_events; done += batch.size()) {
      require_appended(store.log().append({.stream = stream, .expected = ExpectedVersion::any(), .events = batch}));
    }
    const auto read = [&](const char* what, std::int64_t after) {
      const Measurement times = repeat_times(2'000, 1, [&] {
        ensure(store.log().read_stream(stream, Version{after}, 5).size() == 5, "the stream has five more events");
      });
      add(what, "us", quantile(times.waits_us, 0.5));
    };
    read("a stream of 100,000, its first 5: p50", 0);
    read("a stream of 100,000, its last 5: p50", long_stream_events - 5);
  }

  // Several checkpoints of the write-ahead log are among them.
  void append_beside_checkpoints() {
    Store store({.file = file_, .engine = Engine::threads});
    Supply supply(workload_, "-checkpoints-");
    const auto waits_us = repeat_times(15'000, 1, [&] { append_next(store.log(), supply); }).waits_us;
    add("15,000 appends: p99.9", "us", quantile(waits_us, 0.999));
    add("15,000 appends: longest", "us", quantile(waits_us, 1));
  }

  void hold_snapshot() {
    const auto log = file_.string() + "-wal";
    Store store({.file = file_, .engine = Engine::threads});
    Supply supply(workload_, "-beside-");
    hand_written::Database reader(file_, hand_written::Database::Sync::normal);
    reader.execute("BEGIN; SELECT max(position) FROM events");
    const auto beside = repeat_for(snapshot_held, [&] { append_next(store.log(), supply); });
    add("appends beside a held snapshot", "/s", beside.per_second);
    add("appends beside a held snapshot: p99.9", "us", quantile(beside.waits_us, 0.999));
    add("write-ahead log after a minute of it", "MB", static_cast<double>(tests::bytes_of(log)) / 1e6);
    reader.execute("COMMIT");
    const Instant start = std::chrono::steady_clock::now();
    append_next(store.log(), supply);
    add("first append after it", "us", microseconds_since(start));
    const auto after = repeat_times(5'000, 1, [&] { append_next(store.log(), supply); });
    add("5,000 appends after it: longest", "us", quantile(after.waits_us, 1));
    add("write-ahead log after them", "MB", static_cast<double>(tests::bytes_of(log)) / 1e6);
  }

  const Workload& workload_;
  std::filesystem::path directory_;
  std::filesystem::path file_;
  std::size_t events_;
  std::vector<std::string> orders_;
  std::uint64_t state_ = 1;
  Figures figures_;
};

Figures measure(const Workload& workload, const std::filesystem::path& directory, std::size_t events) {
  const auto own = directory / std::to_string(events);
  std::filesystem::create_directory(own);
  Figures figures = Subject(workload, own, events).run();
  std::filesystem::remove_all(own);
  return figures;
}

}  // namespace

void measure_scale(const Workload& workload, const std::filesystem::path& directory, std::size_t events) {
  const Figures small = measure(workload, directory, std::min(scale_events_small, events));
  const Figures large = measure(workload, directory, events);
  std::printf("%-48s %14zu %14zu  ratio\n", "events", std::min(scale_events_small, events), events);
  for (std::size_t index = 0; index < small.size(); ++index) {
    std::printf("%-48s %14.4g %14.4g %6.2f  %s\n", small[index].what.c_str(), small[index].value, large[index].value,
                large[index].value / small[index].value, small[index].unit.c_str());
  }
}

}  // namespace freshet::bench
