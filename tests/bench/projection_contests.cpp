// Projecting: beside appends, catching up, rebuilding, and how soon a commit is visible.
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "bench/contests.hpp"
#include "bench/freshet_side.hpp"
#include "bench/hand_written.hpp"

namespace freshet::bench {
namespace {

// Appends for a turn, and then until everything is projected.
struct Appender {
  Appender(const Setup& setup, const char* file, Engine engine)
      : store(store_options(setup.directory / file, engine)), supply(setup.workload, "-"), turn(setup.turn) {}

  Measurement run(std::size_t batch) {
    const Instant start = std::chrono::steady_clock::now();
    Measurement measurement = repeat_for(turn, [&] {
      if (batch == 1) {
        append_next(store.log(), supply);
      } else {
        append_batch(store.log(), supply, batch);
      }
    });
    if (is_projecting) ensure(store.drain(), "the projector catches up");
    measurement.per_second = static_cast<double>(measurement.waits_us.size() * batch) * 1e6 / microseconds_since(start);
    return measurement;
  }

  Store store;
  Supply supply;
  Duration turn;
  bool is_projecting = false;
};

// The same by hand in one thread: some commits, and then what they have brought in one transaction.
class HandWrittenAppender {
 public:
  explicit HandWrittenAppender(const Setup& setup)
      : log_database_(setup.directory / "by_hand.db", hand_written::Database::Sync::full),
        log_(log_database_),
        tables_database_(setup.directory / "by_hand.db", hand_written::Database::Sync::normal),
        tables_(tables_database_),
        supply_(setup.workload, "-"),
        turn_(setup.turn) {}

  Measurement run(std::size_t batch) {
    const Instant start = std::chrono::steady_clock::now();
    Measurement measurement = repeat_for(turn_, [&] {
      log_.begin();
      for (std::size_t count = 0; count < batch; ++count) {
        const Supplied supplied = supply_.next();
        const std::int64_t stream = log_.insert(supplied);
        const NewEvent& event = supplied.planned->event;
        appended_.push_back({.stream = stream,
                             .version = supplied.version,
                             .order_id = order_ids_.emplace_back(supplied.stream.id),
                             .type = event.type,
                             .data = event.data,
                             .occurred_at = event.occurred_at->time_since_epoch().count()});
      }
      log_.commit();
      if (++commits_ % commits_a_projection == 0) project();
    });
    project();
    measurement.per_second = static_cast<double>(measurement.waits_us.size() * batch) * 1e6 / microseconds_since(start);
    return measurement;
  }

 private:
  static constexpr std::size_t commits_a_projection = 8;

  void project() {
    tables_.begin();
    for (const hand_written::Event& event : appended_) tables_.apply(event);
    tables_.save_checkpoint(log_.head());
    tables_.commit();
    appended_.clear();
    order_ids_.clear();
  }

