// Answers and failures as JSON documents, with their fields in the documented order.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/answer.hpp"
#include "cli/failure.hpp"

namespace freshet::cli {

[[nodiscard]] nlohmann::ordered_json document_of(const Answer& answer);
[[nodiscard]] nlohmann::ordered_json document_of(const Failure& failure);

// One line each, with its end.
[[nodiscard]] std::string render_json(const Answer& answer);
[[nodiscard]] std::string render_json(const Failure& failure);
[[nodiscard]] std::string render_json(const nlohmann::ordered_json& document);

// Parts that failures show as well.
[[nodiscard]] nlohmann::ordered_json stream_freshness_json(const Freshness& freshness);
[[nodiscard]] nlohmann::ordered_json log_freshness_json(const Freshness& freshness);
[[nodiscard]] nlohmann::ordered_json import_json(const Imported& imported);

}  // namespace freshet::cli
