// Which events a projection has applied: a checkpoint below which there is no gap, and the positions
// above it that were applied before their turn.
//
// "The highest position applied" would not do: with events of different streams overtaking each other
// it does not mean that everything below it is applied.
#pragma once

#include <set>
#include <vector>

#include "freshet/types.hpp"

namespace freshet::projection {

class Progress {
 public:
  Progress() = default;
  Progress(Position checkpoint, std::set<Position> above);

  [[nodiscard]] bool has(Position position) const;
  [[nodiscard]] Position checkpoint() const { return checkpoint_; }

  // Adds a position that it has not.
  void add(Position position);

  // What changed since the last call: positions that joined the set above the checkpoint, and whether
  // some left it because the checkpoint has passed them.
  struct Changes {
    std::vector<Position> added_above;
    bool passed_some = false;
  };
  [[nodiscard]] Changes take_changes();

 private:
  Position checkpoint_;
  std::set<Position> above_;
  Changes changes_;
};

}  // namespace freshet::projection
