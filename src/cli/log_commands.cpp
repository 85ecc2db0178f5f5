// The group `log`: show, verify. The rest of it is in exchange_commands.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/stream_meant.hpp"
#include "cli/text.hpp"
#include "freshet/error.hpp"
#include "freshet/event_range.hpp"

namespace freshet::cli {
namespace {

// The events that are asked for of the log as it ends at `head`, those of `stream` if there is one.
LogRequest events_of(const ShowLog& request, const EventLog& log, std::optional<StreamId> stream, Position head,
                     Session& session) {
  LogRequest events{.after = Position{request.from.value - 1},
                    .until = Position{head.value + 1},
                    .stream = std::move(stream),
                    .category = request.category,
                    .events_max = request.limit.value_or(all_events)};
  if (!request.last) return events;
  LogRequest last = events;
  last.direction = Direction::backwards;
  last.events_max = *request.last;
  events.after = head;
  for (const RecordedEvent& event : EventRange(log, std::move(last))) {
    events.after = Position{event.position.value - 1};
    if (session.interrupted() != 0) break;
  }
  return events;
}

Result show_what_is_there(const ShowLog& request, EventLog& log, Session& session) {
  const Position head = log.head();
  std::optional<StreamId> stream = request.stream;
  if (stream) stream = streams_meant(*stream, log).front();
  if (stream && log.version(*stream) == Version{}) {
    return not_found_failure(fmt::format("no such stream '{}/{}'", stream->category, stream->id));
  }
  if (request.category && log.read({.category = request.category, .events_max = 1}).empty()) {
    return not_found_failure(fmt::format("no such category '{}'", *request.category));
  }
  // As following it from there would be: a place that was kept from before a backup was restored, perhaps.
  if (request.from.value - 1 > head.value) {
    return usage_failure(fmt::format("there is no position {} yet, the log ends at {}: give --from a lower one",
                                     request.from.value, head.value));
  }
  for (RecordedEvent& event : EventRange(log, events_of(request, log, std::move(stream), head, session))) {
    if (session.interrupted() != 0) {
      return interrupted_failure(session.interrupted(), "interrupted: the log was not shown to its end");
    }
    if (!session.answer(LogEvent{std::move(event)})) break;
  }
  return std::nullopt;
}

// Hands over `events`, up to what is left of the limit. False: the listener has gone or has had enough.
bool show(std::vector<RecordedEvent> events, std::size_t& left, Session& session) {
  for (RecordedEvent& event : events) {
    if (left-- == 0 || !session.answer(LogEvent{std::move(event)})) return false;
  }
  return left > 0;
}

// Leaves the events of one of the streams; of the first one that has any, if that was open until now.
void keep_streams(std::vector<RecordedEvent>& events, std::vector<StreamId>& streams) {
  const auto is_kept = [&](const RecordedEvent& event) {
    return std::ranges::find(streams, event.stream) != streams.end();
  };
  const auto first = std::ranges::find_if(events, is_kept);
  if (first != events.end()) streams = {StreamId{first->stream}};
  std::erase_if(events, [&](const RecordedEvent& event) { return !is_kept(event); });
}

Result follow(const ShowLog& request, Store& store, Session& session) {
  EventLog& log = store.log();
  // Before anything else is looked up: what comes meanwhile is followed.
  const Position head = log.head();
  std::vector<StreamId> streams;
  if (request.stream) streams = streams_meant(*request.stream, log);
  // As long as it is open which of two streams there will be, all are looked at.
  const std::optional<StreamId> stream = streams.size() == 1 ? std::optional{streams.front()} : std::nullopt;
  Position through = events_of(request, log, streams.empty() ? stream : streams.front(), head, session).after;
  auto subscription = store.subscribe_to_events({.after = through, .stream = stream, .category = request.category});
  std::size_t left = request.limit.value_or(all_events);
  while (session.wait_for(subscription.descriptor())) {
    if (auto batch = subscription.take()) {
      through = batch->through;
      if (!streams.empty()) keep_streams(batch->events, streams);
      if (!show(std::move(batch->events), left, session)) return std::nullopt;
    } else if (const auto reason = subscription.ended()) {
      // Throws what has ended it.
      static_cast<void>(
          log.read({.after = through, .stream = stream, .category = request.category, .events_max = batch_events_max}));
      throw Error(ErrorCode::io, fmt::format("cannot follow the log: {}", *reason));
    }
  }
  // Ctrl-C is how a followed log is meant to end; anything else that is asked to end says so.
  const int signal = session.interrupted();
  if (signal == 0 || signal == SIGINT) return std::nullopt;
  return interrupted_failure(signal, "interrupted: the log is not followed any more");
}

}  // namespace

Result run_request(const ShowLog& request, Session& session) {
  Store& store = session.store(OpenMode::read_only, Engine::off);
  if (request.follow == Follow::yes) return follow(request, store, session);
  return show_what_is_there(request, store.log(), session);
}

Result run_request(const VerifyLog& /*request*/, Session& session) {
  Store& store = session.store(OpenMode::read_only, Engine::off);
  Verification found;
  try {
    found = store.verify([&session](std::int64_t done, std::int64_t total) {
      session.progress("verify", done, total);
      return session.interrupted() == 0;
    });
  } catch (const Error&) {
    if (session.interrupted() == 0) throw;
    return interrupted_failure(session.interrupted(), "interrupted: the file was not verified to its end");
  }
  if (found.problems.empty()) {
    session.answer(found);
    return std::nullopt;
  }
  return Failure{
      .exit_code = static_cast<int>(Exit::corrupt),
      .code = "corrupt",
      .message = fmt::format("the file is damaged: {} in {} of {}: mend what can be mended, or go back to a backup",
                             counted(std::ssize(found.problems), "problem"), counted(found.events, "event"),
                             counted(found.streams, "stream")),
      .details = {{"events", found.events}, {"streams", found.streams}, {"problems", found.problems}},
      .remarks = found.problems};
}

}  // namespace freshet::cli
