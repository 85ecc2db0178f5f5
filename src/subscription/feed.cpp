// Reading on in the log, and comparing the projections' revisions.
#include "subscription/feed.hpp"

#include <algorithm>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/event_rows.hpp"
#include "log/format.hpp"
#include "log/reading.hpp"
#include "projection/catalog.hpp"

namespace freshet::subscription {
EventFeed::EventFeed(EventsRequest request, std::shared_ptr<const log::Upcasting> upcasting,
                     sqlite::Connection& connection)
    : request_(std::move(request)), upcasting_(std::move(upcasting)), position_(std::max(request_.after, Position{})) {
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
  LogRequest look{.after = position_,
                  .until = Position{head_.value + 1},
                  .stream = request_.stream,
                  .category = request_.category,
                  .events_max = request_.events_max,
                  .bytes_max = batch_bytes_max};
  if (look.category) look.until = std::min(*look.until, Position{position_.value + look_events_max + 1});
  auto [events, full] = log::read(connection, look);
  // Between the last one and where the look ended there is nothing that was asked for.
  position_ = full ? events.back().position : Position{look.until->value - 1};
  if (events.empty()) return std::nullopt;
  for (RecordedEvent& event : events) upcasting_->upcast(event);
  return EventBatch{
      .events = std::move(events), .through = position_, .epoch = log::identity_of(connection).epoch, .head = head_};
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
