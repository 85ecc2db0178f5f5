// The read tables of the order domain: a row for each order, and a sum for each day and currency.
#include <algorithm>
#include <array>
#include <string_view>

#include "base/time_text.hpp"
#include "orders/codec.hpp"
#include "orders/orders.hpp"

namespace freshet::orders {
namespace {

std::int64_t microseconds(Timestamp time) {
  return time.time_since_epoch().count();
}

// Writes what one event makes of an order's row. Every statement sets values outright and is guarded by
// the version, so the row would be right even if events came twice or out of order.
class RowChange {
 public:
  RowChange(const RecordedEvent& event, Tables& tables) : event_(event), tables_(tables) {}

  void operator()(const OrderCreated& fact) const {
    tables_.execute(
        "INSERT INTO {orders} (stream, order_id, customer, status, currency, amount_minor, freight_minor, paid_minor,"
        " version, placed_at, updated_at) VALUES (?, ?, ?, 'created', ?, ?, ?, NULL, ?, ?, ?)"
        " ON CONFLICT (stream) DO NOTHING",
        {event_.stream_number, event_.stream.id, fact.customer, fact.currency, fact.amount_minor, fact.freight_minor,
         event_.version.value, microseconds(event_.occurred_at), microseconds(event_.occurred_at)});
    tables_.execute("INSERT INTO {order_items} (stream, items) VALUES (?, ?) ON CONFLICT (stream) DO NOTHING",
                    {event_.stream_number, write_items(fact.items)});
  }
  void operator()(const OrderPaid& fact) const {
    tables_.execute(
        "UPDATE {orders} SET status = 'paid', paid_minor = ?, version = ?, updated_at = ?"
        " WHERE stream = ? AND version < ?",
        {fact.amount_minor, event_.version.value, microseconds(event_.occurred_at), event_.stream_number,
         event_.version.value});
  }
  void operator()(const OrderShipped& /*fact*/) const { set_status(Status::shipped); }
  void operator()(const OrderDelivered& /*fact*/) const { set_status(Status::delivered); }
  void operator()(const OrderCancelled& /*fact*/) const { set_status(Status::cancelled); }
  void operator()(const OrderRefunded& /*fact*/) const { set_status(Status::refunded); }

 private:
  void set_status(Status status) const {
    tables_.execute("UPDATE {orders} SET status = ?, version = ?, updated_at = ? WHERE stream = ? AND version < ?",
                    {name(status), event_.version.value, microseconds(event_.occurred_at), event_.stream_number,
                     event_.version.value});
  }

  const RecordedEvent& event_;
  Tables& tables_;
};

class OrdersProjection final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "orders"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"orders", "order_items"}; }

  void create(Tables& tables) const override {
    tables.execute(
        "CREATE TABLE {orders} (stream INTEGER PRIMARY KEY, order_id TEXT NOT NULL, customer TEXT NOT NULL,"
        " status TEXT NOT NULL, currency TEXT NOT NULL, amount_minor INTEGER NOT NULL, freight_minor INTEGER NOT NULL,"
        " paid_minor INTEGER, version INTEGER NOT NULL, placed_at INTEGER NOT NULL, updated_at INTEGER NOT NULL)"
        " STRICT");
    // Beside the row, so that a change of status does not write the items again.
    tables.execute("CREATE TABLE {order_items} (stream INTEGER PRIMARY KEY, items TEXT NOT NULL) STRICT");
    // For lists, newest first. SQLite adds the primary key, which orders what was placed at the same time.
    tables.execute("CREATE INDEX {orders_by_time} ON {orders} (placed_at)");
    tables.execute("CREATE INDEX {orders_by_status} ON {orders} (status, placed_at)");
    tables.execute("CREATE INDEX {orders_by_customer} ON {orders} (customer, placed_at)");
  }

  void apply(const RecordedEvent& event, Tables& tables) const override {
    if (is_order_event(event)) std::visit(RowChange(event, tables), OrderDecider::decode(event).fact);
  }
};

// Where no order is placed and no money moves. These are not even decoded; what a newer release wrote is, and refused.
bool is_not_summed(const RecordedEvent& event) {
  static constexpr std::array<std::string_view, 3> types{"OrderShipped", "OrderDelivered", "OrderCancelled"};
  return !is_order_event(event) || (event.schema_version == 1 && std::ranges::find(types, event.type) != types.end());
}

// Adds to a day's sums what one event means for them. Such a statement is not idempotent; that the engine
// applies each event exactly once is what makes the sums right.
class SumChange {
 public:
  SumChange(const RecordedEvent& event, Tables& tables) : event_(event), tables_(tables) {}

  void operator()(const OrderCreated& fact) const { add(fact.currency, 1, 0); }
  void operator()(const OrderPaid& fact) const { add(fact.currency, 0, fact.amount_minor); }
  void operator()(const OrderRefunded& fact) const { add(fact.currency, 0, -fact.amount_minor); }
  void operator()(const auto& /*fact*/) const {}  // is_not_summed().

 private:
  void add(const std::string& currency, std::int64_t orders, std::int64_t revenue_minor) const {
    tables_.execute(
        "INSERT INTO {revenue} (day, currency, orders, revenue_minor) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (day, currency) DO UPDATE SET orders = orders + excluded.orders,"
        " revenue_minor = revenue_minor + excluded.revenue_minor",
        {format_day(event_.occurred_at), currency, orders, revenue_minor});
  }

  const RecordedEvent& event_;
  Tables& tables_;
};

class RevenueProjection final : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "revenue"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"revenue"}; }

  void create(Tables& tables) const override {
    tables.execute(
        "CREATE TABLE {revenue} (day TEXT NOT NULL, currency TEXT NOT NULL, orders INTEGER NOT NULL,"
        " revenue_minor INTEGER NOT NULL, PRIMARY KEY (day, currency)) STRICT, WITHOUT ROWID");
  }

  void apply(const RecordedEvent& event, Tables& tables) const override {
    if (!is_not_summed(event)) std::visit(SumChange(event, tables), OrderDecider::decode(event).fact);
  }
};

}  // namespace

std::vector<std::shared_ptr<const Projection>> projections() {
  return {std::make_shared<OrdersProjection>(), std::make_shared<RevenueProjection>()};
}

}  // namespace freshet::orders
