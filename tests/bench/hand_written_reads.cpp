// The hand-written program: projecting and reading.
#include <array>
#include <chrono>
#include <cstdio>

#include "base/ensure.hpp"
#include "bench/hand_written.hpp"

namespace freshet::bench::hand_written {
namespace {

// "2017-10-02"
std::string day_of(std::int64_t microseconds) {
  const std::chrono::sys_time<Duration> time{Duration{microseconds}};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text.data();
}

// simdjson reads a little beyond the end.
simdjson::padded_string_view padded(simdjson::padded_string& buffer, std::string_view json) {
  if (buffer.size() < json.size()) buffer = simdjson::padded_string(2 * json.size());
  std::copy(json.begin(), json.end(), buffer.data());
  return simdjson::padded_string_view(buffer.data(), json.size(), buffer.size() + simdjson::SIMDJSON_PADDING);
}

std::string_view text_of(simdjson::ondemand::document& json, std::string_view name) {
  return std::string_view{json.find_field_unordered(name)};
}

std::int64_t integer_of(simdjson::ondemand::document& json, std::string_view name) {
  return std::int64_t{json.find_field_unordered(name)};
}

std::string_view status_after(std::string_view type) {
  if (type == "OrderShipped") return "shipped";
  if (type == "OrderDelivered") return "delivered";
  if (type == "OrderCancelled") return "cancelled";
  ensure(type == "OrderRefunded", "an order's event is of a known type");
  return "refunded";
}

Timestamp timestamp(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

}  // namespace

ReadTables::ReadTables(Database& database)
    : database_(database),
      begin_(database.handle(), "BEGIN IMMEDIATE"),
      commit_(database.handle(), "COMMIT"),
      insert_order_(database.handle(),
                    "INSERT INTO orders (stream, order_id, customer, status, currency, amount_minor, freight_minor, "
                    "paid_minor, version, placed_at, updated_at) VALUES (?1, ?2, ?3, 'created', ?4, ?5, ?6, NULL, ?7, "
                    "?8, ?8) ON CONFLICT (stream) DO NOTHING"),
      insert_items_(database.handle(), "INSERT INTO order_items VALUES (?, ?) ON CONFLICT (stream) DO NOTHING"),
      update_paid_(database.handle(),
                   "UPDATE orders SET status = 'paid', paid_minor = ?1, version = ?2, updated_at = ?3 WHERE "
                   "stream = ?4 AND version < ?2"),
      update_status_(database.handle(),
                     "UPDATE orders SET status = ?1, version = ?2, updated_at = ?3 WHERE stream = ?4 AND "
                     "version < ?2"),
      upsert_revenue_(database.handle(),
                      "INSERT INTO revenue VALUES (?, ?, ?, ?) ON CONFLICT (day, currency) DO UPDATE SET "
                      "orders = orders + excluded.orders, revenue_minor = revenue_minor + excluded.revenue_minor"),
      save_checkpoint_(database.handle(), "UPDATE checkpoint SET position = ?") {}

void ReadTables::apply(const Event& event) {
  if (event.type != "OrderCreated" && event.type != "OrderPaid" && event.type != "OrderRefunded") {
    set_status(event, status_after(event.type));
    return;
  }
  auto json = parser_.iterate(padded(buffer_, event.data)).value();
  if (event.type == "OrderCreated") {
    place(event, json);
  } else if (event.type == "OrderPaid") {
    pay(event, json);
  } else {
    set_status(event, "refunded");
    add_revenue(event, text_of(json, "currency"), 0, -integer_of(json, "amount_minor"));
  }
}

void ReadTables::place(const Event& event, simdjson::ondemand::document& json) {
  insert_order_.bind(1, event.stream);
  insert_order_.bind(2, event.order_id);
  insert_order_.bind(3, text_of(json, "customer"));
  const std::string_view currency = text_of(json, "currency");
  insert_order_.bind(4, currency);
  const std::string_view items = json.find_field_unordered("items").get_array().value().raw_json();
  insert_items_.bind(1, event.stream);
  insert_items_.bind(2, items);
  insert_order_.bind(6, integer_of(json, "freight_minor"));
  insert_order_.bind(5, integer_of(json, "amount_minor"));
  insert_order_.bind(7, event.version);
  insert_order_.bind(8, event.occurred_at);
  insert_order_.step();
  insert_items_.step();
  add_revenue(event, currency, 1, 0);
}

void ReadTables::pay(const Event& event, simdjson::ondemand::document& json) {
  const std::int64_t amount_minor = integer_of(json, "amount_minor");
  update_paid_.bind(1, amount_minor);
  update_paid_.bind(2, event.version);
  update_paid_.bind(3, event.occurred_at);
  update_paid_.bind(4, event.stream);
  update_paid_.step();
  add_revenue(event, text_of(json, "currency"), 0, amount_minor);
}

void ReadTables::set_status(const Event& event, std::string_view status) {
  update_status_.bind(1, status);
  update_status_.bind(2, event.version);
  update_status_.bind(3, event.occurred_at);
  update_status_.bind(4, event.stream);
  update_status_.step();
}

void ReadTables::add_revenue(const Event& event, std::string_view currency, std::int64_t orders, std::int64_t minor) {
  if (!with_revenue_) return;
  const std::string day = day_of(event.occurred_at);
  upsert_revenue_.bind(1, std::string_view{day});
  upsert_revenue_.bind(2, currency);
  upsert_revenue_.bind(3, orders);
  upsert_revenue_.bind(4, minor);
  upsert_revenue_.step();
}

void ReadTables::save_checkpoint(std::int64_t position) {
  save_checkpoint_.bind(1, position);
  save_checkpoint_.step();
}

std::int64_t ReadTables::apply_log(std::size_t batch_events) {
  Statement scan(database_.handle(),
                 "SELECT e.position, e.stream, e.version, s.id, e.type, e.data, e.occurred_at FROM events e "
                 "JOIN streams s ON s.number = e.stream WHERE e.position > ? ORDER BY e.position LIMIT ?");
  std::int64_t position = 0;
  std::int64_t before = -1;
  while (position > before) {
    before = position;
    begin();
    scan.bind(1, position);
    scan.bind(2, static_cast<std::int64_t>(batch_events));
    while (scan.step()) {
      position = scan.integer(0);
      apply({.stream = scan.integer(1),
             .version = scan.integer(2),
             .order_id = scan.text(3),
             .type = scan.text(4),
             .data = scan.text(5),
             .occurred_at = scan.integer(6)});
    }
    save_checkpoint(position);
    commit();
  }
  return position;
}

Queries::Queries(Database& database)
    : get_(database.handle(),
           "SELECT o.order_id, o.customer, o.status, o.currency, o.amount_minor, o.freight_minor, o.paid_minor, "
           "o.version, o.placed_at, o.updated_at, i.items FROM streams s JOIN orders o ON o.stream = s.number "
           "JOIN order_items i ON i.stream = s.number WHERE s.category = 'order' AND s.id = ?"),
      replay_(database.handle(),
              "SELECT e.version, e.type, e.data, e.occurred_at FROM events e WHERE e.stream = (SELECT number FROM "
              "streams WHERE category = 'order' AND id = ?) ORDER BY e.version") {}

std::optional<orders::OrderView> Queries::get(std::string_view order_id) {
  get_.bind(1, order_id);
  if (!get_.step()) return std::nullopt;
  orders::OrderView view{.order_id = std::string(get_.text(0)), .order = {}, .version = Version{get_.integer(7)}};
  view.order.customer = get_.text(1);
  view.order.status = *orders::parse_status(get_.text(2));
  view.order.currency = get_.text(3);
  view.order.amount_minor = get_.integer(4);
  view.order.freight_minor = get_.integer(5);
  if (!get_.is_null(6)) view.order.paid_minor = get_.integer(6);
  view.order.placed_at = timestamp(get_.integer(8));
  view.order.updated_at = timestamp(get_.integer(9));
  auto json = parser_.iterate(padded(buffer_, get_.text(10))).value();
  view.order.items = items(json.get_array().value());
  get_.reset();
  return view;
}

std::optional<orders::OrderView> Queries::replay(std::string_view order_id) {
  replay_.bind(1, order_id);
  std::optional<orders::OrderView> view;
  while (replay_.step()) {
    if (!view) view.emplace().order_id = order_id;
    view->version = Version{replay_.integer(0)};
    fold(view->order, {.type = replay_.text(1), .data = replay_.text(2), .occurred_at = replay_.integer(3)});
  }
  return view;
}

std::vector<orders::Item> Queries::items(simdjson::ondemand::array json) {
  std::vector<orders::Item> items;
  for (auto item : json) {
    items.push_back({.sku = std::string(std::string_view{item["sku"]}),
                     .quantity = std::int64_t{item["quantity"]},
                     .unit_price_minor = std::int64_t{item["unit_price_minor"]}});
  }
  return items;
}

void Queries::fold(orders::Order& order, const Event& event) {
  order.updated_at = timestamp(event.occurred_at);
  if (event.type != "OrderCreated" && event.type != "OrderPaid") {
    order.status = *orders::parse_status(status_after(event.type));
    return;
  }
  auto json = parser_.iterate(padded(buffer_, event.data)).value();
  if (event.type == "OrderPaid") {
    order.status = orders::Status::paid;
    order.paid_minor = integer_of(json, "amount_minor");
    return;
  }
  order.status = orders::Status::created;
  order.placed_at = order.updated_at;
  order.customer = text_of(json, "customer");
  order.currency = text_of(json, "currency");
  order.items = items(json.find_field_unordered("items").get_array().value());
  order.freight_minor = integer_of(json, "freight_minor");
  order.amount_minor = integer_of(json, "amount_minor");
}

}  // namespace freshet::bench::hand_written
