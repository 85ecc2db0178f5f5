// The read tables of orders against a model, however late and how often the bus delivers.
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "order_store.hpp"

using namespace freshet;
using namespace freshet::orders;
using namespace std::chrono_literals;

namespace {

// What the orders must look like: the rules once more, as a table and a few sums.
class Model {
 public:
  struct Row {
    std::vector<Status> statuses;  // One for each version.
    std::int64_t paid_minor = -1;  // Below 0: not paid.
  };
  using Sums = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;  // By day: orders, revenue.

  // Whether the command is allowed; then it is carried out.
  bool execute(const std::string& id, const Action& action, Timestamp at) {
    static const std::map<std::string, std::pair<std::string, Status>> rules{
        {"place", {"none", Status::created}},
        {"pay", {"created", Status::paid}},
        {"ship", {"paid", Status::shipped}},
        {"deliver", {"shipped", Status::delivered}},
        {"cancel", {"created paid", Status::cancelled}},
        {"refund", {"paid shipped delivered cancelled", Status::refunded}}};
    Row& row = rows_[id];
    const auto& [from, to] = rules.at(name(action));
    const Status status = row.statuses.empty() ? Status::none : row.statuses.back();
    if (from.find(name(status)) == std::string::npos) return false;
    if (to == Status::refunded && row.paid_minor < 0) return false;
    row.statuses.push_back(to);
    auto& [orders, revenue] = sums_[format_day(at)];
    if (to == Status::created) ++orders;
    if (to == Status::paid) revenue += row.paid_minor = std::get<Pay>(action).amount_minor.value_or(placed_minor);
    if (to == Status::refunded) revenue -= row.paid_minor;
    return true;
  }

  [[nodiscard]] const std::map<std::string, Row>& rows() const { return rows_; }

  // Days on which nothing was counted are left out.
  [[nodiscard]] Sums sums() const {
    Sums sums = sums_;
    std::erase_if(sums, [](const auto& entry) { return entry.second == std::pair<std::int64_t, std::int64_t>{}; });
    return sums;
  }

 private:
  std::map<std::string, Row> rows_;
  Sums sums_;
};

// A run of random commands, reads, waits and crashes, from one seed.
class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed)
      : random_(seed),
        fixture_(
            {.delay = ExponentialDelay{5ms}, .duplicate_probability = 0.3, .redeliver_after = 20ms, .seed = seed}) {}

  void step() {
    const std::string id = std::to_string(draw(20));
    switch (draw(10)) {
      case 0:
        return fixture_.clock().sleep_until(fixture_.clock().now() + std::chrono::milliseconds{draw(10)});
      case 1:
        return check_window(id);
      case 2:
        if (draw(10) == 0) fixture_.reopen();
        return;
      case 3:
      case 4:
        return static_cast<void>(fixture_.store().step());
      default:
        return command(id);
    }
  }

  // Everything has arrived: the read tables are what the model says.
  void check_end() {
    REQUIRE(fixture_.store().drain());
    for (const auto& [id, row] : model_.rows()) check_row(id, row);
    const auto stats = fixture_.orders().stats();
    CHECK_FALSE(stats.freshness.stale);
    Model::Sums sums;
    for (const Stats::Day& day : stats.value.by_day) sums[day.day] = {day.orders, day.revenue_minor};
    std::erase_if(sums, [](const auto& entry) { return entry.second == std::pair<std::int64_t, std::int64_t>{}; });
    CHECK(sums == model_.sums());
    CHECK(fixture_.store().verify().problems == std::vector<std::string>{});
  }

 private:
  int draw(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }

  Action draw_action() {
    switch (draw(6)) {
      case 0:
        return place();
      case 1:
        return draw(2) == 0 ? Pay{} : Pay{draw(100'000)};
      case 2:
        return Ship{};
      case 3:
        return Deliver{};
      case 4:
        return Cancel{};
      default:
        return Refund{};
    }
  }

  void command(const std::string& id) {
    const Timestamp at = *parse_timestamp("2017-10-02") + std::chrono::hours{draw(100)};
    const Command command{draw_action(), at};
    ExecuteOptions options{.projecting = draw(10) == 0 ? Projecting::synchronous : Projecting::asynchronous};
    if (draw(3) == 0) options.idempotency_key = "key " + std::to_string(++keys_);
    const bool is_allowed = model_.execute(id, command.action, at);
    const auto result = fixture_.orders().execute(id, command, options);
    CHECK(std::holds_alternative<Done>(result) == is_allowed);
    CHECK(std::holds_alternative<Rejection>(result) == !is_allowed);
    if (!options.idempotency_key) return;
    const auto again = fixture_.orders().execute(id, command, options);
    CHECK(again.index() == result.index());
  }

  // A read in between may show an old version, but that one as it was.
  void check_window(const std::string& id) {
    const auto answer = fixture_.orders().get(id);
    const auto row = model_.rows().find(id);
    if (!answer.value) return;
    REQUIRE(row != model_.rows().end());
    const auto& statuses = row->second.statuses;
    const auto version = static_cast<std::size_t>(answer.value->version.value);
    REQUIRE(version <= statuses.size());
    CHECK(answer.value->order.status == statuses[version - 1]);
    CHECK(answer.freshness.version == answer.value->version);
    CHECK(answer.freshness.stale == (version < statuses.size()));
  }

  void check_row(const std::string& id, const Model::Row& row) {
    const auto answer = fixture_.orders().get(id);
    REQUIRE(answer.value.has_value() == !row.statuses.empty());
    if (row.statuses.empty()) return;
    CHECK(answer.value->order.status == row.statuses.back());
    CHECK(answer.value->version.value == static_cast<std::int64_t>(row.statuses.size()));
    CHECK(answer.value->order.paid_minor.value_or(-1) == row.paid_minor);
  }

  std::mt19937_64 random_;
  OrderStore fixture_;
  Model model_;
  int keys_ = 0;
};

void append(OrderStore& fixture, const StreamId& stream, const std::string& type) {
  const std::vector<NewEvent> events{{.type = type, .data = "{}"}};
  const auto result =
      fixture.store().log().append({.stream = stream, .expected = ExpectedVersion::any(), .events = events});
  REQUIRE(std::holds_alternative<Appended>(result));
}

}  // namespace

