// What to read of the log: which events, in which direction, and how many.
//
// Threads: values.
// Failure: EventLog::read() answers what contradicts itself with Error `invalid`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

inline constexpr std::size_t all_events = static_cast<std::size_t>(-1);  // For events_max: no bound.
inline constexpr std::size_t all_bytes = static_cast<std::size_t>(-1);   // For bytes_max: no bound.

// In which order events come.
enum class Direction {
  forwards,   // The oldest event first.
  backwards,  // The newest first.
};

// In which form the data of events comes.
enum class EventForm {
  newest,    // Upcasters have brought it to the newest form.
  recorded,  // No upcaster was called: the data is what was appended.
};

// All zeros and nothings are the whole log. The last ten events of a category, say, the newest first:
// {.direction = Direction::backwards, .category = "order", .events_max = 10}.
struct LogRequest {
  // Between these positions. `after` is exclusive, so that a checkpoint can be passed as it is, and so is `until`, so
  // that a read backwards goes on from the last event that it has had. Nothing: to the end of the log, as it is when
  // the read begins. Beyond either end of the log there is nothing, and that is no error.
  Position after = {};
  std::optional<Position> until = std::nullopt;
  Direction direction = Direction::forwards;
  // At most one of these; neither is all events.
  std::optional<StreamId> stream = std::nullopt;
  std::optional<std::string> category = std::nullopt;
  std::size_t events_max = all_events;
  // Bounds the bytes of data and metadata, as they were recorded. The read ends with the event that reaches the bound,
  // so that one event comes however large it is.
  std::size_t bytes_max = all_bytes;
  EventForm form = EventForm::newest;
};

}  // namespace freshet
