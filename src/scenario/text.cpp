// Lays out the timeline in columns.
#include "scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::scenario {
namespace {

std::string milliseconds(Duration duration) {
  return fmt::format("{:.2f}", static_cast<double>(duration.count()) / 1e3);
}

std::string who(const Occurrence& occurrence) {
  if (!occurrence.client.empty()) return "client " + occurrence.client;
  std::string actor = name(occurrence.actor);
  std::ranges::replace(actor, '_', ' ');
  return actor;
}

struct Widths {
  std::size_t time = 7;
  std::size_t actor = 10;
};

Widths widths_of(const Report& report) {
  Widths widths;
  for (const Occurrence& occurrence : report.timeline) {
    widths.time = std::max(widths.time, milliseconds(occurrence.at).size());
    widths.actor = std::max(widths.actor, who(occurrence).size());
  }
  return widths;
}

std::string line_of(const Occurrence& occurrence, const Widths& widths, const Marks& marks) {
  const std::string time = fmt::format("t={:>{}} ms  ", milliseconds(occurrence.at), widths.time);
  if (occurrence.kind == Kind::said) {
    return fmt::format("{}{}\n", std::string(time.size(), ' '), marks.faint("# " + occurrence.what));
  }
  return fmt::format("{}{:<{}}{}{}\n", marks.faint(time), who(occurrence), widths.actor + 3, occurrence.what,
                     occurrence.stale ? "   " + marks.stale("STALE") : "");
}

std::string gap_of(const Window& window, bool is_only, const Marks& marks) {
  const std::string which = is_only ? "" : fmt::format("order {}, version {}: ", window.order_id, window.version.value);
  const std::string opened = milliseconds(window.opened);
  if (!window.closed) {
    return fmt::format("{} {}{} ms -> open, the read model was still stale when the run ended\n", marks.strong("gap:"),
                       which, opened);
  }
  return fmt::format("{} {}{} ms -> {} ms, the read model was stale for {} ms\n", marks.strong("gap:"), which, opened,
                     milliseconds(*window.closed), milliseconds(*window.gap()));
}

}  // namespace

std::string render_text(const Report& report, const Marks& marks) {
  const Widths widths = widths_of(report);
  std::string text;
  for (const Occurrence& occurrence : report.timeline) text += line_of(occurrence, widths, marks);
  for (const Window& window : report.windows) text += gap_of(window, report.windows.size() == 1, marks);
  if (report.windows.empty() && !report.timeline.empty()) {
    text += fmt::format("{} none, the read model was never stale\n", marks.strong("gap:"));
  }
  if (!report.point.empty()) text += marks.strong(report.point) + "\n";
  return text;
}

}  // namespace freshet::scenario
