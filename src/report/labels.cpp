// Stacks labels so that neither they nor the lines to their marks cover a label.
#include "report/labels.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace freshet::report {

// From right to left: the line to a label passes the rows before it at the label's left end, and what stands in
// those rows begins further to the right.
int stack_labels(std::vector<Label>& labels, int rows_max) {
  constexpr double gap = 10;
  std::vector<double> free_until(static_cast<std::size_t>(rows_max), std::numeric_limits<double>::infinity());
  int rows = 0;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    const double right = label->x + label->width + gap;
    const auto free = std::find_if(free_until.begin(), free_until.end(), [&](double until) { return right <= until; });
    if (free == free_until.end()) {
      label->row = -1;
      continue;
    }
    std::fill(free_until.begin(), std::next(free), label->x - gap / 2);
    label->row = static_cast<int>(free - free_until.begin());
    rows = std::max(rows, label->row + 1);
  }
  return rows;
}

}  // namespace freshet::report
