// The language of the tests of decisions: given(events).when(command).then(events).
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "orders/order.hpp"

namespace freshet::orders {

// An order over 2 books at 49.99 and 3.50 of freight: 103.48 in all.
inline constexpr std::int64_t placed_minor = 10'348;

inline Place place() {
  return {"c9", "EUR", {{"book", 2, 4'999}}, 350};
}

inline OrderCreated created() {
  return {"c9", "EUR", {{"book", 2, 4'999}}, 350, placed_minor};
}

inline OrderPaid paid() {
  return {placed_minor, "EUR"};
}

inline Order folded(const std::vector<Fact>& facts) {
  Order order = OrderDecider::initial();
  for (const Fact& fact : facts) OrderDecider::evolve(order, {fact, std::nullopt});
  return order;
}

// A fact as the log would hold it, so that a failing test shows what was decided.
inline std::string as_text(const Fact& fact) {
  const NewEvent event = OrderDecider::encode({fact, std::nullopt});
  return event.type + " " + event.data;
}

class Decision {
 public:
  explicit Decision(std::variant<std::vector<Event>, Rejection> decision) : decision_(std::move(decision)) {}

  void then(const Fact& fact) const {
    const auto* events = std::get_if<std::vector<Event>>(&decision_);
    REQUIRE(events != nullptr);
    REQUIRE(events->size() == 1);
    CHECK(as_text(events->front().fact) == as_text(fact));
  }

  void then_refused(const std::string& message) const {
    const auto* rejection = std::get_if<Rejection>(&decision_);
    REQUIRE(rejection != nullptr);
    CHECK(rejection->code == Rejection::Code::not_allowed);
    CHECK(rejection->message == message);
  }

  void then_not_found() const {
    const auto* rejection = std::get_if<Rejection>(&decision_);
    REQUIRE(rejection != nullptr);
    CHECK(rejection->code == Rejection::Code::not_found);
    CHECK(rejection->message == "there is no such order");
  }

 private:
  std::variant<std::vector<Event>, Rejection> decision_;
};

class Given {
 public:
  explicit Given(std::vector<Fact> facts) : facts_(std::move(facts)) {}

  [[nodiscard]] Decision when(const Action& action) const {
    return Decision(OrderDecider::decide({action, std::nullopt}, folded(facts_)));
  }

 private:
  std::vector<Fact> facts_;
};

inline Given given(std::vector<Fact> facts) {
  return Given(std::move(facts));
}

}  // namespace freshet::orders
