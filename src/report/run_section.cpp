// Writes the section of a run in words and tables, for those too who cannot see the drawing.
#include "report/run_section.hpp"

#include <algorithm>

#include "report/glyphs.hpp"
#include "report/page.hpp"
#include "report/swimlanes.hpp"

namespace freshet::report {
namespace {

using scenario::Kind;
using scenario::Occurrence;
using scenario::Report;
using scenario::Window;

std::string counted(std::ptrdiff_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string facts(const Report& report) {
  const auto& timeline = report.timeline;
  const auto is_read = [](const Occurrence& occurrence) { return occurrence.kind == Kind::read; };
  const auto is_stale = [&](const Occurrence& occurrence) { return is_read(occurrence) && occurrence.stale; };
  const auto reads = std::count_if(timeline.begin(), timeline.end(), is_read);
  const auto stale = std::count_if(timeline.begin(), timeline.end(), is_stale);
  return counted(reads, "read") + ", " + std::to_string(stale) + " stale · " +
         counted(std::ssize(report.windows), "window") + " · " +
         (report.clock == scenario::ClockKind::real ? "real" : "virtual") + " clock · seed " +
         std::to_string(report.seed);
}

void write_windows(Markup& markup, const std::vector<Window>& windows) {
  if (windows.empty()) return;
  markup.open("ul", {{"class", "windows"}});
  for (const Window& window : windows) {
    const std::string version = "order " + window.order_id + ", version " + std::to_string(window.version.value) + ": ";
    markup.open("li").text(version);
    if (window.closed) {
      markup.text(milliseconds(window.opened) + " → " + milliseconds(*window.closed) +
                  ", the read model was stale for ");
      markup.element("strong", {}, milliseconds(*window.gap()));
    } else {
      markup.text("opened at " + milliseconds(window.opened) + ", still open when the run ended");
    }
    markup.close();
  }
  markup.close();
}

void write_row(Markup& markup, const Occurrence& occurrence, std::size_t number) {
  markup.open("tr", {{"data-row", static_cast<double>(number)}});
  markup.element("td", {{"class", "number"}}, milliseconds_number(occurrence.at));
  markup.open("td").open("svg", {{"viewBox", "-9 -9 18 18"}, {"width", 14}, {"height", 14}, {"aria-hidden", "true"}});
  draw_glyph(markup, occurrence);
  markup.close().text(who(occurrence)).close();
  markup.element("td", {}, occurrence.what);
  markup.element("td", {}, occurrence.order_id);
  markup.element("td", {{"class", "number"}},
                 occurrence.version.value == 0 ? "" : std::to_string(occurrence.version.value));
  markup.element("td", {{"class", occurrence.stale ? "stale-note" : ""}}, note_of(occurrence));
  markup.close();
}

void write_timeline(Markup& markup, const Report& report) {
  markup.open("table").element("caption", {}, "Timeline").open("thead").open("tr");
  markup.element("th", {{"class", "number"}, {"scope", "col"}}, "t (ms)");
  markup.element("th", {{"scope", "col"}}, "who").element("th", {{"scope", "col"}}, "what");
  markup.element("th", {{"scope", "col"}}, "order");
  markup.element("th", {{"class", "number"}, {"scope", "col"}}, "version").element("th", {{"scope", "col"}}, "note");
  markup.close().close().open("tbody");
  for (std::size_t row = 0; row < report.timeline.size(); ++row) write_row(markup, report.timeline[row], row + 1);
  markup.close().close();
}

}  // namespace

void write_run(Markup& markup, const Report& report, std::string_view heading, std::string_view id) {
  markup.open("section", {{"id", id}, {"data-run", report.name}});
  markup.open(heading).text(report.name + " ");
  markup.element("span", {{"class", report.passed ? "verdict passed" : "verdict failed"}},
                 report.passed ? "passed" : "failed");
  markup.close();
  if (!report.point.empty()) markup.element("p", {{"class", "point"}}, report.point);
  if (!report.passed) markup.element("p", {{"class", "failure"}}, report.failure);
  markup.element("p", {{"class", "facts"}}, facts(report));
  if (report.timeline.empty()) {
    markup.element("p", {}, "Nothing happened in this run.");
  } else {
    draw_swimlanes(markup, report);
    write_windows(markup, report.windows);
    write_timeline(markup, report);
  }
  markup.close();
}

}  // namespace freshet::report
