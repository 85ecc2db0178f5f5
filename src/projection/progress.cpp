// The contiguous prefix and the set above it.
#include "projection/progress.hpp"

#include <algorithm>
#include <utility>

#include "base/deliberate_bug.hpp"
#include "base/ensure.hpp"

namespace freshet::projection {

Progress::Progress(Position checkpoint, std::set<Position> above) : checkpoint_(checkpoint), above_(std::move(above)) {
  ensure(above_.empty() || *above_.begin() > checkpoint_, "the set holds positions above the checkpoint");
}

bool Progress::has(Position position) const {
  return position <= checkpoint_ || above_.contains(position);
}

void Progress::add(Position position) {
  ensure(!has(position), "an event is applied once");
  if (deliberately(Bug::checkpoint_as_maximum)) {
    checkpoint_ = position;
    return;
  }
  if (position.value != checkpoint_.value + 1) {
    above_.insert(position);
    changes_.added_above.push_back(position);
    return;
  }
  checkpoint_ = position;
  while (!above_.empty() && above_.begin()->value == checkpoint_.value + 1) {
    checkpoint_ = *above_.begin();
    above_.erase(above_.begin());
    changes_.passed_some = true;
  }
}

Progress::Changes Progress::take_changes() {
  Changes changes = std::exchange(changes_, {});
  std::erase_if(changes.added_above, [&](Position position) { return position <= checkpoint_; });
  return changes;
}

}  // namespace freshet::projection
