// How the facts about an order stand in the log: the parts that projections need besides OrderDecider.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "freshet/event.hpp"
#include "orders/order.hpp"

namespace freshet::orders {

inline constexpr const char* order_category = "order";

[[nodiscard]] StreamId stream_of(std::string_view order_id);

// False for what other applications write into the same log. One that a newer release has written is refused by
// OrderDecider::decode().
[[nodiscard]] bool is_order_event(const RecordedEvent& event);

// [{"sku": "book", "quantity": 1, "unit_price_minor": 4999}], compact. Reading throws Error `corrupt` on
// anything else.
[[nodiscard]] std::string write_items(const std::vector<Item>& items);
[[nodiscard]] std::vector<Item> read_items(std::string_view json);

}  // namespace freshet::orders
