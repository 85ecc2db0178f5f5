// Events as lines of JSON, in which nothing of them is lost: what is written and read again is the same to
// the byte.
//
// JSON Lines, with what is absent or usual left out:
//   {"position": 1, "stream": "order/123", "version": 1, "type": "OrderCreated",
//    "occurred_at": "2017-10-02T10:56:33.000000Z", "recorded_at": "...", "content_type": "image/png",
//    "data": {...} | "data_base64": "...", "metadata": {...} | "metadata_base64": "...",
//    "correlation_id": "...", "causation_id": "...", "append_end": 3,
//    "idempotency_key": "...", "idempotency_command": "pay", "idempotency_arguments": "32 hexadecimal digits",
//    "idempotency_outcome": "..."}
// CloudEvents 1.0 (JSON event format): id is the position, subject the stream, time when it occurred; the rest
// is in the extensions streamversion, recordedat, metadata (the JSON as a text) or metadatabase64, correlationid,
// causationid, appendend, idempotencykey, idempotencycommand, idempotencyarguments and idempotencyoutcome.
// streamversion and appendend are Strings, because an Integer has 32 bits there.
//
// The ids of a correlation are left out where the metadata name the same ones, and are null where they name some that
// are not the event's. The end of an append is left out where the event is its last.
//
// JSON stands as it is where writing it again gives the same bytes. All else is Base64.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "freshet/event_log.hpp"

namespace freshet::exchange {

enum class Format { json_lines, cloud_events };

// Where CloudEvents come from, if nobody says. It is the same for every store, because an imported event is
// the same event.
inline constexpr const char* default_source = "/freshet";

// A line longer than that holds no event: data and metadata at their largest, in Base64.
inline constexpr std::size_t line_bytes_max = 4 * event_data_bytes_max;

// JSON nested deeper than that goes as Base64, and is refused outside of it.
inline constexpr int nesting_max = 100;

// One line, without its end. `source` is for CloudEvents.
[[nodiscard]] std::string render_line(const ExportedEvent& exported, Format format, const std::string& source);

// Of either format. A text: why it is none of them.
[[nodiscard]] std::variant<ExportedEvent, std::string> parse_line(std::string_view line);

}  // namespace freshet::exchange
