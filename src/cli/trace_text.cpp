// Words for what happens to events.
#include "cli/trace_text.hpp"

#include <fmt/format.h>

#include "base/ensure.hpp"

namespace freshet::cli {

std::string trace_text(const Trace& trace) {
  const std::int64_t position = trace.event ? trace.event->position.value : 0;
  switch (trace.kind) {
    case Trace::Kind::appended:
      return fmt::format("appended: position {}, {} of {}/{}, version {}", position, trace.event->type,
                         trace.event->stream.category, trace.event->stream.id, trace.event->version.value);
    case Trace::Kind::delivered:
      if (trace.attempt == 1) return fmt::format("delivered: position {}", position);
      return fmt::format("delivered again: position {}, attempt {}", position, trace.attempt);
    case Trace::Kind::applied:
      return fmt::format("applied: position {} to {}{}", position, trace.projection,
                         trace.synchronous ? ", with the append" : "");
    case Trace::Kind::skipped:
      return fmt::format("skipped: position {}, which {} has already", position, trace.projection);
    case Trace::Kind::offsets_committed:
      return "the projector's offsets are committed";
    case Trace::Kind::crashed:
      return "the projector has died";
    case Trace::Kind::restarted:
      return "the projector runs here, and goes on from the offsets that were committed";
  }
  ensure(false, "a kind of trace is one of its enumerators");
  return {};
}

std::string opened_text(Store& store) {
  std::string text = fmt::format("opened: {} events", store.log().head().value);
  for (const ProjectionStatus& projection : store.projections()) {
    text += fmt::format("; {} is at position {}, {} behind", projection.name, projection.position.value,
                        projection.behind_events);
  }
  return text;
}

}  // namespace freshet::cli
