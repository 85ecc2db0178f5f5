// Runs and measurements as pages to look at: each is one file that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "measure/measure.hpp"
#include "scenario/timeline.hpp"

namespace freshet::report {

[[nodiscard]] std::string render_html(const scenario::Report& report);

// One page, with a section for each run.
[[nodiscard]] std::string render_html(const std::vector<scenario::Report>& reports);

[[nodiscard]] std::string render_html(const measure::Visibility& visibility);
[[nodiscard]] std::string render_html(const measure::Throughput& throughput);

}  // namespace freshet::report
