// The order domain's rules: commands, events, and the two pure functions between them.
//
// Nothing here does I/O, reads a clock or knows of the store. Money is in integers of the currency's
// minor unit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "freshet/command_identity.hpp"
#include "freshet/event.hpp"
#include "freshet/types.hpp"

namespace freshet::orders {

// Bounds of what a command may say. Breaking one is a usage error, found before anything is decided.
inline constexpr std::size_t id_bytes_max = 200;             // Orders, customers, SKUs, carriers, tracking numbers.
inline constexpr std::size_t text_bytes_max = 4'000;         // Reasons.
inline constexpr std::size_t items_max = 10'000;             // Lines of one order.
inline constexpr std::int64_t quantity_max = 1'000'000'000;  // Of one line.
// Every JSON reader holds integers up to here exactly.
inline constexpr std::int64_t amount_minor_max = 9'007'199'254'740'991;

enum class Status { none, created, paid, shipped, delivered, cancelled, refunded };

[[nodiscard]] const char* name(Status status) noexcept;  // "created"; "none" for no order.
[[nodiscard]] std::optional<Status> parse_status(std::string_view text) noexcept;

struct Item {
  std::string sku;
  std::int64_t quantity = 0;  // From 1.
  std::int64_t unit_price_minor = 0;
  friend bool operator==(const Item&, const Item&) = default;
};

// Commands.
struct Place {
  std::string customer;
  std::string currency;  // ISO 4217.
  std::vector<Item> items;
  std::int64_t freight_minor = 0;
};
struct Pay {
  std::optional<std::int64_t> amount_minor;  // The order's amount if not given.
};
struct Ship {
  std::string carrier;  // Empty: not said. So for the texts below.
  std::string tracking;
};
struct Deliver {};
struct Cancel {
  std::string reason;
};
struct Refund {
  std::string reason;
};
using Action = std::variant<Place, Pay, Ship, Deliver, Cancel, Refund>;

struct Command {
  Action action;
  std::optional<Timestamp> at;  // When it happened; the time of recording if not given.
};

[[nodiscard]] const char* name(const Action& action) noexcept;  // "place".

// Events.
struct OrderCreated {
  std::string customer;
  std::string currency;
  std::vector<Item> items;
  std::int64_t freight_minor = 0;
  std::int64_t amount_minor = 0;
};
struct OrderPaid {
  std::int64_t amount_minor = 0;  // What was paid.
  std::string currency;
};
struct OrderShipped {
  std::string carrier;
  std::string tracking;
};
struct OrderDelivered {};
struct OrderCancelled {
  std::string reason;
};
struct OrderRefunded {
  std::int64_t amount_minor = 0;  // What had been paid.
  std::string currency;
  std::string reason;
};
using Fact = std::variant<OrderCreated, OrderPaid, OrderShipped, OrderDelivered, OrderCancelled, OrderRefunded>;

struct Event {
  Fact fact;
  std::optional<Timestamp> at;  // Always set on what was recorded.
};

[[nodiscard]] const char* name(const Fact& fact) noexcept;  // "OrderCreated".

// An order, folded from its events.
struct Order {
  Status status = Status::none;
  std::string customer;
  std::string currency;
  std::vector<Item> items;
  std::int64_t freight_minor = 0;
  std::int64_t amount_minor = 0;
  std::optional<std::int64_t> paid_minor;
  Timestamp placed_at;
  Timestamp updated_at;
};

// Why a command is not carried out.
struct Rejection {
  enum class Code { not_found, not_allowed };  // not_found: there is no such order.
  Code code = Code::not_allowed;
  std::string command;     // "pay"
  std::string message;     // "cannot ship: the order is created, and only a paid order can be shipped"
  bool duplicate = false;  // The answer to an earlier command with the same idempotency key.
};

// The rules as freshet::execute and freshet::replay take them.
struct OrderDecider {
  using State = Order;
  using Command = orders::Command;
  using Event = orders::Event;
  using Rejection = orders::Rejection;

  static State initial() { return {}; }
  static void evolve(State& order, const Event& event);
  static std::variant<std::vector<Event>, Rejection> decide(const Command& command, const State& order);
  static CommandIdentity identify(const Command& command);

  static NewEvent encode(const Event& event);
  // Throws Error `unsupported_format` on a type or a form that a newer release wrote, `corrupt` on data that none did.
  static Event decode(const RecordedEvent& event);
  static std::string encode_rejection(const Rejection& rejection);
  static Rejection decode_rejection(const std::string& text);
};

// Checks a command's own texts and numbers against the bounds above. The sentence says what is wrong;
// nothing means that all is well.
[[nodiscard]] std::optional<std::string> check(const Action& action);
[[nodiscard]] std::optional<std::string> check_order_id(std::string_view id);

// Items plus freight; nothing if that is above amount_minor_max.
[[nodiscard]] std::optional<std::int64_t> total_minor(const std::vector<Item>& items, std::int64_t freight_minor);

}  // namespace freshet::orders
