// A report as a Mermaid sequenceDiagram, which documents and wikis draw.
#pragma once

#include <string>

#include "scenario/timeline.hpp"

namespace freshet::scenario {

[[nodiscard]] std::string render_mermaid(const Report& report);

}  // namespace freshet::scenario
