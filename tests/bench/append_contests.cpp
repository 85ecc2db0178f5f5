// Appending: durable commits by one thread and by many, bulk import, and commands that project synchronously.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "bench/contests.hpp"
#include "bench/freshet_side.hpp"
#include "bench/hand_written.hpp"
#include "orders/import.hpp"

namespace freshet::bench {
namespace {

struct HandWrittenWriter {
  HandWrittenWriter(const Setup& setup, const std::string& file)
      : database(setup.directory / file, hand_written::Database::Sync::full),
        log(database),
        supply(setup.workload, "-") {}

  void append_batch(std::size_t events) {
    log.begin();
    for (std::size_t count = 0; count < events; ++count) log.insert(supply.next());
    log.commit();
  }

  hand_written::Database database;
  hand_written::Log log;
  Supply supply;
};

struct FreshetWriter {
  FreshetWriter(const Setup& setup, const char* file)
      : store({.file = setup.directory / file, .engine = Engine::off}), supply(setup.workload, "-") {}

  Store store;
  Supply supply;
};

// One thread that commits batches. What counts is events.
Side batches(const Setup& setup, std::size_t events) {
  const auto writer = std::make_shared<HandWrittenWriter>(setup, "batches" + std::to_string(events) + ".db");
  return {"one thread, batches of " + std::to_string(events), [writer, events, turn = setup.turn] {
            Measurement measurement = repeat_for(turn, [&] { writer->append_batch(events); });
            measurement.per_second *= static_cast<double>(events);
            return measurement;
          }};
}

// Threads that repeat an operation, each with a supply of its own.
using Operation = std::function<void(Supply&)>;
Measurement run_threads(std::deque<Supply>& supplies, Duration turn, const Operation& operation) {
  std::vector<Measurement> each(supplies.size());
  std::latch start(static_cast<std::ptrdiff_t>(supplies.size()));
  std::vector<std::jthread> threads;
  for (std::size_t number = 0; number < supplies.size(); ++number) {
    threads.emplace_back([&, number] {
      start.arrive_and_wait();
      each[number] = repeat_for(turn, [&] { operation(supplies[number]); });
    });
  }
  threads.clear();
  Measurement total;
  for (const Measurement& one : each) {
    total.per_second += one.per_second;
    total.waits_us.insert(total.waits_us.end(), one.waits_us.begin(), one.waits_us.end());
  }
  return total;
}

std::shared_ptr<std::deque<Supply>> make_supplies(const Setup& setup, std::size_t threads) {
  auto supplies = std::make_shared<std::deque<Supply>>();
  for (std::size_t number = 0; number < threads; ++number) {
    supplies->emplace_back(setup.workload, '-' + std::to_string(number) + '-');
  }
  return supplies;
}

Contest one_writer(const Setup& setup) {
  const auto freshet = std::make_shared<FreshetWriter>(setup, "freshet.db");
  const auto baseline = std::make_shared<HandWrittenWriter>(setup, "baseline.db");
  const Duration turn = setup.turn;
  return {.sides = {{"freshet",
                     [=] { return repeat_for(turn, [&] { append_next(freshet->store.log(), freshet->supply); }); }},
                    {"one-row commits",
                     [=] { return repeat_for(turn, [&] { baseline->log.append(baseline->supply.next()); }); }}},
          .comparisons = {
              {.what = "durable append, 1 writer", .goal = 0.90},
              {.what = "durable append, 1 writer: p99", .figure = Figure::p99, .bound = Bound::at_most, .goal = 1.5}}};
}

// What group commit can give: by hand, and with nothing else around it.
class HandWrittenGroups {
 public:
  explicit HandWrittenGroups(const Setup& setup) : writer_(setup, "groups.db") {}

  void append(const Supplied& supplied) {
    Waiting own{supplied};
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&own);
      if (!std::exchange(leading_, true)) own.news = News::lead;
    }
    own.news.wait(News::none);
    if (own.news == News::lead) commit_group(own);
  }

 private:
  enum class News { none, lead, done };
  struct Waiting {
    const Supplied& supplied;
    std::atomic<News> news = News::none;
  };

  static void tell(Waiting& waiting, News news) {
    waiting.news = news;
    waiting.news.notify_one();
  }

  void commit_group(const Waiting& own) {
    std::vector<Waiting*> group;
    {
      const std::lock_guard lock(mutex_);
      group.swap(waiting_);
    }
    writer_.log.begin();
    for (const Waiting* each : group) writer_.log.insert(each->supplied);
    writer_.log.commit();
    for (Waiting* each : group) {
      if (each != &own) tell(*each, News::done);
    }
    const std::lock_guard lock(mutex_);
    leading_ = !waiting_.empty();
    if (leading_) tell(*waiting_.front(), News::lead);
  }

  HandWrittenWriter writer_;
  std::mutex mutex_;
  std::vector<Waiting*> waiting_;
  bool leading_ = false;
};

