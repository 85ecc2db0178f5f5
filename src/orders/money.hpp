// Money as a person writes it, in major units, and as Freshet counts it, in integers of the minor unit.
// There is no floating point in between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orders/order.hpp"

namespace freshet::orders {

// How many decimals the currency has, by ISO 4217: 2, except for those that have 0, 3 or 4.
[[nodiscard]] int minor_digits(std::string_view currency) noexcept;

// "49.99" or "50" as 4999 and 5000 minor units of a currency with two decimals. Nothing if the text has a
// sign, more decimals than the currency, anything else than digits and one point between them, or means
// more than amount_minor_max.
[[nodiscard]] std::optional<std::int64_t> parse_money(std::string_view text, std::string_view currency);

// "49.99", without the currency. Below zero with a minus: revenue can be.
[[nodiscard]] std::string format_money(std::int64_t minor, std::string_view currency);

// "SKU:QTY:PRICE", such as "book:2:49.99". It is read from the right, since a SKU may hold ':'. Nothing if
// there are no three parts, or the last two are no numbers; for what the parts may be, see check().
[[nodiscard]] std::optional<Item> parse_item(std::string_view text, std::string_view currency);

}  // namespace freshet::orders
