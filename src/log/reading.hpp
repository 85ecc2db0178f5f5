// Reading events as a request asks for them, and where a stream is at a position.
#pragma once

#include <vector>

#include "freshet/event.hpp"
#include "freshet/log_request.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// What was read, as it was recorded.
struct Read {
  std::vector<RecordedEvent> events;
  bool full = false;  // A bound was reached: there may be more.
};

// As EventLog::read(), on the connection's present snapshot. A damaged event, and one that is missing among those that
// are looked at, is Error `corrupt`.
[[nodiscard]] Read read(sqlite::Connection& connection, const LogRequest& request);

}  // namespace freshet::log
