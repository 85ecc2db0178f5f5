// Texts beside marks that stand close together: each gets a row of its own where it would cover another.
#pragma once

#include <vector>

namespace freshet::report {

struct Label {
  double x = 0;  // Where it begins; a line leads from here to its mark.
  double width = 0;
  int row = 0;  // From the marks on, from 0; negative: there was no room.
};

// Gives each label the nearest row with room. Labels by x. Returns how many rows are in use.
int stack_labels(std::vector<Label>& labels, int rows_max);

}  // namespace freshet::report
