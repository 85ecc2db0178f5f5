// Bugs to be found: a build of the library for tests alone carries them, to prove that the simulation can
// fail. In every other build deliberately() is a constant, and nothing of this is left.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace freshet {

enum class Bug {
  checkpoint_as_maximum,     // The highest position applied is taken for "everything up to here is applied".
  progress_not_reloaded,     // What is a duplicate is judged by memory, outside the transaction of the rows.
  waiter_not_woken,          // The projector does not tell that it has committed something.
  offset_before_rows,        // Offsets are committed for what is not applied, and trusted.
  head_read_while_waiting,   // The target of a read moves while it is waited for.
  stream_order_ignored,      // A synchronous append does not apply the earlier events of its stream.
  follower_not_buried,       // Events behind a dead letter of their stream are applied.
  exists_admits_all,         // "Must exist" is mapped to "no check".
  missing_version_met,       // "No such event yet" is taken for "nothing to wait for".
  waiter_on_dead_projector,  // Who waits is not told that the projector has stopped.
  snapshot_of_any_schema,    // A state is taken for one of the decider's, whatever made it.
  key_of_its_stream,         // A key is known to the stream alone that it was first used for.
  recorded_ahead_ignored,    // Ages are told where times of recording lie ahead of the clock.
  place_without_history,     // A place is taken for one of this history, whichever it was kept from.
  marks_ignored_at_swap,     // What an operator decides while a rebuild goes on is not looked at in its end.
  token_not_compared,        // A rebuild takes the tables that it finds for its own.
  companions_by_given_name,  // Locks are named after the name that was given, and not after the file.
  one_lease_for_all,         // A process that lacks the lease of one projection projects none.
  upgrade_in_two_parts,      // A file that is carried over gets its number in another transaction than its tables.
  append_end_left_out,       // No event says where its append ends.
  range_skips_event,         // The next batch of a lazy range begins one event late.
  argument_left_out,         // Commands that differ in a text alone are taken for the same one.
};

inline constexpr std::array<std::pair<Bug, std::string_view>, 22> bug_names = {{
    {Bug::checkpoint_as_maximum, "checkpoint-as-maximum"},
    {Bug::progress_not_reloaded, "progress-not-reloaded"},
    {Bug::waiter_not_woken, "waiter-not-woken"},
    {Bug::offset_before_rows, "offset-before-rows"},
    {Bug::head_read_while_waiting, "head-read-while-waiting"},
    {Bug::stream_order_ignored, "stream-order-ignored"},
    {Bug::follower_not_buried, "follower-not-buried"},
    {Bug::exists_admits_all, "exists-admits-all"},
    {Bug::missing_version_met, "missing-version-met"},
    {Bug::waiter_on_dead_projector, "waiter-on-dead-projector"},
    {Bug::snapshot_of_any_schema, "snapshot-of-any-schema"},
    {Bug::key_of_its_stream, "key-of-its-stream"},
    {Bug::recorded_ahead_ignored, "recorded-ahead-ignored"},
    {Bug::place_without_history, "place-without-history"},
    {Bug::marks_ignored_at_swap, "marks-ignored-at-swap"},
    {Bug::token_not_compared, "token-not-compared"},
    {Bug::companions_by_given_name, "companions-by-given-name"},
    {Bug::one_lease_for_all, "one-lease-for-all"},
    {Bug::upgrade_in_two_parts, "upgrade-in-two-transactions"},
    {Bug::append_end_left_out, "append-end-left-out"},
    {Bug::range_skips_event, "range-skips-event"},
    {Bug::argument_left_out, "digest-leaves-an-argument-out"},
}};

#ifdef FRESHET_DELIBERATE_BUGS
// Which one the program has switched on.
inline std::optional<Bug> deliberate_bug;

[[nodiscard]] inline bool deliberately(Bug bug) {
  return deliberate_bug == bug;
}
#else
[[nodiscard]] constexpr bool deliberately(Bug /*bug*/) {
  return false;
}
#endif

}  // namespace freshet
