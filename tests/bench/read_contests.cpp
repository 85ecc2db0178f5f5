// Reading one order: its row, its row with a version asked for, its events; and whole processes that read one.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "bench/contests.hpp"
#include "bench/freshet_side.hpp"
#include "bench/hand_written.hpp"

namespace freshet::bench {
namespace {

constexpr std::size_t groups = 200;
constexpr std::size_t group_size = 20;

// An order in the log that is read.
struct Known {
  std::string id;
  std::int64_t versions = 0;
};

std::vector<Known> known_orders(const Setup& setup) {
  std::vector<Known> orders;
  Supply supply(setup.workload, "-");
  for (std::size_t count = 0; count < std::min(setup.log_events, setup.workload.events.size()); ++count) {
    const Supplied supplied = supply.next();
    if (supplied.version == 1) {
      orders.resize(supplied.planned->order + 1);
      orders.back().id = supplied.stream.id;
    }
    orders[supplied.planned->order].versions = supplied.version;
  }
  return orders;
}

// Orders in an order of no meaning, the same for every side.
class Visits {
 public:
  explicit Visits(std::vector<Known> orders) : orders_(std::move(orders)) {
    ensure(!orders_.empty(), "there are orders to read");
  }
  const Known& next() {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return orders_[(state_ >> 33U) % orders_.size()];
  }

 private:
  std::vector<Known> orders_;
  std::uint64_t state_ = 1;
};

// A projected log, opened by Freshet and by the hand-written program.
struct Reads {
  explicit Reads(const Setup& setup)
      : file(prepare(setup)),
        store(store_options(file, Engine::threads)),
        orders(store),
        database(file, hand_written::Database::Sync::normal),
        queries(database) {}

  static std::filesystem::path prepare(const Setup& setup) {
    const auto file = setup.directory / "orders.db";
    fill_log(file, setup.workload, setup.log_events);
    project_all(file);
    return file;
  }

  std::filesystem::path file;
  Store store;
  orders::Orders orders;
  hand_written::Database database;
  hand_written::Queries queries;
};

template <typename Read>
Side side(const char* name, std::shared_ptr<Reads> reads, const std::vector<Known>& orders, Read read) {
  const auto visits = std::make_shared<Visits>(orders);
  return {name, [=] {
            return repeat_times(groups, group_size, [&] {
              const Known& order = visits->next();
              ensure(read(*reads, order).has_value(), "the order is found");
            });
          }};
}

Contest getting(const Setup& setup) {
  const auto reads = std::make_shared<Reads>(setup);
  const auto known = known_orders(setup);
  return {
      .sides = {side("freshet", reads, known,
                     [](Reads& r, const Known& order) { return r.orders.get(order.id).value; }),
                side("prepared SELECT", reads, known,
                     [](Reads& r, const Known& order) { return r.queries.get(order.id); }),
                side("with a version", reads, known,
                     [](Reads& r, const Known& order) {
                       return r.orders.get(order.id, {.consistency = AtLeastVersion{Version{order.versions}}}).value;
                     })},
      .comparisons = {{.what = "get, eventual, in process", .goal = 1.0},
                      {.what = "get with a version that is there: p50 above eventual",
                       .figure = Figure::p50,
                       .side = 2,
                       .reference = 0,
                       .bound = Bound::at_most,
                       .goal = 2.0,
                       .of = Comparison::Of::difference}}};
}

Contest replaying(const Setup& setup) {
  const auto reads = std::make_shared<Reads>(setup);
  auto known = known_orders(setup);
  std::erase_if(known, [](const Known& order) { return order.versions != 4; });
  return {
      .sides = {side("freshet", reads, known,
                     [](Reads& r, const Known& order) { return r.orders.replay(order.id).value; }),
                side("prepared range SELECT, decode", reads, known,
                     [](Reads& r, const Known& order) { return r.queries.replay(order.id); })},
      .comparisons = {
          {.what = "read your writes, 4 events: p50", .figure = Figure::p50, .bound = Bound::at_most, .goal = 1.5}}};
}

// Runs a program with its output thrown away, and waits for its end.
void run_program(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ensure(spawned == 0, "the program can be started");
  int status = 0;
  ensure(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the program succeeds");
}

Contest processes(const Setup& setup) {
  constexpr std::size_t runs = 10;
  const auto file = Reads::prepare(setup);
  const auto visits = std::make_shared<Visits>(known_orders(setup));
  const std::string freshet = setup.freshet.string();
  const auto order_get = [=] { run_program({freshet, "--db", file.string(), "order", "get", visits->next().id}); };
  const auto shell = [=] {
    run_program({"sqlite3", file.string(),
                 "SELECT o.*, i.items FROM streams s JOIN orders o ON o.stream = s.number JOIN order_items i ON "
                 "i.stream = s.number WHERE s.category = 'order' AND s.id = '" +
                     visits->next().id + "'"});
  };
  return {.sides = {{"freshet", [=] { return repeat_times(runs, 1, order_get); }},
                    {"sqlite3 shell", [=] { return repeat_times(runs, 1, shell); }}},
          .comparisons = {{.what = "whole process, `freshet order get`: p50",
                           .figure = Figure::p50,
                           .bound = Bound::at_most,
                           .goal = 2.0}}};
}

}  // namespace

std::vector<NamedContest> read_contests() {
  return {{"get", getting}, {"replay", replaying}};
}

std::vector<NamedContest> process_contests() {
  return {{"process", processes}};
}

}  // namespace freshet::bench
