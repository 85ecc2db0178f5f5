// Counting what has failed.
#include "projection/attempts.hpp"

namespace freshet::projection {

bool Attempts::note(const ApplyFailure& failure, Instant now) {
  Failed& failed = failed_[{failure.projection, failure.stream}];
  if (failed.position != failure.position) failed = {.position = failure.position};
  failed.reason = failure.reason;
  ++failed.attempts;
  failed.next_attempt = now + backoff(options_, failed.attempts);
  return failed.attempts >= options_.attempts_max;
}

Judgement Attempts::judge(std::int64_t projection, std::int64_t stream, Position position, Instant now) const {
  const auto found = failed_.find({projection, stream});
  if (found == failed_.end() || position < found->second.position) return {};
  const Failed& failed = found->second;
  if (failed.attempts >= options_.attempts_max) {
    return {.verdict = position == failed.position ? Verdict::bury : Verdict::hold,
            .attempts = failed.attempts,
            .reason = failed.reason};
  }
  return {.verdict = now < failed.next_attempt ? Verdict::hold : Verdict::apply};
}

std::optional<Instant> Attempts::due(std::int64_t projection, std::int64_t stream) const {
  const auto found = failed_.find({projection, stream});
  if (found == failed_.end()) return std::nullopt;
  const Failed& failed = found->second;
  return failed.attempts >= options_.attempts_max ? Instant{} : failed.next_attempt;
}

}  // namespace freshet::projection
