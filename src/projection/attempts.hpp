// How often events have failed, and when they are tried again: one rule for the projector and for rebuilds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "freshet/clock.hpp"
#include "projection/applier.hpp"

namespace freshet::projection {

class Attempts {
 public:
  explicit Attempts(const ProjectorOptions& options) : options_(options) {}

  // Counts the attempt. True: it was the last one.
  bool note(const ApplyFailure& failure, Instant now);

  // What to do with an event now. Those of a stream behind one that has failed wait for it.
  [[nodiscard]] Judgement judge(std::int64_t projection, std::int64_t stream, Position position, Instant now) const;

  // When the stream's failed event is due; nothing if none has failed.
  [[nodiscard]] std::optional<Instant> due(std::int64_t projection, std::int64_t stream) const;

 private:
  struct Failed {
    Position position;
    int attempts = 0;
    Instant next_attempt;
    std::string reason;
  };
  using Key = std::pair<std::int64_t, std::int64_t>;  // Projection, stream.

  ProjectorOptions options_;
  std::map<Key, Failed> failed_;  // The event of each that has failed last.
};

}  // namespace freshet::projection
