// Where the news of one subscription come from: reads of the file that go on where the last one ended.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "freshet/subscription.hpp"
#include "log/upcasting.hpp"
#include "sqlite/connection.hpp"

namespace freshet::subscription {

template <typename News>
class Feed {
 public:
  Feed() = default;
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  virtual ~Feed() = default;

  // What came after the last news; nothing if there is nothing yet, or if it is behind.
  [[nodiscard]] virtual std::optional<News> next(sqlite::Connection& connection) = 0;

  // The file holds more than was looked at.
  [[nodiscard]] virtual bool is_behind() const = 0;
};

// Events in position order. One look is bounded, so that a rare category does not keep others waiting.
class EventFeed final : public Feed<EventBatch> {
 public:
  // Throws Error `invalid` if the request breaks a bound, and if it begins where this log has no place.
  EventFeed(EventsRequest request, std::shared_ptr<const log::Upcasting> upcasting, sqlite::Connection& connection);

  [[nodiscard]] std::optional<EventBatch> next(sqlite::Connection& connection) override;
  [[nodiscard]] bool is_behind() const override { return position_ < head_; }

 private:
  // Of a category, in one look: some milliseconds, even if it has none there.
  static constexpr std::int64_t look_events_max = 10'000;

  EventsRequest request_;
  std::shared_ptr<const log::Upcasting> upcasting_;
  Position position_;  // Everything up to here was looked at.
  Position head_;
};

// How far projections are.
class ChangeFeed final : public Feed<Changes> {
 public:
  // Throws Error `invalid` if there is no such projection.
  ChangeFeed(ChangesRequest request, sqlite::Connection& connection);

  [[nodiscard]] std::optional<Changes> next(sqlite::Connection& connection) override;
  [[nodiscard]] bool is_behind() const override { return false; }

 private:
  ChangesRequest request_;
  std::vector<std::optional<std::int64_t>> revisions_;  // As told last, of each projection.
};

// What newer news do to those that nobody has taken yet. Events are never left out, so they wait.
[[nodiscard]] constexpr bool can_merge(const EventBatch& /*waiting*/) {
  return false;
}
[[nodiscard]] constexpr bool can_merge(const Changes& /*waiting*/) {
  return true;
}
void merge(EventBatch& waiting, EventBatch newer);
void merge(Changes& waiting, Changes newer);

}  // namespace freshet::subscription