TEST_SUITE("order_projection") {
  TEST_CASE("apply: random commands on a late and repetitive bus leave the rows and sums of the model") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      RandomRun run(seed);
      for (int step = 0; step < 300; ++step) run.step();
      run.check_end();
    }
  }
  TEST_CASE("apply: events that are not of orders are passed over; what a newer release wrote is lacking") {
    OrderStore fixture;
    fixture.done("1", place());
    append(fixture, {"parcel", "1"}, "OrderPaid");
    append(fixture, {"order", "1"}, "OrderPraised");
    REQUIRE(fixture.store().drain());
    CHECK(fixture.orders().stats().value.by_status == std::map<Status, std::int64_t>{{Status::created, 1}});
    for (const ProjectionStatus& status : fixture.store().projections()) {
      CHECK(status.position == Position{3});
      CHECK(status.dead_letters == 1);
    }
  }
  TEST_CASE("apply: an event that is damaged becomes a dead letter, and other orders go on") {
    OrderStore fixture;
    append(fixture, {"order", "1"}, "OrderCreated");
    fixture.done("2", place());
    REQUIRE(fixture.store().drain());
    CHECK(fixture.store().projections().front().dead_letters == 1);
    const auto answer = fixture.orders().list({});
    CHECK(answer.value.orders.size() == 1);
    CHECK(answer.freshness.stale);
  }
  TEST_CASE("apply: a change of status leaves the items as they are") {
    OrderStore fixture;
    fixture.done("1", place());
    fixture.done("1", Cancel{});
    fixture.done("2", place());
    REQUIRE(fixture.store().drain());
    CHECK(fixture.orders().get("1").value->order.items == place().items);
    CHECK(fixture.orders().get("1").value->order.status == Status::cancelled);
  }
  TEST_CASE("projections: made again from the log, they are the same") {
    OrderStore fixture;
    fixture.done("1", place());
    fixture.done("1", Pay{9'000});
    REQUIRE(fixture.store().drain());
    CHECK(fixture.store().rebuild("orders"));
    CHECK(fixture.store().rebuild("revenue"));
    CHECK(fixture.orders().get("1").value->order.paid_minor == 9'000);
    CHECK(fixture.orders().stats().value.revenue_minor.at("EUR") == 9'000);
    CHECK(fixture.store().verify().problems.empty());
  }
}
