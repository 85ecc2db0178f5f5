// The names of the rare paths.
#include "simulation/rare_paths.hpp"

namespace freshet::simulation {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, static_cast<std::size_t>(Rare::end_)> names = {
    "conflict",
    "retry of key",
    "retry after reopening",
    "retry of refusal",
    "retry with stream made up",
    "key of format 3",
    "key of other command",
    "key of other stream",
    "rejection",
    "rejection given again",
    "write committed",
    "write undone",
    "crash inside write",
    "synchronous refused",
    "synchronous applied earlier",
    "delivery after fetch",
    "crash of process",
    "closed in the middle",
    "projector crash now",
    "projector crash before offsets",
    "projector crash with failing event",
    "projector crash with dead letters",
    "crash in rebuild",
    "crash in background rebuild",
    "crash in retry",
    "restored",
    "restored again",
    "carried over",
    "killed in upgrade",
    "place kept",
    "place of lost history",
    "token of lost history",
    "two names of the file",
    "different projections",
    "redelivery",
    "duplicate skipped",
    "gap healed from log",
    "memory overflow",
    "applied above checkpoint",
    "transaction undone",
    "dead letter",
    "follower of dead letter",
    "dead letter retried",
    "dead letter discarded",
    "projector stopped",
    "wait on stopped projector",
    "lease taken over",
    "offsets committed",
    "clock set back",
    "clock set forward",
    "recorded ahead of clock",
    "rebuild",
    "rebuild given up",
    "rebuild overtaken",
    "discarded in rebuild",
    "retried in rebuild",
    "rebuilds met",
    "rebuild without its lease",
    "background rebuild",
    "old release beside new",
    "rows of older rules",
    "rows of newer rules",
    "drained",
    "verified",
    "stale eventual",
    "stale min version",
    "stale min position",
    "stale max staleness",
    "stale strong",
    "fresh min version",
    "fresh min position",
    "fresh max staleness",
    "fresh strong",
    "wait met",
    "wait met exactly",
    "wait timed out",
    "read before stream",
    "wait for future event met",
    "replay instead",
    "replay from snapshot",
    "error instead",
    "append while waiting",
    "own write read",
    "monotonic read",
    "read backwards",
    "read rare category",
    "range beside appends",
};

}  // namespace

std::vector<Rare> Counters::all() {
  std::vector<Rare> paths;
  for (std::size_t index = 0; index < names.size(); ++index) paths.push_back(static_cast<Rare>(index));
  return paths;
}

std::string_view Counters::name(Rare path) {
  return names[static_cast<std::size_t>(path)];
}

}  // namespace freshet::simulation
