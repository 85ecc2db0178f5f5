// Counting what has failed.
#include "projection/attempts.hpp"

#include <algorithm>

namespace freshet::projection {
Duration backoff(const ProjectorOptions& options, int attempts) {
  const Duration first = std::clamp<Duration>(options.retry_backoff, Duration{0}, retry_backoff_max);
  return std::min<Duration>(first * (1 << std::clamp(attempts - 1, 0, 20)), retry_backoff_max);
}

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
  return due(found->second);
}

std::optional<Instant> Attempts::next_due() const {
  std::optional<Instant> next;
  for (const auto& [key, failed] : failed_) next = std::min(next.value_or(due(failed)), due(failed));
  return next;
}

void Attempts::forget_if(const std::function<bool(std::int64_t projection, Position position)>& settled) {
  std::erase_if(failed_, [&](const auto& failed) { return settled(failed.first.first, failed.second.position); });
}

// After its last attempt it need not wait to become a dead letter.
Instant Attempts::due(const Failed& failed) const {
  return failed.attempts >= options_.attempts_max ? Instant{} : failed.next_attempt;
}

}  // namespace freshet::projection
