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
// Threads: as the store. Failure: Error from the store, and what the decider throws, passed on.
#pragma once

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
};

// Adds `event` to what was replayed so far.
template <typename Decider>
void fold(Replayed<Decider>& replayed, const RecordedEvent& event) {
  Decider::evolve(replayed.state, Decider::decode(event));
  replayed.version = event.version;
  replayed.position = event.position;
}

// Reads the whole stream and folds it: it takes the longer, the more events there are. A stream that does not exist is
// the initial state, with version 0.
template <typename Decider>
[[nodiscard]] Replayed<Decider> replay(const EventLog& log, const StreamId& stream) {
  Replayed<Decider> replayed;
  for (const RecordedEvent& event : log.read_stream(stream, Version{}, all_events)) {
    fold(replayed, event);
  }
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

// Runs one command on one stream. A decision for no events is answered with an Appended whose `first`
// is 0; it is not remembered.
template <typename Decider>
[[nodiscard]] Outcome<Decider> execute(EventLog& log, const StreamId& stream, const typename Decider::Command& command,
                                       const ExecuteOptions& options) {
  if (options.idempotency_key) {
    if (auto first = log.find_command(*options.idempotency_key)) return detail::answered<Decider>(std::move(*first));
  }
  for (int attempt = 1;; ++attempt) {
    const auto replayed = replay<Decider>(log, stream);
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
                                    .correlation = options.correlation});
    if (const auto* appended = std::get_if<Appended>(&result)) {
      if (appended->duplicate) return detail::answered<Decider>(*appended);
      if (rejection != nullptr) return Rejected<typename Decider::Rejection>{std::move(*rejection), replayed.version};
      return *appended;
    }
    const auto conflict = std::get<Conflict>(result);
    if (options.expected.kind() == ExpectedVersion::Kind::exactly || attempt == decide_attempts_max) return conflict;
  }
}

}  // namespace freshet
