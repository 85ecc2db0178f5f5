// The rules of an order: which command is allowed when, and what its event makes of the order.
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/ensure.hpp"
#include "orders/order.hpp"

namespace freshet::orders {
namespace {

constexpr std::array status_names{"none", "created", "paid", "shipped", "delivered", "cancelled", "refunded"};
constexpr std::array action_names{"place", "pay", "ship", "deliver", "cancel", "refund"};
constexpr std::array fact_names{"OrderCreated",   "OrderPaid",      "OrderShipped",
                                "OrderDelivered", "OrderCancelled", "OrderRefunded"};
static_assert(status_names.size() == static_cast<std::size_t>(Status::refunded) + 1);
static_assert(action_names.size() == std::variant_size_v<Action>);
static_assert(fact_names.size() == std::variant_size_v<Fact>);

// Says what an action needs where the order does not have it; nothing means that it is allowed.
class Objection {
 public:
  using Result = std::optional<std::string>;

  explicit Objection(const Order& order) : order_(order) {}

  Result operator()(const Place& /*action*/) const { return needs({Status::none}, "an order can be placed only once"); }
  Result operator()(const Pay& /*action*/) const {
    return needs({Status::created}, "only a created order can be paid");
  }
  Result operator()(const Ship& /*action*/) const { return needs({Status::paid}, "only a paid order can be shipped"); }
  Result operator()(const Deliver& /*action*/) const {
    return needs({Status::shipped}, "only a shipped order can be delivered");
  }
  Result operator()(const Cancel& /*action*/) const {
    return needs({Status::created, Status::paid}, "only a created or paid order can be cancelled");
  }
  // Money is given back that was taken, so what counts is the payment, whatever became of the order since.
  Result operator()(const Refund& /*action*/) const {
    if (order_.paid_minor && order_.status != Status::refunded) return std::nullopt;
    return status_and("only an order that was paid can be refunded, and only once");
  }

 private:
  [[nodiscard]] Result needs(std::initializer_list<Status> statuses, const char* rule) const {
    for (const Status status : statuses) {
      if (order_.status == status) return std::nullopt;
    }
    return status_and(rule);
  }

  [[nodiscard]] std::string status_and(const char* rule) const {
    return std::string{"the order is "} + name(order_.status) + ", and " + rule;
  }

  const Order& order_;
};

// The fact that an allowed action becomes.
class Outcome {
 public:
  explicit Outcome(const Order& order) : order_(order) {}

  Fact operator()(const Place& action) const {
    const auto total = total_minor(action.items, action.freight_minor);
    ensure(total.has_value(), "a command is checked before it is decided");
    return OrderCreated{action.customer, action.currency, action.items, action.freight_minor, *total};
  }
  Fact operator()(const Pay& action) const {
    return OrderPaid{action.amount_minor.value_or(order_.amount_minor), order_.currency};
  }
  Fact operator()(const Ship& action) const { return OrderShipped{action.carrier, action.tracking}; }
  Fact operator()(const Deliver& /*action*/) const { return OrderDelivered{}; }
  Fact operator()(const Cancel& action) const { return OrderCancelled{action.reason}; }
  Fact operator()(const Refund& action) const {
    return OrderRefunded{order_.paid_minor.value_or(0), order_.currency, action.reason};
  }

 private:
  const Order& order_;
};

// What a user has said, all of which decides what is recorded.
class Arguments {
 public:
  explicit Arguments(CommandIdentity& identity) : identity_(identity) {}

  void operator()(const Place& action) const {
    identity_.add(action.customer).add(action.currency).add(action.freight_minor);
    identity_.add_each(action.items, [](CommandIdentity& identity, const Item& item) {
      identity.add(item.sku).add(item.quantity).add(item.unit_price_minor);
    });
  }
  void operator()(const Pay& action) const { identity_.add(action.amount_minor); }
  void operator()(const Ship& action) const { identity_.add(action.carrier).add(action.tracking); }
  void operator()(const Deliver& /*action*/) const {}
  void operator()(const Cancel& action) const { identity_.add(action.reason); }
  void operator()(const Refund& action) const { identity_.add(action.reason); }

 private:
  CommandIdentity& identity_;
};

// Folds one fact into the order. Each sets the status outright: what was decided is not judged again.
class Change {
 public:
  explicit Change(Order& order) : order_(order) {}

  void operator()(const OrderCreated& fact) const {
    order_.status = Status::created;
    order_.customer = fact.customer;
    order_.currency = fact.currency;
    order_.items = fact.items;
    order_.freight_minor = fact.freight_minor;
    order_.amount_minor = fact.amount_minor;
  }
  void operator()(const OrderPaid& fact) const {
    order_.status = Status::paid;
    order_.paid_minor = fact.amount_minor;
  }
  void operator()(const OrderShipped& /*fact*/) const { order_.status = Status::shipped; }
  void operator()(const OrderDelivered& /*fact*/) const { order_.status = Status::delivered; }
  void operator()(const OrderCancelled& /*fact*/) const { order_.status = Status::cancelled; }
  void operator()(const OrderRefunded& /*fact*/) const { order_.status = Status::refunded; }

 private:
  Order& order_;
};

}  // namespace

const char* name(Status status) noexcept {
  return status_names.at(static_cast<std::size_t>(status));
}

const char* name(const Action& action) noexcept {
  return action_names.at(action.index());
}

const char* name(const Fact& fact) noexcept {
  return fact_names.at(fact.index());
}

std::optional<Status> parse_status(std::string_view text) noexcept {
  for (std::size_t index = 1; index < status_names.size(); ++index) {  // From 1: no order has the status "none".
    if (text == status_names.at(index)) return static_cast<Status>(index);
  }
  return std::nullopt;
}

std::optional<std::int64_t> total_minor(const std::vector<Item>& items, std::int64_t freight_minor) {
  std::int64_t total = freight_minor;
  for (const Item& item : items) {
    std::int64_t price = 0;
    if (__builtin_mul_overflow(item.quantity, item.unit_price_minor, &price)) return std::nullopt;
    if (__builtin_add_overflow(total, price, &total)) return std::nullopt;
  }
  if (total > amount_minor_max) return std::nullopt;
  return total;
}

void OrderDecider::evolve(State& order, const Event& event) {
  std::visit(Change(order), event.fact);
  order.updated_at = event.at.value_or(order.updated_at);
  if (std::holds_alternative<OrderCreated>(event.fact)) order.placed_at = order.updated_at;
}

CommandIdentity OrderDecider::identify(const Command& command) {
  CommandIdentity identity(name(command.action));
  identity.add(command.at);
  std::visit(Arguments(identity), command.action);
  return identity;
}

std::variant<std::vector<Event>, Rejection> OrderDecider::decide(const Command& command, const State& order) {
  const std::string action = name(command.action);
  if (order.status == Status::none && action != "place") {
    return Rejection{Rejection::Code::not_found, action, "there is no such order"};
  }
  if (const auto objection = std::visit(Objection(order), command.action)) {
    return Rejection{Rejection::Code::not_allowed, action, "cannot " + action + ": " + *objection};
  }
  return std::vector{Event{std::visit(Outcome(order), command.action), command.at}};
}

}  // namespace freshet::orders
