// Which rows a request means. A category has no index of its own, which each append would have to write: its events are
// looked for in the log, and where they turn out to be rare, their streams are merged.
#include "log/reading.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"

namespace freshet::log {
namespace {

// Positions of the log, or versions of a stream, without the two bounds. All of them are there.
struct Span {
  std::int64_t after = 0;
  std::int64_t until = 1;

  [[nodiscard]] bool has(std::int64_t number) const { return number > after && number < until; }
  [[nodiscard]] std::int64_t size() const { return std::max<std::int64_t>(until - after - 1, 0); }

  // Cuts off up to `count` of them, where a reader in this direction begins.
  [[nodiscard]] Span take(Direction direction, std::int64_t count) {
    count = std::min(count, size());
    if (direction == Direction::backwards)
      return {.after = until - count - 1, .until = std::exchange(until, until - count)};
    return {.after = std::exchange(after, after + count), .until = after + 1};
  }
};

class Reader {
 public:
  Reader(sqlite::Connection& connection, const LogRequest& request, Span positions)
      : connection_(connection), request_(request), positions_(positions) {}

  [[nodiscard]] Read read() {
    if (positions_.size() > 0 && !is_full()) {
      if (request_.stream) {
        read_stream();
      } else if (request_.category) {
        read_category();
      } else {
        read_log(positions_);
      }
    }
    const bool full = is_full();
    return {.events = std::move(events_), .full = full};
  }

 private:
  // Events that are looked at at a time, and how many of them are of the category as long as it is not a rare one: to
  // look at sixteen costs about as much as to merge one.
  static constexpr std::int64_t look_events = 1'000;
  static constexpr std::size_t look_events_found_min = look_events / 16;
  // What it costs to have one more stream in the merge, in events looked at.
  static constexpr std::int64_t events_a_stream = 4;

  // The next event of a stream in the merge.
  struct Next {
    Position position;
    std::int64_t stream;
    std::int64_t version;
    Span rest;
  };

  [[nodiscard]] bool is_full() const { return events_.size() >= request_.events_max || bytes_ >= request_.bytes_max; }

  void add(RecordedEvent event) {
    bytes_ += event.data.size() + event.metadata.size();
    events_.push_back(std::move(event));
  }

  void read_log(Span positions) {
    EventRows rows(connection_, positions.after, positions.until, request_.direction);
    while (!is_full() && rows.next()) {
      if (!request_.category || rows.category() == *request_.category) add(rows.event());
    }
  }

  void read_stream() {
    const auto number = find_stream(connection_, *request_.stream);
    if (!number) return;
    const Span versions = versions_of(*number);
    EventRows rows(connection_, *request_.stream, versions.after, versions.until, request_.direction);
    while (!is_full() && rows.next()) add(rows.event());
  }

  void read_category() {
    std::size_t found = 0;
    do {
      const std::size_t before = events_.size();
      read_log(positions_.take(request_.direction, look_events));
      if (is_full() || positions_.size() == 0) return;
      found = events_.size() - before;
    } while (found >= look_events_found_min);
    read_log(positions_.take(request_.direction, count_streams() * events_a_stream));
    if (!is_full() && positions_.size() > 0) merge_streams();
  }

  // Returns how many streams the category has, up to as many as it takes to look at all that is left.
  [[nodiscard]] std::int64_t count_streams() {
    sqlite::Run run(connection_.statement("SELECT count(*) FROM (SELECT 1 FROM streams WHERE category = ? LIMIT ?)"),
                    std::string_view{*request_.category}, positions_.size() / events_a_stream + 1);
    ensure(run.next(), "a count has a row");
    return run.integer(0);
  }

  void merge_streams() {
    const auto comes_later = [this](const Next& one, const Next& other) {
      return request_.direction == Direction::backwards ? one.position < other.position : one.position > other.position;
    };
    std::vector<Next> streams;
    const auto push = [&](std::int64_t stream, Span versions) {
      if (versions.size() == 0) return;
      const std::int64_t version = versions.take(request_.direction, 1).after + 1;
      streams.push_back({position_of(connection_, stream, Version{version}), stream, version, versions});
      std::ranges::push_heap(streams, comes_later);
    };
    for (const std::int64_t stream : streams_of_category()) push(stream, versions_of(stream));
    while (!is_full() && !streams.empty()) {
      std::ranges::pop_heap(streams, comes_later);
      const Next next = streams.back();
      streams.pop_back();
      add(event_at(next));
      push(next.stream, next.rest);
    }
  }

  [[nodiscard]] std::vector<std::int64_t> streams_of_category() {
    sqlite::Run run(connection_.statement("SELECT number FROM streams WHERE category = ?"),
                    std::string_view{*request_.category});
    std::vector<std::int64_t> numbers;
    while (run.next()) numbers.push_back(run.integer(0));
    return numbers;
  }

  // What the index of streams says of it is compared with the event.
  [[nodiscard]] RecordedEvent event_at(const Next& next) {
    const std::int64_t position = next.position.value;
    if (positions_.has(position)) {
      EventRows rows(connection_, position - 1, position + 1, Direction::forwards);
      ensure(rows.next(), "a row that is missing is an error");
      RecordedEvent event = rows.event();
      if (event.stream_number == next.stream && event.version == Version{next.version}) return event;
    }
    throw Error(ErrorCode::corrupt, "the event at position " + std::to_string(position) +
                                        " is of another stream or version than the index of streams says");
  }

  // Returns the versions that a stream has at the positions that are left.
  [[nodiscard]] Span versions_of(std::int64_t stream) {
    return {.after = version_at(connection_, stream, Position{positions_.after}).value,
            .until = version_at(connection_, stream, Position{positions_.until - 1}).value + 1};
  }

  sqlite::Connection& connection_;
  const LogRequest& request_;
  Span positions_;  // Those not looked at yet.
  std::vector<RecordedEvent> events_;
  std::size_t bytes_ = 0;
};

}  // namespace

Read read(sqlite::Connection& connection, const LogRequest& request) {
  if (request.stream && request.category) {
    throw Error(ErrorCode::invalid, "events are read of one stream or of one category, not of both");
  }
  Span positions{.after = std::max<std::int64_t>(request.after.value, 0),
                 .until = last_of_log(connection).position.value + 1};
  if (request.until) positions.until = std::min(positions.until, request.until->value);
  return Reader(connection, request, positions).read();
}

}  // namespace freshet::log
