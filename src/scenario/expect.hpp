// What a script expects of an answer, and what it found instead.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "scenario/timeline.hpp"

namespace freshet::scenario {

struct Condition {
  enum class Relation { equal, different, at_least, at_most };

  std::string field;  // A path into the answer: "freshness.stale", "orders.0.status".
  Relation relation = Relation::equal;
  std::string value;
};

// "status=paid", "version!=2", "freshness.waited_ms>=40". Nothing if the text is anything else.
[[nodiscard]] std::optional<Condition> parse_condition(const std::string& text);

// Nothing if the condition holds.
[[nodiscard]] std::optional<Miss> check(const Condition& condition, const nlohmann::ordered_json& answer);

}  // namespace freshet::scenario
