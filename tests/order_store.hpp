// A store of orders for one test, in a directory of its own; stepped, it is on a clock that stands still
// until it is moved.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/time_text.hpp"
#include "order_fixture.hpp"
#include "orders/orders.hpp"
#include "temp_dir.hpp"

namespace freshet::orders {

class OrderStore {
 public:
  explicit OrderStore(BusOptions bus = {}, Engine engine = Engine::stepped) : bus_(std::move(bus)), engine_(engine) {
    if (engine_ == Engine::stepped) {
      clock_ = std::make_shared<VirtualClock>(*parse_timestamp("2017-10-02T10:00:00Z"));
    } else {
      clock_ = std::make_shared<SystemClock>();
    }
    open();
  }
  OrderStore(const OrderStore&) = delete;
  OrderStore& operator=(const OrderStore&) = delete;

  // As after a crash of the process: what the bus held is lost.
  void reopen() {
    store_.reset();
    open();
  }

  Store& store() { return *store_; }
  Clock& clock() { return *clock_; }
  Orders orders() { return Orders(*store_); }

  CommandResult execute(const std::string& order_id, const Action& action, const ExecuteOptions& options = {}) {
    return orders().execute(order_id, {action, std::nullopt}, options);
  }

  // A command that is expected to be carried out.
  Done done(const std::string& order_id, const Action& action, const ExecuteOptions& options = {}) {
    const auto result = execute(order_id, action, options);
    REQUIRE(std::holds_alternative<Done>(result));
    return std::get<Done>(result);
  }

 private:
  void open() {
    store_.emplace(StoreOptions{.file = directory_.file(),
                                .engine = engine_,
                                .projections = projections(),
                                .durability = Durability::process_crash,
                                .bus = bus_,
                                .clock = clock_});
  }

  BusOptions bus_;
  Engine engine_;
  tests::TempDir directory_;
  std::shared_ptr<Clock> clock_;
  std::optional<Store> store_;
};

// A retry of this command is answered as the first one was.
inline ExecuteOptions keyed(const std::string& key) {
  return {.idempotency_key = key};
}

inline BusOptions delayed(Duration delay) {
  return {.delay = FixedDelay{delay}};
}

}  // namespace freshet::orders
