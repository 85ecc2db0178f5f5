// Events: facts, named in the past tense, as an application hands them in and as the log gives them
// back.
//
// Threads: values.
// Failure: EventLog::append answers events outside these bounds with Error `invalid`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "freshet/correlation.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// The longest event type, such as "OrderCreated".
inline constexpr std::size_t event_type_bytes_max = 255;

// The largest `data` or `metadata` of one event. Larger things are documents; keep them in a file and their name in the
// event.
inline constexpr std::size_t event_data_bytes_max = std::size_t{8} << 20U;

// The longest content type, such as "application/json".
inline constexpr std::size_t content_type_bytes_max = 255;

// An event that is not recorded yet.
struct NewEvent {
  std::string type;  // Not empty, UTF-8.
  // The form of `data`, from 1. Raise it with the form, and register an Upcaster from the old one: other versions than
  // the newest that the store knows are Error `invalid`.
  int schema_version = 1;
  // What happened. With the content type "application/json" it must be UTF-8, is stored as text and
  // can be read by a person with `sqlite3`; any other content type is stored as bytes.
  std::string data;
  std::string content_type = "application/json";  // Not empty, UTF-8, up to content_type_bytes_max.
  // About the event rather than of it: who, why, from where. JSON; empty means none.
  std::string metadata = {};
  // When it happened, in the years 1678 to 2261; what the clock shows if not given. Imports give it.
  std::optional<Timestamp> occurred_at = std::nullopt;
  // What it belongs to and what led to it; that of its Append if not given.
  std::optional<Correlation> correlation = std::nullopt;
};

// An event as the log holds it. Its checksum was compared when it was read.
struct RecordedEvent {
  Position position;
  Version version;
  StreamId stream;
  // The store's own number for the stream: small, never reused, the same for the life of the file. A
  // read table keyed by it is several times cheaper to update than one keyed by text.
  std::int64_t stream_number = 0;
  std::string type;
  int schema_version = 1;
  std::string data;
  std::string content_type;
  std::string metadata;
  Timestamp occurred_at;
  // Never below that of the position before, whatever is done to the system's clock: where that was set back it is
  // ahead of the clock, and StoreOptions::on_notice is told.
  Timestamp recorded_at;
  // Nothing: none was given. Of events that format 3 holds, what their metadata name as "correlation_id" and
  // "causation_id", if both are there.
  std::optional<Correlation> correlation = std::nullopt;
  // The last position of the append that recorded it, so that a copy of the log can take whole appends. Its own where
  // it is the last one, and where that was not noted, as in format 3.
  Position append_end;
};

}  // namespace freshet
