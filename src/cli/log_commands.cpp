// The group `log`: show, verify. The rest of it is in exchange_commands.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iterator>

#include "cli/commands.hpp"
#include "cli/stream_meant.hpp"
#include "cli/text.hpp"
#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

// Events held in memory at a time: enough that the query costs little, and few enough for any log.
constexpr std::size_t slice_events_max = 500;

// Reads on, slice by slice, in the whole log or in one stream.
class Reader {
 public:
  // The log is entered at the position; a stream has to be read from its start.
  Reader(EventLog& log, std::optional<StreamId> stream, Position from)
      : log_(log), stream_(std::move(stream)), position_{from.value - 1} {}

  [[nodiscard]] std::vector<RecordedEvent> next() {
    if (!stream_) {
      auto events = log_.read_all(position_, slice_events_max);
      if (!events.empty()) position_ = events.back().position;
      return events;
    }
    while (true) {
      auto events = log_.read_stream(*stream_, version_, slice_events_max);
      if (events.empty()) return events;
      version_ = events.back().version;
      std::erase_if(events, [this](const RecordedEvent& event) { return event.position <= position_; });
      if (!events.empty()) return events;
    }
  }

 private:
  EventLog& log_;
  const std::optional<StreamId> stream_;
  Position position_;
  Version version_;
};

// Hands over `events`, up to what is left of the limit. False: the listener has gone or has had enough.
bool show(std::vector<RecordedEvent> events, std::optional<std::int64_t>& left, Session& session) {
  for (RecordedEvent& event : events) {
    if (left && *left == 0) return false;
    if (!session.answer(LogEvent{std::move(event)})) return false;
    if (left) --*left;
  }
  return !left || *left > 0;
}

Result show_what_is_there(const ShowLog& request, EventLog& log, Session& session) {
  std::optional<StreamId> stream = request.stream;
  if (stream) stream = streams_meant(*stream, log).front();
  if (stream && log.version(*stream) == Version{}) {
    return not_found_failure(fmt::format("no such stream '{}/{}'", stream->category, stream->id));
  }
  // As following it from there would be: a place that was kept from before a backup was restored, perhaps.
  if (const Position head = log.head(); request.from.value - 1 > head.value) {
    return usage_failure(fmt::format("there is no position {} yet, the log ends at {}: give --from a lower one",
                                     request.from.value, head.value));
  }
  Reader reader{log, std::move(stream), request.from};
  std::optional<std::int64_t> left = request.limit;
  while (session.interrupted() == 0) {
    auto events = reader.next();
    if (events.empty() || !show(std::move(events), left, session)) return std::nullopt;
  }
  return interrupted_failure(session.interrupted(), "interrupted: the log was not shown to its end");
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
  Position through{request.from.value - 1};
  std::vector<StreamId> streams;
  if (request.stream) streams = streams_meant(*request.stream, store.log());
  EventsRequest events{.after = through};
  // As long as it is open which of two streams there will be, all are looked at.
  if (streams.size() == 1) events.stream = streams.front();
  auto subscription = store.subscribe_to_events(std::move(events));
  std::optional<std::int64_t> left = request.limit;
  while (session.wait_for(subscription.descriptor())) {
    if (auto batch = subscription.take()) {
      through = batch->through;
      if (!streams.empty()) keep_streams(batch->events, streams);
      if (!show(std::move(batch->events), left, session)) return std::nullopt;
    } else if (const auto reason = subscription.ended()) {
      static_cast<void>(store.log().read_all(through, batch_events_max));  // Throws what has ended it.
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
