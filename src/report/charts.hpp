// The measurements: a chart, and the same numbers as a table.
#pragma once

#include "measure/measure.hpp"
#include "report/markup.hpp"

namespace freshet::report {

void write_visibility(Markup& markup, const measure::Visibility& visibility);
void write_throughput(Markup& markup, const measure::Throughput& throughput);

}  // namespace freshet::report
