// Commands: load the stream, decide, append; and replay, the read that bypasses the read tables.
//
// A decider is an application's rules as pure functions, on its own types:
//
//   struct Tasks {
//     using State = ...; using Command = ...; using Event = ...; using Rejection = ...;
//     static State initial();
//     static void evolve(State&, const Event&);
//     static std::variant<std::vector<Event>, Rejection> decide(const Command&, const State&);
//     static NewEvent encode(const Event&);            // To JSON, say.
//     static Event decode(const RecordedEvent&);
//     static std::string encode_rejection(const Rejection&);    // Kept with an idempotency key.
//     static Rejection decode_rejection(const std::string&);
//   };
//
// Where streams grow long, three more keep snapshots of the state; see snapshot.hpp.
//
// Threads: as the store. Failure: Error from the store, and what the decider throws, passed on.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "freshet/store.hpp"

namespace [[gnu::visibility("default")]] freshet {

// What execute() promises beside the decision itself.
struct ExecuteOptions {
  // What the caller saw when it made up its mind. A mismatch is a Conflict; with any(), the command is
  // decided again on what another writer added, up to decide_attempts_max times.
  ExpectedVersion expected = ExpectedVersion::any();
  // As Append::command_id. A rejection is remembered as well.
  std::optional<std::string> idempotency_key = std::nullopt;
  Projecting projecting = Projecting::asynchronous;
  // As Append::correlation.
  std::optional<Correlation> correlation = std::nullopt;
};

// Each further attempt means that another writer got through, so only a pathological store reaches it.
inline constexpr int decide_attempts_max = 100;

// A stream folded to its state, from the log: nothing is fresher.
template <typename Decider>
struct Replayed {
  typename Decider::State state = Decider::initial();
  Version version;
  Position position;  // Of the stream's last event in the state.
  Version snapshot;   // Of the snapshot that the folding began with; 0: with no event.
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

// A rule of the application forbids it.
template <typename Rejection>
struct Rejected {
  Rejection rejection;
  Version version;         // Of the stream that it was decided on.
  bool duplicate = false;  // A retry: this is the first answer.
};

// What can be expected of a command.
template <typename Decider>
using Outcome = std::variant<Appended, Conflict, Rejected<typename Decider::Rejection>>;

namespace detail {

template <typename Decider>
Outcome<Decider> answered(Appended appended) {
  if (appended.duplicate && appended.first == Position{}) {
    return Rejected<typename Decider::Rejection>{Decider::decode_rejection(appended.outcome), appended.version, true};
  }
  return appended;
}

}  // namespace detail

// Runs one command on one stream: reads it, decides, and appends, which blocks as EventLog::append(). A decision for no
// events is answered with an Appended whose `first` is 0; it is not remembered.
template <typename Decider>
[[nodiscard]] Outcome<Decider> execute(EventLog& log, const StreamId& stream, const typename Decider::Command& command,
                                       const ExecuteOptions& options) {
  if (options.idempotency_key) {
    if (auto first = log.find_command(*options.idempotency_key)) return detail::answered<Decider>(std::move(*first));
  }
  auto replayed = replay<Decider>(log, stream);
  for (int attempt = 1;; ++attempt) {
    if (!options.expected.admits(replayed.version)) return Conflict{replayed.version};

    auto decision = Decider::decide(command, replayed.state);
    std::vector<NewEvent> events;
    std::string outcome;
    auto* rejection = std::get_if<typename Decider::Rejection>(&decision);
    if (rejection != nullptr) {
      if (!options.idempotency_key)
        return Rejected<typename Decider::Rejection>{std::move(*rejection), replayed.version};
      outcome = Decider::encode_rejection(*rejection);
    } else {
      const auto& decided = std::get<0>(decision);
      if (decided.empty()) return Appended{.stream = stream, .first = {}, .last = {}, .version = replayed.version};
      for (const auto& event : decided) events.push_back(Decider::encode(event));
    }

    const auto result = log.append({.stream = stream,
                                    .expected = ExpectedVersion::exactly(replayed.version),
                                    .events = events,
                                    .command_id = options.idempotency_key,
                                    .outcome = std::move(outcome),
                                    .projecting = options.projecting,
                                    .correlation = options.correlation,
                                    .snapshot = detail::due_snapshot(replayed)});
    if (const auto* appended = std::get_if<Appended>(&result)) {
      if (appended->duplicate) return detail::answered<Decider>(*appended);
      if (rejection != nullptr) return Rejected<typename Decider::Rejection>{std::move(*rejection), replayed.version};
      return *appended;
    }
    const auto conflict = std::get<Conflict>(result);
    if (options.expected.kind() == ExpectedVersion::Kind::exactly || attempt == decide_attempts_max) return conflict;
    catch_up(replayed, log, stream);
  }
}

}  // namespace freshet
