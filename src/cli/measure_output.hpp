// Measurements as JSON documents, and as text with a chart.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/palette.hpp"
#include "measure/measure.hpp"

namespace freshet::cli {

[[nodiscard]] nlohmann::ordered_json visibility_json(const measure::Visibility& measured);
[[nodiscard]] nlohmann::ordered_json throughput_json(const measure::Throughput& measured);

// Plain characters, and finer ones where the locale says that the terminal shows UTF-8.
[[nodiscard]] std::string visibility_text(const measure::Visibility& measured, const Palette& palette);
[[nodiscard]] std::string throughput_text(const measure::Throughput& measured, const Palette& palette);

}  // namespace freshet::cli
