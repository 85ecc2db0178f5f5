// Replay: the read that bypasses the read tables. A stream is folded to its state by the functions of its decider; see
// decider.hpp.
//
// Threads: as the log. Failure: Error from the log, and what the decider throws, passed on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "freshet/event_log.hpp"
#include "freshet/snapshot.hpp"

namespace [[gnu::visibility("default")]] freshet {

// A stream folded to its state, from the log: nothing is fresher.
template <typename Decider>
struct Replayed {
  typename Decider::State state = Decider::initial();
  Version version;
  Position position;  // The stream's last event in the state has it.
  Version snapshot;   // The folding began with a snapshot of this version; 0: with none.
};

// A decider that has `snapshots` has encode_state() and decode_state() as well.
template <typename Decider>
concept KeepsSnapshots = requires { Decider::snapshots; };

// Read at a time; memory stays bounded whatever the length of the stream.
inline constexpr std::size_t replay_events_max = 1'000;

// Adds `event` to what was replayed so far.
template <typename Decider>
void fold(Replayed<Decider>& replayed, const RecordedEvent& event) {
  Decider::evolve(replayed.state, Decider::decode(event));
  replayed.version = event.version;
  replayed.position = event.position;
}

// Adds what the stream holds above that, up to its end.
template <typename Decider>
void catch_up(Replayed<Decider>& replayed, const EventLog& log, const StreamId& stream) {
  std::vector<RecordedEvent> events;
  do {
    events = log.read_stream(stream, replayed.version, replay_events_max);
    for (const RecordedEvent& event : events) fold(replayed, event);
  } while (events.size() == replay_events_max);
}

namespace detail {

// What a replay of the stream begins with.
template <typename Decider>
Replayed<Decider> beginning(const EventLog& log, const StreamId& stream) {
  if constexpr (KeepsSnapshots<Decider>) {
    static_assert(!Decider::snapshots.name.empty(), "the snapshots of a decider have a name");
    static_assert(Decider::snapshots.schema >= 1, "the schemas of snapshots count from 1");
    static_assert(Decider::snapshots.every >= 1, "a snapshot is kept every so many events");
    if (const auto kept = log.find_snapshot(stream, Decider::snapshots.name, Decider::snapshots.schema)) {
      try {
        return {Decider::decode_state(kept->state), kept->version, kept->position, kept->version};
      } catch (...) {
        // Whatever it has thrown: the events say the same.
      }
    }
  }
  return {};
}

// The snapshot to keep, where one is due.
template <typename Decider>
std::optional<StateSnapshot> due_snapshot(const Replayed<Decider>& replayed) {
  if constexpr (KeepsSnapshots<Decider>) {
    if (replayed.version.value - replayed.snapshot.value >= Decider::snapshots.every) {
      return StateSnapshot{std::string(Decider::snapshots.name), Decider::snapshots.schema,
                           Decider::encode_state(replayed.state)};
    }
  }
  return std::nullopt;
}

}  // namespace detail

// Folds the stream, from its snapshot on where the decider keeps them: it takes the longer, the more events there are
// above that. A stream that does not exist is the initial state, with version 0.
template <typename Decider>
[[nodiscard]] Replayed<Decider> replay(const EventLog& log, const StreamId& stream) {
  auto replayed = detail::beginning<Decider>(log, stream);
  catch_up(replayed, log, stream);
  return replayed;
}

}  // namespace freshet
