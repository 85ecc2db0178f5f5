// Counts of what seldom happens; a simulation that never gets there proves nothing of it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace freshet::simulation {

enum class Rare {
  conflict,
  retry_of_key,
  retry_after_reopening,
  retry_of_refusal,
  retry_with_stream_made_up,
  key_of_format_3,
  key_of_other_command,
  key_of_other_stream,
  rejection,
  rejection_given_again,
  write_committed,
  write_undone,
  crash_inside_write,
  synchronous_refused,
  synchronous_applied_earlier,
  delivery_after_fetch,
  crash_of_process,
  closed_in_the_middle,
  projector_crash_now,
  projector_crash_before_offsets,
  projector_crash_with_failing_event,
  projector_crash_with_dead_letters,
  crash_in_rebuild,
  crash_in_background_rebuild,
  crash_in_retry,
  restored,
  restored_again,
  carried_over,
  killed_in_upgrade,
  place_kept,
  place_of_lost_history,
  token_of_lost_history,
  two_names_of_the_file,
  different_projections,
  redelivery,
  duplicate_skipped,
  gap_healed_from_log,
  memory_overflow,
  applied_above_checkpoint,
  transaction_undone,
  dead_letter,
  follower_of_dead_letter,
  dead_letter_retried,
  dead_letter_discarded,
  projector_stopped,
  wait_on_stopped_projector,
  lease_taken_over,
  offsets_committed,
  clock_set_back,
  clock_set_forward,
  recorded_ahead_of_clock,
  rebuild,
  rebuild_given_up,
  rebuild_overtaken,
  discarded_in_rebuild,
  retried_in_rebuild,
  rebuilds_met,
  rebuild_without_its_lease,
  background_rebuild,
  old_release_beside_new,
  rows_of_older_rules,
  rows_of_newer_rules,
  drained,
  verified,
  stale_eventual,
  stale_min_version,
  stale_min_position,
  stale_max_staleness,
  stale_strong,
  fresh_min_version,
  fresh_min_position,
  fresh_max_staleness,
  fresh_strong,
  wait_met,
  wait_met_exactly,
  wait_timed_out,
  read_before_stream,
  wait_for_future_event_met,
  replay_instead,
  replay_from_snapshot,
  error_instead,
  append_while_waiting,
  own_write_read,
  monotonic_read,
  read_backwards,
  read_rare_category,
  range_beside_appends,
  end_,
};

class Counters {
 public:
  void count(Rare path) { ++counts_[static_cast<std::size_t>(path)]; }
  void count_if(bool happened, Rare path) { counts_[static_cast<std::size_t>(path)] += happened ? 1 : 0; }
  [[nodiscard]] std::int64_t of(Rare path) const { return counts_[static_cast<std::size_t>(path)]; }

  [[nodiscard]] static std::vector<Rare> all();
  // As in a report: "retry of key".
  [[nodiscard]] static std::string_view name(Rare path);

 private:
  std::array<std::int64_t, static_cast<std::size_t>(Rare::end_)> counts_{};
};

}  // namespace freshet::simulation
