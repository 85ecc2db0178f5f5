// Fuzz target: a line of `order import`.
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "base/time_text.hpp"
#include "fuzz/fuzz.hpp"
#include "orders/codec.hpp"
#include "orders/import.hpp"

namespace freshet::fuzz {
namespace {

using nlohmann::json;
using namespace orders;

// Adds what an action says to a line, as the documentation of imports has it.
struct Write {
  json& line;

  void operator()(const Place& place) const {
    line["customer"] = place.customer;
    line["currency"] = place.currency;
    line["items"] = json::parse(write_items(place.items));
    line["freight_minor"] = place.freight_minor;
    line["amount_minor"] = total_minor(place.items, place.freight_minor).value();
  }
  void operator()(const Pay& pay) const {
    if (pay.amount_minor) line["amount_minor"] = *pay.amount_minor;
  }
  void operator()(const Ship& ship) const {
    line["carrier"] = ship.carrier;
    line["tracking"] = ship.tracking;
  }
  void operator()(const Deliver& /*deliver*/) const {}
  void operator()(const Cancel& cancel) const { line["reason"] = cancel.reason; }
  void operator()(const Refund& refund) const { line["reason"] = refund.reason; }
};

std::string written(const ImportLine& line) {
  json text{{"at", format_timestamp(line.command.at.value())},
            {"command", name(line.command.action)},
            {"order", line.order_id}};
  std::visit(Write{text}, line.command.action);
  return text.dump();
}

RecordedEvent recorded(const NewEvent& event) {
  return {.stream = {order_category, "1"}, .type = event.type, .data = event.data};
}

// An order that the command is allowed on, or nearly.
Order order_for(const Action& action) {
  if (std::holds_alternative<Place>(action)) return {};
  Order order{.status = Status::paid, .currency = "EUR", .amount_minor = 1};
  if (std::holds_alternative<Pay>(action)) order.status = Status::created;
  if (std::holds_alternative<Deliver>(action)) order.status = Status::shipped;
  return order;
}

void check_accepted(const ImportLine& line) {
  const auto again = parse_import_line(written(line));
  ensure(std::holds_alternative<ImportLine>(again), "a line that was accepted is accepted when written anew");
  ensure(import_key(std::get<ImportLine>(again)) == import_key(line), "a line has the same key however it is written");

  const auto decision = OrderDecider::decide(line.command, order_for(line.command.action));
  const auto* events = std::get_if<std::vector<Event>>(&decision);
  if (events == nullptr) return;
  for (const Event& event : *events) {
    const NewEvent encoded = OrderDecider::encode(event);
    ensure(encoded.data.size() <= event_data_bytes_max, "what a command becomes fits into an event");
    const NewEvent decoded = OrderDecider::encode(OrderDecider::decode(recorded(encoded)));
    ensure(decoded.data == encoded.data, "an event is decoded as it was encoded");
  }
}

}  // namespace

void check(std::string_view text) {
  const auto parsed = parse_import_line(text);
  if (const auto* problem = std::get_if<std::string>(&parsed)) {
    ensure_shown(*problem);
  } else {
    check_accepted(std::get<ImportLine>(parsed));
  }
}

}  // namespace freshet::fuzz
