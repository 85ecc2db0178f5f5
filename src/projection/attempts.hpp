// How often events have failed, and when they are tried again: one rule for the projector and for rebuilds.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "freshet/clock.hpp"
#include "projection/applier.hpp"

namespace freshet::projection {

// How long to wait after an event has failed so often.
[[nodiscard]] Duration backoff(const ProjectorOptions& options, int attempts);

class Attempts {
 public:
  explicit Attempts(const ProjectorOptions& options) : options_(options) {}

  // Counts the attempt. True: it was the last one.
  bool note(const ApplyFailure& failure, Instant now);

  // What to do with an event now. Those of a stream behind one that has failed wait for it.
  [[nodiscard]] Judgement judge(std::int64_t projection, std::int64_t stream, Position position, Instant now) const;

  // When the stream's failed event is due; nothing if none has failed.
  [[nodiscard]] std::optional<Instant> due(std::int64_t projection, std::int64_t stream) const;

  // When the first of the failed events is due; nothing if none has failed.
  [[nodiscard]] std::optional<Instant> next_due() const;

  void forget_if(const std::function<bool(std::int64_t projection, Position position)>& settled);
  void clear() { failed_.clear(); }

 private:
  struct Failed {
    Position position;
    int attempts = 0;
    Instant next_attempt;
    std::string reason;
  };
  using Key = std::pair<std::int64_t, std::int64_t>;  // Projection, stream.

  [[nodiscard]] Instant due(const Failed& failed) const;

  ProjectorOptions options_;
  std::map<Key, Failed> failed_;  // The event of each that has failed last.
};

}  // namespace freshet::projection
