// Fuzz target: a line of an exported log, of either format, for `log import`.
#include "exchange/event_line.hpp"

#include <string>
#include <variant>

#include "exchange/base64.hpp"
#include "fuzz/fuzz.hpp"

namespace freshet::fuzz {
namespace {

using namespace exchange;

std::string written(const ExportedEvent& event, Format format) {
  return render_line(event, format, default_source);
}

// What the other format says of it is what this one says.
void check_format(const ExportedEvent& event, Format format, Format other) {
  const std::string line = written(event, format);
  ensure(is_utf8(line) && line.find('\n') == std::string::npos, "an event is one line of UTF-8");
  const auto again = parse_line(line);
  ensure(std::holds_alternative<ExportedEvent>(again), "a line that was written can be read");
  ensure(written(std::get<ExportedEvent>(again), format) == line, "a line is read as it was written");
  ensure(written(std::get<ExportedEvent>(again), other) == written(event, other), "no format loses anything");
}

void check_base64(std::string_view text) {
  ensure(decode_base64(encode_base64(text)) == text, "bytes are decoded as they were encoded");
  if (const auto bytes = decode_base64(text)) ensure(encode_base64(*bytes) == text, "bytes have one text alone");
}

}  // namespace

void check(std::string_view text) {
  check_base64(text);
  const auto parsed = parse_line(text);
  if (const auto* why = std::get_if<std::string>(&parsed)) return ensure_shown(*why);
  const auto& event = std::get<ExportedEvent>(parsed);
  check_format(event, Format::json_lines, Format::cloud_events);
  check_format(event, Format::cloud_events, Format::json_lines);
}

}  // namespace freshet::fuzz
