// Imports: commands as JSON Lines, one object a line, UTF-8.
//
//   {"at": "2017-10-02T10:56:33Z", "command": "place", "order": "123", "customer": "c9", "currency": "BRL",
//    "items": [{"sku": "book", "quantity": 1, "unit_price_minor": 4999}], "freight_minor": 350}
//   {"at": "2017-10-02T11:07:15Z", "command": "pay", "order": "123"}
//
// Always: at (when it happened, as parse_timestamp reads it), command (place, pay, ship, deliver, cancel or
// refund) and order. Further:
//   place           customer, currency, items; optionally freight_minor, and amount_minor, which must then
//                   be items plus freight
//   pay             optionally amount_minor; the order's amount if not given
//   ship            optionally carrier, tracking
//   cancel, refund  optionally reason
// Numbers are JSON integers. Other fields are ignored. A line may end in CR LF, the last one in nothing, and
// the first may begin with a byte order mark. Lines of nothing but white space are skipped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "orders/order.hpp"

namespace freshet::orders {

// As large as an event may be: nothing longer could be recorded.
inline constexpr std::size_t import_line_bytes_max = event_data_bytes_max;

// One transaction. Larger ones gain little, and make others wait for their turn to write.
inline constexpr std::size_t import_batch_lines_max = 500;
inline constexpr std::size_t import_batch_bytes_max = std::size_t{4} << 20U;  // The line that reaches it is in.

struct ImportLine {
  std::string order_id;
  Command command;
};

// The line's command, checked; or the sentence that says what is wrong with it.
[[nodiscard]] std::variant<ImportLine, std::string> parse_import_line(std::string_view text);

// The line's idempotency key: "import:" and 32 hexadecimal digits, derived from what the line says. It does
// not depend on how it is said: the order of fields, spaces and ignored fields make no difference.
[[nodiscard]] std::string import_key(const ImportLine& line);

}  // namespace freshet::orders
