// Checks what a command says by itself, before anything is decided: lengths, characters and ranges.
#include <algorithm>
#include <string_view>

#include "base/utf8.hpp"
#include "orders/order.hpp"

namespace freshet::orders {
namespace {

using Problem = std::optional<std::string>;

// The largest order must fit into an event: JSON may double the bytes of a SKU by escapes, and needs well
// under 100 for the rest of an item.
static_assert(items_max * (2 * id_bytes_max + 100) < event_data_bytes_max / 10 * 9);
static_assert(id_bytes_max <= stream_part_bytes_max);

Problem check_text(const std::string& what, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return what + " is longer than " + std::to_string(bytes_max) + " bytes";
  if (!is_utf8(text)) return what + " is not valid UTF-8";
  return std::nullopt;
}

// A short text that names something and stands on one line.
Problem check_name(const std::string& what, std::string_view text) {
  if (auto problem = check_text(what, text, id_bytes_max)) return problem;
  if (has_control_character(text)) return what + " has a control character in it";
  return std::nullopt;
}

Problem check_id(const std::string& what, std::string_view text) {
  if (text.empty()) return what + " is empty";
  return check_name(what, text);
}

Problem check_range(const std::string& what, std::int64_t number, std::int64_t min, std::int64_t max) {
  if (number >= min && number <= max) return std::nullopt;
  return what + " is " + std::to_string(number) + ", and must be from " + std::to_string(min) + " to " +
         std::to_string(max);
}

Problem check_currency(std::string_view currency) {
  const auto is_capital = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
  if (currency.size() == 3 && std::ranges::all_of(currency, is_capital)) return std::nullopt;
  return "the currency is not three capital letters such as EUR";
}

Problem check_item(const Item& item, std::size_t number) {
  const std::string of_item = " of item " + std::to_string(number);
  if (auto problem = check_id("the SKU" + of_item, item.sku)) return problem;
  if (auto problem = check_range("the quantity" + of_item, item.quantity, 1, quantity_max)) return problem;
  return check_range("the price" + of_item, item.unit_price_minor, 0, amount_minor_max);
}

struct Check {
  Problem operator()(const Place& place) const {
    if (auto problem = check_id("the customer", place.customer)) return problem;
    if (auto problem = check_currency(place.currency)) return problem;
    if (place.items.empty()) return "an order needs at least one item";
    if (place.items.size() > items_max) return "an order has at most " + std::to_string(items_max) + " items";
    for (std::size_t index = 0; index < place.items.size(); ++index) {
      if (auto problem = check_item(place.items[index], index + 1)) return problem;
    }
    if (auto problem = check_range("the freight", place.freight_minor, 0, amount_minor_max)) return problem;
    if (total_minor(place.items, place.freight_minor)) return std::nullopt;
    return "the order's amount is above " + std::to_string(amount_minor_max);
  }
  Problem operator()(const Pay& pay) const {
    return check_range("the amount", pay.amount_minor.value_or(0), 0, amount_minor_max);
  }
  Problem operator()(const Ship& ship) const {
    if (auto problem = check_name("the carrier", ship.carrier)) return problem;
    return check_name("the tracking number", ship.tracking);
  }
  Problem operator()(const Deliver& /*deliver*/) const { return std::nullopt; }
  Problem operator()(const Cancel& cancel) const { return check_text("the reason", cancel.reason, text_bytes_max); }
  Problem operator()(const Refund& refund) const { return check_text("the reason", refund.reason, text_bytes_max); }
};

}  // namespace

std::optional<std::string> check(const Action& action) {
  return std::visit(Check{}, action);
}

std::optional<std::string> check_order_id(std::string_view id) {
  return check_id("the order id", id);
}

}  // namespace freshet::orders
