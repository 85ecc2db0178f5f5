// Commands: load the stream, decide, append.
//
// A decider is an application's rules as pure functions, on its own types:
//
//   struct Tasks {
//     using State = ...; using Command = ...; using Event = ...; using Rejection = ...;
//     static State initial();
//     static void evolve(State&, const Event&);
//     static std::variant<std::vector<Event>, Rejection> decide(const Command&, const State&);
//     static CommandIdentity identify(const Command&);  // What an idempotency key belongs to.
//     static NewEvent encode(const Event&);            // To JSON, say.
//     static Event decode(const RecordedEvent&);
//     static std::string encode_rejection(const Rejection&);    // Kept with an idempotency key.
//     static Rejection decode_rejection(const std::string&);
//   };
//
// Where streams grow long, three more keep snapshots of the state; see snapshot.hpp. State, initial(), evolve() and
// decode() are what replay() needs as well; see replay.hpp.
//
// Threads: as the store. Failure: Error from the store, and what the decider throws, passed on.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "freshet/command_identity.hpp"
#include "freshet/replay.hpp"
#include "freshet/store.hpp"

namespace [[gnu::visibility("default")]] freshet {

// What execute() promises beside the decision itself.
struct ExecuteOptions {
  // What the caller saw when it made up its mind. A mismatch is a Conflict; with any(), the command is
  // decided again on what another writer added, up to decide_attempts_max times.
  ExpectedVersion expected = ExpectedVersion::any();
  // Makes a retry safe: the same command gets its first answer again, a rejection included. The key belongs to the
  // stream and to what the decider's identify() returns; another command under it is KeyReused.
  std::optional<std::string> idempotency_key = std::nullopt;
  // Whether the caller was told the stream's name, or has made it up for this try: see
  // CommandIdentity::make_up_stream().
  enum class StreamName { given, made_up };
  StreamName stream_name = StreamName::given;
  Projecting projecting = Projecting::asynchronous;
  // The events that are decided get these ids, unless the decider has given them others.
  std::optional<Correlation> correlation = std::nullopt;
};

// Each further attempt means that another writer got through, so only a pathological store reaches it.
inline constexpr int decide_attempts_max = 100;

// Commands without a name and a digest could not be told from each other under a key. For a decider with one command
// that has no arguments, `return CommandIdentity("close")` is enough.
template <typename Decider>
concept IdentifiesCommands = requires(const typename Decider::Command& command) {
  { Decider::identify(command) } -> std::same_as<CommandIdentity>;
};

// A rule of the application forbids it.
template <typename Rejection>
struct Rejected {
  Rejection rejection;
  Version version;         // Of the stream that it was decided on.
  bool duplicate = false;  // A retry: this is the first answer.
};

// What can be expected of a command.
template <typename Decider>
using Outcome = std::variant<Appended, Conflict, Rejected<typename Decider::Rejection>, KeyReused>;

namespace detail {

// To a command whose key is known.
template <typename Decider>
Outcome<Decider> answered_again(AppendResult result) {
  if (auto* reused = std::get_if<KeyReused>(&result)) return std::move(*reused);
  auto& first = std::get<Appended>(result);
  if (first.first != Position{}) return std::move(first);
  return Rejected<typename Decider::Rejection>{Decider::decode_rejection(first.outcome), first.version, true};
}

template <typename Decider>
std::optional<CommandIdentity> identity_under_key(const typename Decider::Command& command,
                                                  const ExecuteOptions& options) {
  if (!options.idempotency_key) return std::nullopt;
  CommandIdentity identity = Decider::identify(command);
  if (options.stream_name == ExecuteOptions::StreamName::made_up) identity.make_up_stream();
  return identity;
}

}  // namespace detail

// Runs one command on one stream: reads it, decides, and appends, which blocks as EventLog::append(). A decision for no
// events is answered with an Appended whose `first` is 0; it is not remembered.
template <typename Decider>
[[nodiscard]] Outcome<Decider> execute(EventLog& log, const StreamId& stream, const typename Decider::Command& command,
                                       const ExecuteOptions& options) {
  static_assert(IdentifiesCommands<Decider>,
                "a decider says which command is which: give it `static CommandIdentity identify(const Command&)`");
  const auto identity = detail::identity_under_key<Decider>(command, options);
  if (identity) {
    auto again = log.find_command(*options.idempotency_key, stream, *identity);
    if (again) return detail::answered_again<Decider>(*std::move(again));
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

    auto result = log.append({.stream = stream,
                              .expected = ExpectedVersion::exactly(replayed.version),
                              .events = events,
                              .command_id = options.idempotency_key,
                              .identity = identity,
                              .outcome = std::move(outcome),
                              .projecting = options.projecting,
                              .correlation = options.correlation,
                              .snapshot = detail::due_snapshot(replayed)});
    if (const auto* appended = std::get_if<Appended>(&result)) {
      if (appended->duplicate) return detail::answered_again<Decider>(std::move(result));
      if (rejection != nullptr) return Rejected<typename Decider::Rejection>{std::move(*rejection), replayed.version};
      return *appended;
    }
    if (auto* reused = std::get_if<KeyReused>(&result)) return std::move(*reused);
    const auto conflict = std::get<Conflict>(result);
    if (options.expected.kind() == ExpectedVersion::Kind::exactly || attempt == decide_attempts_max) return conflict;
    catch_up(replayed, log, stream);
  }
}

}  // namespace freshet