  hand_written::Database log_database_;
  hand_written::Log log_;
  hand_written::Database tables_database_;
  hand_written::ReadTables tables_;
  Supply supply_;
  Duration turn_;
  std::vector<hand_written::Event> appended_;
  std::deque<std::string> order_ids_;  // Of these.
  std::size_t commits_ = 0;
};

Contest together(const Setup& setup, std::size_t batch) {
  const auto both = std::make_shared<Appender>(setup, "both.db", Engine::threads);
  both->is_projecting = true;
  const auto alone = std::make_shared<Appender>(setup, "alone.db", Engine::off);
  const auto by_hand = std::make_shared<HandWrittenAppender>(setup);
  const std::string what = "append and projection, " + std::to_string(batch) + " per commit";
  return {.sides = {{"freshet", [=] { return both->run(batch); }},
                    {"append alone", [=] { return alone->run(batch); }},
                    {"both by hand, projecting every 8 commits", [=] { return by_hand->run(batch); }}},
          .comparisons = {{.what = what, .goal = 0.90},
                          {.what = what, .reference = 2, .goal = 0.90},
                          {.what = what + ": append p99", .figure = Figure::p99, .bound = Bound::at_most, .goal = 1.5},
                          {.what = what + ": append p99",
                           .figure = Figure::p99,
                           .reference = 2,
                           .bound = Bound::at_most,
                           .goal = 1.5}}};
}

Contest together_1(const Setup& setup) {
  return together(setup, 1);
}
Contest together_16(const Setup& setup) {
  return together(setup, 16);
}

void copy_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(to.string() + suffix);
  std::filesystem::copy_file(from, to);
}

// Runs on a fresh copy of the log.
Measurement on_copy(const Setup& setup, const char* file,
                    const std::function<void(const std::filesystem::path&)>& run) {
  const auto copy = setup.directory / file;
  copy_over(setup.directory / "log.db", copy);
  const Instant start = std::chrono::steady_clock::now();
  run(copy);
  return {.per_second = static_cast<double>(setup.log_events) * 1e6 / microseconds_since(start), .waits_us = {}};
}

// The plain loop: scan, decode, upsert.
void apply_by_hand(const std::filesystem::path& file, bool with_revenue) {
  constexpr std::size_t batch_events = 1'000;
  hand_written::Database database(file, hand_written::Database::Sync::normal);
  hand_written::ReadTables tables(database);
  if (!with_revenue) tables.leave_out_revenue();
  tables.apply_log(batch_events);
}

Contest catching_up(const Setup& setup) {
  fill_log(setup.directory / "log.db", setup.workload, setup.log_events);
  const auto freshet = [](const std::filesystem::path& file) {
    Store store(store_options(file, Engine::threads));
    ensure(store.drain(), "the projector catches up");
  };
  return {
      .sides = {{"freshet", [=] { return on_copy(setup, "freshet.db", freshet); }},
                {"scan, decode, upsert",
                 [=] { return on_copy(setup, "baseline.db", [](const auto& file) { apply_by_hand(file, true); }); }}},
      .comparisons = {{.what = "projection: catching up", .goal = 0.75}}};
}

Contest rebuilding(const Setup& setup) {
  fill_log(setup.directory / "log.db", setup.workload, setup.log_events);
  const auto freshet = [](const std::filesystem::path& file) {
    Store store(store_options(file, Engine::off));
    ensure(store.rebuild("orders"), "the rebuild is not stopped");
  };
  return {
      .sides = {{"freshet", [=] { return on_copy(setup, "freshet.db", freshet); }},
                {"scan, decode, upsert",
                 [=] { return on_copy(setup, "baseline.db", [](const auto& file) { apply_by_hand(file, false); }); }}},
      .comparisons = {{.what = "projection: rebuild of `orders`", .goal = 0.75}}};
}

// By hand: a queue to a thread that upserts, and a wake-up when it has committed.
class HandWrittenProjector {
 public:
  explicit HandWrittenProjector(const std::filesystem::path& file)
      : log_database_(file, hand_written::Database::Sync::full),
        log_(log_database_),
        tables_database_(file, hand_written::Database::Sync::normal),
        tables_(tables_database_),
        thread_([this](const std::stop_token& stop) { project(stop); }) {}

  void append(const Supplied& supplied) {
    std::int64_t stream = 0;
    {
      const std::lock_guard turn(turn_);
      log_.begin();
      stream = log_.insert(supplied);
      log_.commit();
    }
    const NewEvent& event = supplied.planned->event;
    const std::lock_guard lock(mutex_);
    queue_.push_back({.position = log_.head(),
                      .event = {.stream = stream,
                                .version = supplied.version,
                                .order_id = supplied.stream.id,
                                .type = event.type,
                                .data = event.data,
                                .occurred_at = event.occurred_at->time_since_epoch().count()}});
    arrived_.notify_one();
  }

  void wait_for_last() {
    std::unique_lock lock(mutex_);
    visible_changed_.wait(lock, [&] { return visible_ == log_.head(); });
  }

 private:
  struct Queued {
    std::int64_t position = 0;
    hand_written::Event event;  // Borrowed from the work, until it is visible.
  };

  void project(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
      const Queued next = queue_.front();
      queue_.pop_front();
      lock.unlock();
      {
        const std::lock_guard turn(turn_);
        tables_.begin();
        tables_.apply(next.event);
        tables_.save_checkpoint(next.position);
        tables_.commit();
      }
      lock.lock();
      visible_ = next.position;
      visible_changed_.notify_all();
    }
  }

  hand_written::Database log_database_;
  hand_written::Log log_;
  hand_written::Database tables_database_;
  hand_written::ReadTables tables_;
  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::condition_variable visible_changed_;
  std::deque<Queued> queue_;
  std::int64_t visible_ = 0;
  std::jthread thread_;
};

