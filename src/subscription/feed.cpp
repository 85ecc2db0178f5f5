// Reading on in the log, and comparing the projections' revisions.
#include "subscription/feed.hpp"

#include <algorithm>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "log/format.hpp"
#include "projection/catalog.hpp"

namespace freshet::subscription {
namespace {

// The stream's version at a position of the log.
Version version_at(sqlite::Connection& connection, std::int64_t stream_number, Position position) {
  sqlite::Run run(connection.statement("SELECT version FROM events WHERE stream = ? AND position <= ? "
                                       "ORDER BY version DESC LIMIT 1"),
                  stream_number, position.value);
  return run.next() ? Version{run.integer(0)} : Version{};
}

}  // namespace

EventFeed::EventFeed(EventsRequest request, std::shared_ptr<const log::Upcasting> upcasting,
                     sqlite::Connection& connection)
    : request_(std::move(request)), upcasting_(std::move(upcasting)), position_(request_.after) {
  if (request_.stream && request_.category) {
    throw Error(ErrorCode::invalid, "a subscription is to one stream or to one category, not to both");
  }
  if (request_.events_max < 1 || request_.events_max > batch_events_max) {
    throw Error(ErrorCode::invalid, "a batch of events holds 1 to " + std::to_string(batch_events_max));
  }
  const sqlite::Transaction snapshot(connection, sqlite::Transaction::Kind::read);
  log::check_place(connection, request_.after, request_.epoch);
}

std::optional<EventBatch> EventFeed::next(sqlite::Connection& connection) {
  const sqlite::Transaction snapshot(connection, sqlite::Transaction::Kind::read);
  head_ = log::last_of_log(connection).position;
  if (!is_behind()) return std::nullopt;
  EventBatch batch{.events = {}, .through = {}, .epoch = log::identity_of(connection).epoch, .head = head_};
  batch_bytes_ = 0;
  if (request_.stream) {
    read_stream(connection, batch);
  } else {
    read_log(connection, batch);
  }
  batch.through = position_;
  return batch.events.empty() ? std::nullopt : std::optional(std::move(batch));
}

void EventFeed::read_log(sqlite::Connection& connection, EventBatch& batch) {
  for (std::size_t looked_at = 0; is_behind() && looked_at < look_events_max && slice(batch) > 0;) {
    auto events = log::read_all(connection, position_, slice(batch));
    ensure(!events.empty(), "below the head of the log there are events");
    looked_at += events.size();
    position_ = events.back().position;
    for (RecordedEvent& event : events) {
      if (!request_.category || event.stream.category == *request_.category) add(batch, std::move(event));
    }
  }
}

void EventFeed::read_stream(sqlite::Connection& connection, EventBatch& batch) {
  const auto stream_number = log::find_stream(connection, *request_.stream);
  if (stream_number && !version_) version_ = version_at(connection, *stream_number, position_);
  while (is_behind() && slice(batch) > 0) {
    const std::size_t events_max = slice(batch);
    auto events = stream_number ? log::read_stream(connection, *request_.stream, *version_, events_max)
                                : std::vector<RecordedEvent>{};
    // Between its last event and the head there is nothing of this stream.
    position_ = events.size() < events_max ? head_ : events.back().position;
    for (RecordedEvent& event : events) {
      version_ = event.version;
      add(batch, std::move(event));
    }
  }
}

std::size_t EventFeed::slice(const EventBatch& batch) const {
  if (batch_bytes_ >= batch_bytes_max) return 0;
  return std::min(slice_events_max, request_.events_max - batch.events.size());
}

void EventFeed::add(EventBatch& batch, RecordedEvent event) {
  upcasting_->upcast(event);
  batch_bytes_ += event.data.size() + event.metadata.size();
  batch.events.push_back(std::move(event));
}

ChangeFeed::ChangeFeed(ChangesRequest request, sqlite::Connection& connection)
    : request_(std::move(request)), revisions_(request_.projections.size()) {
  if (request_.projections.empty()) {
    throw Error(ErrorCode::invalid, "a subscription to changes names at least one projection");
  }
  for (const std::string& name : request_.projections) {
    if (!projection::find_entry(connection, name)) {
      throw Error(ErrorCode::invalid, "there is no projection '" + name + "' in this store");
    }
  }
}

std::optional<Changes> ChangeFeed::next(sqlite::Connection& connection) {
  const sqlite::Transaction snapshot(connection, sqlite::Transaction::Kind::read);
  Changes changes;
  for (std::size_t index = 0; index < revisions_.size(); ++index) {
    const auto entry = projection::find_entry(connection, request_.projections[index]);
    ensure(entry.has_value(), "a registered projection keeps its row");
    if (std::exchange(revisions_[index], entry->revision) != entry->revision) {
      changes.projections.push_back({request_.projections[index], entry->checkpoint});
    }
  }
  if (changes.projections.empty()) return std::nullopt;
  changes.head = log::last_of_log(connection).position;
  return changes;
}

void merge(EventBatch& /*waiting*/, EventBatch /*newer*/) {
  ensure(false, "a batch of events waits until it is taken");
}

void merge(Changes& waiting, Changes newer) {
  waiting.head = newer.head;
  for (Change& change : newer.projections) {
    const auto found = std::ranges::find(waiting.projections, change.projection, &Change::projection);
    if (found == waiting.projections.end()) {
      waiting.projections.push_back(std::move(change));
    } else {
      *found = std::move(change);
    }
  }
}

}  // namespace freshet::subscription
