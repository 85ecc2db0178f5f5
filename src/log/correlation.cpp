// The names of events as ids of what follows from them.
#include "freshet/correlation.hpp"

#include <utility>

#include "freshet/event.hpp"

namespace freshet {

std::string event_id(const RecordedEvent& event) {
  return event.stream.category + '/' + event.stream.id + '@' + std::to_string(event.version.value);
}

Correlation follow_up(const RecordedEvent& cause) {
  std::string id = event_id(cause);
  return {.correlation_id = cause.correlation ? cause.correlation->correlation_id : id, .causation_id = std::move(id)};
}

}  // namespace freshet
