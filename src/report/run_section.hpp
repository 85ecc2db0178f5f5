// One run: its point, the drawing, the windows, and the timeline as a table.
#pragma once

#include "report/markup.hpp"
#include "scenario/timeline.hpp"

namespace freshet::report {

// `heading` is "h1" or "h2"; `id` is where a link on the page leads.
void write_run(Markup& markup, const scenario::Report& report, std::string_view heading, std::string_view id);

}  // namespace freshet::report