Contest many_writers(const Setup& setup, std::size_t threads, double over_mutex) {
  const auto freshet = std::make_shared<FreshetWriter>(setup, "freshet.db");
  const auto freshet_supplies = make_supplies(setup, threads);
  const auto baseline = std::make_shared<HandWrittenWriter>(setup, "baseline.db");
  const auto baseline_supplies = make_supplies(setup, threads);
  const auto mutex = std::make_shared<std::mutex>();
  const auto take_turns = [=](Supply& supply) {
    const std::lock_guard lock(*mutex);
    baseline->log.append(supply.next());
  };
  const auto groups = std::make_shared<HandWrittenGroups>(setup);
  const auto groups_supplies = make_supplies(setup, threads);
  const auto append_in_groups = [=](Supply& supply) { groups->append(supply.next()); };
  const Duration turn = setup.turn;
  const std::string what = "durable append, " + std::to_string(threads) + " writers";
  return {.sides = {{"freshet",
                     [=] {
                       return run_threads(*freshet_supplies, turn,
                                          [&](Supply& supply) { append_next(freshet->store.log(), supply); });
                     }},
                    {"the same threads and a mutex", [=] { return run_threads(*baseline_supplies, turn, take_turns); }},
                    batches(setup, threads),
                    {"the same threads in groups, by hand",
                     [=] { return run_threads(*groups_supplies, turn, append_in_groups); }}},
          .comparisons = {{.what = what, .goal = over_mutex},
                          {.what = what, .reference = 2, .goal = 0.5},
                          {.what = what, .reference = 3, .goal = 0.8}}};
}

Contest eight_writers(const Setup& setup) {
  return many_writers(setup, 8, 4.0);
}
Contest sixty_four_writers(const Setup& setup) {
  return many_writers(setup, 64, 12.0);
}

// By hand: a thread that commits what has gathered meanwhile, and keeps promises.
class HandWrittenPromises {
 public:
  explicit HandWrittenPromises(const Setup& setup)
      : writer_(setup, "promises.db"), thread_([this](const std::stop_token& stop) { commit(stop); }) {}

  std::future<std::int64_t> append(Supplied supplied) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(supplied), {}});
    if (waiting_.size() == 1) arrived_.notify_one();
    return waiting_.back().position.get_future();
  }

 private:
  struct Waiting {
    Supplied supplied;
    std::promise<std::int64_t> position;
  };

  void commit(const std::stop_token& stop) {
    std::vector<Waiting> group;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
        group.swap(waiting_);
      }
      writer_.log.begin();
      for (const Waiting& each : group) writer_.log.insert(each.supplied);
      writer_.log.commit();
      std::int64_t position = writer_.log.head() - static_cast<std::int64_t>(group.size());
      for (Waiting& each : group) each.position.set_value(++position);
      group.clear();
    }
  }

  HandWrittenWriter writer_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::vector<Waiting> waiting_;
  std::jthread thread_;
};

// Appends for a turn, with always this many on their way.
template <typename Future>
Measurement keep_flying(std::size_t flying, Duration turn, const std::function<Future()>& append,
                        const std::function<void(Future&)>& take) {
  std::deque<Future> answers;
  const Instant start = std::chrono::steady_clock::now();
  Measurement measurement = repeat_for(turn, [&] {
    if (answers.size() == flying) {
      take(answers.front());
      answers.pop_front();
    }
    answers.push_back(append());
  });
  for (Future& answer : answers) take(answer);
  const auto appended = static_cast<double>(measurement.waits_us.size());
  return {.per_second = appended * 1e6 / microseconds_since(start), .waits_us = {}};
}

