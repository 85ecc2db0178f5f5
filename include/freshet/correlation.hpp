// Which events belong together, and what led to which: two ids in an event's metadata, as the members
// "correlation_id" and "causation_id" of its JSON object.
//
// The correlation id is the same in everything that follows from one beginning, such as a click or a request. The
// causation id names the one thing that led here directly: a command, by an id of the application's, or an event.
//
//   execute<Invoices>(log, {"invoice", "7"}, Send{}, {.correlation = follow_up(order_shipped)});
//
// Threads: values. Failure: with_correlation() throws Error `invalid` for ids outside their bounds and for metadata
// that is no JSON object.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "freshet/event.hpp"

namespace [[gnu::visibility("default")]] freshet {

// Both: 1 to correlation_id_bytes_max bytes of UTF-8.
struct Correlation {
  std::string correlation_id;
  std::string causation_id;
};

// Room for the name of an event, see event_id().
inline constexpr std::size_t correlation_id_bytes_max = 1'024;

// The event's ids; nothing if its metadata does not hold both, as texts.
[[nodiscard]] std::optional<Correlation> correlation_of(const RecordedEvent& event);

// An event's name as a causation id: "order/123@3" is the third event of the stream order/123.
[[nodiscard]] std::string event_id(const RecordedEvent& event);

// For what follows from `cause`: caused by it, and of its correlation; one that has none begins one.
[[nodiscard]] Correlation follow_up(const RecordedEvent& cause);

// The metadata with the ids in it; as it is, if it names one of them already. What Append::correlation does.
[[nodiscard]] std::string with_correlation(std::string_view metadata, const Correlation& correlation);

}  // namespace freshet
