// Which events belong together, and what led to which: two ids beside an event's data and metadata.
//
// The correlation id is the same in everything that follows from one beginning, such as a click or a request. The
// causation id names the one thing that led here directly: a command, by an id of the application's, or an event.
//
//   execute<Invoices>(log, {"invoice", "7"}, Send{}, {.correlation = follow_up(order_shipped)});
//
// Threads: values. Failure: none here; EventLog::append answers ids outside their bounds with Error `invalid`.
#pragma once

#include <cstddef>
#include <string>

namespace [[gnu::visibility("default")]] freshet {

struct RecordedEvent;

// Both: 1 to correlation_id_bytes_max bytes of UTF-8.
struct Correlation {
  std::string correlation_id;
  std::string causation_id;
  friend bool operator==(const Correlation&, const Correlation&) = default;
};

// Room for the name of an event, see event_id().
inline constexpr std::size_t correlation_id_bytes_max = 1'024;

// An event's name as a causation id: "order/123@3" is the third event of the stream order/123.
[[nodiscard]] std::string event_id(const RecordedEvent& event);

// For what follows from `cause`: caused by it, and of its correlation; one that has none begins one.
[[nodiscard]] Correlation follow_up(const RecordedEvent& cause);

}  // namespace freshet
