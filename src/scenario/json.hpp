// A report as a JSON document.
#pragma once

#include <nlohmann/json.hpp>

#include "scenario/timeline.hpp"

namespace freshet::scenario {

[[nodiscard]] nlohmann::ordered_json to_json(const Report& report);

// {"demos": [...], "passed": ...}
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<Report>& reports);

}  // namespace freshet::scenario
