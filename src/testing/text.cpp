// Events and rows as lines, and the comparison of lines.
#include <algorithm>
#include <string>

#include "freshet/testing.hpp"

namespace freshet::testing {
namespace {

// Each line of `lines`, marked where `others` has none of it to spare.
std::string marked(const std::vector<std::string>& lines, std::vector<std::string> others, char mark) {
  if (lines.empty()) return "    (nothing)\n";
  std::string text;
  for (const std::string& line : lines) {
    const auto found = std::find(others.begin(), others.end(), line);
    text += found == others.end() ? std::string("  ") + mark + ' ' : "    ";
    text += line + '\n';
    if (found != others.end()) others.erase(found);
  }
  return text;
}

}  // namespace

std::string text_of(const NewEvent& event) {
  std::string text = event.type;
  if (event.schema_version > 1) text += " (schema version " + std::to_string(event.schema_version) + ")";
  text += ' ' + event.data;
  if (!event.metadata.empty()) text += " metadata " + event.metadata;
  if (event.correlation) {
    text += " of " + event.correlation->correlation_id + " because of " + event.correlation->causation_id;
  }
  return text;
}

void compare(const std::string& what, const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  if (expected == found) return;
  throw Difference(what + ": not as expected\n  expected:\n" + marked(expected, found, '-') + "  found:\n" +
                   marked(found, expected, '+'));
}

RecordedEvent recorded(const NewEvent& event, const StreamId& stream, Version version) {
  return {.position = Position{version.value},
          .version = version,
          .stream = stream,
          .stream_number = 1,
          .type = event.type,
          .schema_version = event.schema_version,
          .data = event.data,
          .content_type = event.content_type,
          .metadata = event.metadata,
          .occurred_at = event.occurred_at.value_or(Timestamp{}),
          .recorded_at = {},
          .correlation = event.correlation,
          .append_end = Position{version.value}};
}

std::vector<std::string> rows_of(Reading& reading, std::string_view sql) {
  std::vector<std::string> lines;
  Rows rows = reading.query(sql);
  while (rows.next()) {
    std::string line;
    for (int column = 0; column < rows.columns(); ++column) {
      if (column > 0) line += " | ";
      line += rows.is_null(column) ? std::string_view{"null"} : rows.text(column);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace freshet::testing
