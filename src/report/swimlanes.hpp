// A run as a drawing: swimlanes over time.
#pragma once

#include "report/markup.hpp"
#include "scenario/timeline.hpp"

namespace freshet::report {

// The report must have an occurrence.
void draw_swimlanes(Markup& markup, const scenario::Report& report);

// One occurrence in words, on lines: when and who, what, and what is special about it.
[[nodiscard]] std::string detail_of(const scenario::Occurrence& occurrence);

// "write side", "client alice"
[[nodiscard]] std::string who(const scenario::Occurrence& occurrence);

// What is special about an occurrence: "stale", "attempt 2"; empty for most.
[[nodiscard]] std::string note_of(const scenario::Occurrence& occurrence);

}  // namespace freshet::report