// Appends one by one; what counts is the time from the commit until the event is visible.
Measurement time_visible(Supply& supply, Duration turn, const std::function<void(const Supplied&)>& append,
                         const std::function<void()>& wait) {
  Measurement measurement;
  const Instant start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < turn) {
    const Supplied supplied = supply.next();
    append(supplied);
    const Instant committed = std::chrono::steady_clock::now();
    wait();
    measurement.waits_us.push_back(microseconds_since(committed));
  }
  return measurement;
}

Contest visible(const Setup& setup) {
  const auto store = std::make_shared<Store>(store_options(setup.directory / "freshet.db", Engine::threads));
  const auto freshet_supply = std::make_shared<Supply>(setup.workload, "-");
  const auto by_hand = std::make_shared<HandWrittenProjector>(setup.directory / "baseline.db");
  const auto supply = std::make_shared<Supply>(setup.workload, "-");
  const auto last = std::make_shared<Position>();
  const Duration turn = setup.turn;
  const auto append = [=](const Supplied& supplied) {
    *last = std::get<Appended>(store->log().append(append_of(supplied))).last;
  };
  const auto read = [=] {
    const Reading reading = store->read({.projections = {"orders", "revenue"},
                                         .consistency = AtLeastPosition{*last},
                                         .timeout = std::chrono::seconds{60}});
    ensure(!reading.freshness().stale, "the event becomes visible");
  };
  const std::string what = "commit to visible, no delay, 1 writer";
  return {.sides = {{"freshet", [=] { return time_visible(*freshet_supply, turn, append, read); }},
                    {"queue, upsert, wake-up",
                     [=] {
                       return time_visible(
                           *supply, turn, [=](const Supplied& supplied) { by_hand->append(supplied); },
                           [=] { by_hand->wait_for_last(); });
                     }}},
          .comparisons = {{.what = what + ": p50", .figure = Figure::p50, .bound = Bound::at_most, .goal = 1.5},
                          {.what = what + ": p99", .figure = Figure::p99, .bound = Bound::at_most, .goal = 2.0}}};
}

// When events were committed and delivered, by position.
struct Times {
  std::vector<Instant> appended;
  std::vector<Instant> delivered;
};

Contest lateness(const Setup& setup) {
  constexpr Duration delay = std::chrono::milliseconds{5};
  constexpr Duration interval = std::chrono::milliseconds{1};
  constexpr std::size_t appends = 200;
  const auto times = std::make_shared<Guarded<Times>>();
  StoreOptions options = store_options(setup.directory / "freshet.db", Engine::threads);
  options.bus = {.delay = FixedDelay{delay}, .partitions = partitions_max};
  options.on_trace = [times](const Trace& trace) {
    auto locked = times->locked();
    if (trace.kind == Trace::Kind::appended) locked->appended.push_back(trace.at);
    if (trace.kind == Trace::Kind::delivered) locked->delivered.push_back(trace.at);
  };
  const auto store = std::make_shared<Store>(std::move(options));
  const auto supply = std::make_shared<Supply>(setup.workload, "-");
  const auto run = [=] {
    *times->locked() = {};
    for (std::size_t count = 0; count < appends; ++count) {
      append_next(store->log(), *supply);
      store->clock().sleep_until(store->clock().now() + interval);
    }
    ensure(store->drain(), "the projector catches up");
    Measurement measurement;
    auto seen = times->locked();
    ensure(seen->appended.size() == appends && seen->delivered.size() == appends, "every event is delivered once");
    for (std::size_t index = 0; index < appends; ++index) {
      const auto late = seen->delivered[index] - seen->appended[index] - delay;
      measurement.waits_us.push_back(std::chrono::duration<double, std::micro>(late).count());
    }
    return measurement;
  };
  const std::string what = "delivery after a configured delay";
  return {.sides = {{"freshet", run}},
          .comparisons = {{.what = what + ": p50 lateness",
                           .figure = Figure::p50,
                           .reference = std::nullopt,
                           .bound = Bound::at_most,
                           .goal = 100},
                          {.what = what + ": earliest",
                           .figure = Figure::min,
                           .reference = std::nullopt,
                           .bound = Bound::at_least,
                           .goal = 0}}};
}

}  // namespace

std::vector<NamedContest> projection_contests() {
  return {{"project-1", together_1}, {"project-16", together_16}, {"catch-up", catching_up},
          {"rebuild", rebuilding},   {"visible", visible},        {"lateness", lateness}};
}

}  // namespace freshet::bench
