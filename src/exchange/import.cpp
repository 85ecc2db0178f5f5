// Lines into batches, batches into transactions.
#include "exchange/import.hpp"

#include <variant>
#include <vector>

#include "base/line_reader.hpp"
#include "exchange/event_line.hpp"
#include "freshet/error.hpp"

namespace freshet::exchange {
namespace {

struct NumberedEvent {
  std::int64_t line = 0;
  ExportedEvent exported;
};

// The events of the next batch, or the line that is none.
std::variant<std::vector<NumberedEvent>, Refusal> next_batch(LineReader& reader) {
  std::vector<NumberedEvent> batch;
  std::size_t bytes = 0;
  while (batch.size() < batch_lines_max && bytes < batch_bytes_max) {
    const auto text = reader.next();
    if (!text) break;
    if (reader.is_too_long()) {
      return Refusal{reader.number(), Refusal::Kind::malformed,
                     "longer than " + std::to_string(line_bytes_max) + " bytes"};
    }
    if (text->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    bytes += text->size();
    auto parsed = parse_line(*text);
    if (auto* why = std::get_if<std::string>(&parsed)) {
      return Refusal{reader.number(), Refusal::Kind::malformed, std::move(*why)};
    }
    batch.push_back({reader.number(), std::get<ExportedEvent>(std::move(parsed))});
  }
  return batch;
}

// Returns how many were appended; a refusal undoes the transaction.
std::variant<std::int64_t, Refusal> append(EventLog& log, const std::vector<NumberedEvent>& batch) {
  std::int64_t applied = 0;
  std::int64_t line = 0;
  try {
    log.write([&](AppendTransaction& transaction) {
      for (const NumberedEvent& event : batch) {
        line = event.line;
        if (transaction.import_event(event.exported)) ++applied;
      }
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid) throw;
    return Refusal{line, Refusal::Kind::misfit, error.what()};
  }
  return applied;
}

}  // namespace

Imported import_events(EventLog& log, std::istream& lines, const std::function<bool(std::int64_t lines)>& progress) {
  LineReader reader(lines, line_bytes_max);
  Imported imported;
  while (true) {
    auto batch = next_batch(reader);
    if (auto* refusal = std::get_if<Refusal>(&batch)) {
      imported.refusal = std::move(*refusal);
      return imported;
    }
    const auto& events = std::get<std::vector<NumberedEvent>>(batch);
    if (events.empty()) return imported;
    auto result = append(log, events);
    if (auto* refusal = std::get_if<Refusal>(&result)) {
      imported.refusal = std::move(*refusal);
      return imported;
    }
    imported.lines += static_cast<std::int64_t>(events.size());
    imported.applied += std::get<std::int64_t>(result);
    if (progress && !progress(imported.lines)) return imported;
  }
}

}  // namespace freshet::exchange
