// What stands behind the opaque handles of the C interface.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "freshet/freshet.h"
#include "freshet/store.hpp"

struct freshet_options {
  freshet::StoreOptions options;
};

struct freshet_store {
  freshet::Store store;
};

struct freshet_events {
  std::vector<freshet::RecordedEvent> events;
};

struct freshet_reading {
  freshet::Reading reading;
};

struct freshet_rows {
  freshet::Rows rows;
  std::deque<std::string> texts;  // Handed out of the current row; C wants a zero at the end.
};

struct freshet_tables {
  freshet::Tables& tables;
};

namespace freshet::c {

// What a freshet_news points to.
class ShownNews {
 public:
  explicit ShownNews(EventBatch batch);
  explicit ShownNews(Changes changes);

  // Valid as long as this object stays where it is.
  [[nodiscard]] freshet_news news() const;

 private:
  std::variant<freshet_events, std::vector<freshet_change>> shown_;
  std::vector<Change> changes_;  // Whose names are shown.
  Position through_;
  Position head_;
};

}  // namespace freshet::c

struct freshet_subscription {
  std::variant<freshet::Subscription<freshet::EventBatch>, freshet::Subscription<freshet::Changes>> subscription;
  std::optional<freshet::c::ShownNews> taken = std::nullopt;
};

namespace freshet::c {

[[nodiscard]] freshet_event event_of(const RecordedEvent& event);

// Hands the parameters on to `run`, which takes Values; borrowed as they were.
[[nodiscard]] std::vector<Value> values_of(const freshet_value* values, std::size_t count);

}  // namespace freshet::c