Contest in_flight(const Setup& setup) {
  constexpr std::size_t flying = 512;
  const auto freshet = std::make_shared<FreshetWriter>(setup, "freshet.db");
  const auto by_hand = std::make_shared<HandWrittenPromises>(setup);
  const auto by_hand_supply = std::make_shared<Supply>(setup.workload, "-");
  const auto run_freshet = [=, turn = setup.turn] {
    return keep_flying<std::future<AppendResult>>(
        flying, turn, [&] { return freshet->store.log().append_async(append_of(freshet->supply.next())); },
        [](auto& answer) { require_appended(answer.get()); });
  };
  const auto run_by_hand = [=, turn = setup.turn] {
    return keep_flying<std::future<std::int64_t>>(
        flying, turn, [&] { return by_hand->append(by_hand_supply->next()); },
        [](auto& answer) { ensure(answer.get() > 0, "the append has a position"); });
  };
  const std::string what = "append_async, " + std::to_string(flying) + " in flight";
  return {.sides = {{"freshet", run_freshet},
                    batches(setup, 1'000),
                    batches(setup, flying),
                    {"promises by hand", run_by_hand}},
          .comparisons = {{.what = what, .goal = 0.85},
                          {.what = what, .reference = 2, .goal = 0.85},
                          {.what = what, .reference = 3, .goal = 0.85}}};
}

// As fast as a turn's worth of work is done, in one go.
Measurement timed(std::size_t events, const std::function<void()>& work) {
  const Instant start = std::chrono::steady_clock::now();
  work();
  return {.per_second = static_cast<double>(events) * 1e6 / microseconds_since(start), .waits_us = {}};
}

std::string key_of(const Supplied& supplied) {
  return supplied.stream.id + '/' + std::to_string(supplied.version);
}

Contest import(const Setup& setup) {
  constexpr std::size_t batch_events = 1'000;
  const std::size_t events = setup.log_events / 2 / batch_events * batch_events;
  const auto order_store = std::make_shared<FreshetWriter>(setup, "orders.db");
  const auto store = std::make_shared<FreshetWriter>(setup, "freshet.db");
  const auto baseline = std::make_shared<HandWrittenWriter>(setup, "baseline.db");
  const auto append_keyed = [=] {
    for (std::size_t done = 0; done < events; done += batch_events) {
      store->store.log().write([&](AppendTransaction& transaction) {
        for (std::size_t count = 0; count < batch_events; ++count) {
          const Supplied supplied = store->supply.next();
          Append request = append_of(supplied);
          request.command_id = key_of(supplied);
          require_appended(transaction.append(request));
        }
      });
    }
  };
  const auto insert = [=] {
    for (std::size_t done = 0; done < events; done += batch_events) baseline->append_batch(batch_events);
  };
  const auto keyed = std::make_shared<HandWrittenWriter>(setup, "keyed.db");
  const auto insert_keyed = [=] {
    for (std::size_t done = 0; done < events; done += batch_events) {
      keyed->log.begin();
      for (std::size_t count = 0; count < batch_events; ++count) {
        const Supplied supplied = keyed->supply.next();
        keyed->log.insert_key(key_of(supplied), keyed->log.insert(supplied), supplied.version);
      }
      keyed->log.commit();
    }
  };
  return {.sides = {{"freshet", [=] { return timed(events, append_keyed); }},
                    {"bare inserts, batches of 1000", [=] { return timed(events, insert); }},
                    {"order import",
                     [=] {
                       std::istringstream lines(order_store->supply.next_lines(events));
                       orders::Orders orders(order_store->store);
                       return timed(events, [&] {
                         const auto result = orders.import(lines, {});
                         ensure(std::cmp_equal(result.applied, events), "every line of the work is applied");
                       });
                     }},
                    {"inserts with a key each", [=] { return timed(events, insert_keyed); }}},
          .comparisons = {{.what = "bulk import: log with checks, checksums and keys", .goal = 0.5},
                          {.what = "bulk import: the same", .reference = 3, .goal = 0.5},
                          {.what = "bulk import: `order import`, JSON and rules too", .side = 2, .goal = 0.5}}};
}

// A command that projects in its own transaction, against the two writes alone.
Contest synchronous_command(const Setup& setup) {
  constexpr std::size_t commands = 50;
  const auto store = std::make_shared<Store>(store_options(setup.directory / "freshet.db", Engine::threads));
  const auto supply = std::make_shared<Supply>(setup.workload, "-");
  const auto baseline = std::make_shared<HandWrittenWriter>(setup, "baseline.db");
  const auto tables = std::make_shared<hand_written::ReadTables>(baseline->database);
  const auto execute = [=] {
    std::vector<orders::ImportLine> lines;
    for (std::size_t count = 0; count < commands; ++count) {
      std::string line = supply->next_lines(1);
      line.pop_back();
      lines.push_back(std::get<orders::ImportLine>(orders::parse_import_line(line)));
    }
    orders::Orders orders(*store);
    auto next = lines.begin();
    return repeat_times(commands, 1, [&] {
      const auto result = orders.execute(next->order_id, next->command, {.projecting = Projecting::synchronous});
      ensure(std::holds_alternative<orders::Done>(result), "every command of the work is allowed");
      ++next;
    });
  };
  const auto write_both = [=] {
    return repeat_times(commands, 1, [&] {
      const Supplied supplied = baseline->supply.next();
      const NewEvent& event = supplied.planned->event;
      baseline->log.begin();
      const std::int64_t stream = baseline->log.insert(supplied);
      tables->apply({.stream = stream,
                     .version = supplied.version,
                     .order_id = supplied.stream.id,
                     .type = event.type,
                     .data = event.data,
                     .occurred_at = event.occurred_at->time_since_epoch().count()});
      tables->save_checkpoint(baseline->log.head());
      baseline->log.commit();
    });
  };
  return {.sides = {{"freshet", execute}, {"the two writes in one transaction", write_both}},
          .comparisons = {{.what = "sync command: p50", .figure = Figure::p50, .bound = Bound::at_most, .goal = 1.3}}};
}

}  // namespace

std::vector<NamedContest> append_contests() {
  return {{"append-1", one_writer},    {"append-8", eight_writers}, {"append-64", sixty_four_writers},
          {"append-async", in_flight}, {"import", import},          {"sync", synchronous_command}};
}

}  // namespace freshet::bench
