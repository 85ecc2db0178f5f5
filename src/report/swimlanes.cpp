// Writes the drawing of a run as SVG, from its layout.
#include "report/swimlanes.hpp"

#include <algorithm>
#include <cmath>

#include "base/ensure.hpp"
#include "report/glyphs.hpp"
#include "report/page.hpp"
#include "report/swimlane_layout.hpp"

namespace freshet::report {
namespace {

using scenario::Kind;
using scenario::Occurrence;
using scenario::Report;

constexpr double axis_height = 44;
constexpr double label_height = 14;
constexpr double label_drop = 19;  // From a mark to the base line of its first label.
constexpr double bar_top = 7;
constexpr double bar_height = 18;
constexpr double glyph_radius = 8;
constexpr double downtime_height = 18;
constexpr double arrival_radius = 3;

std::string_view name_of(ArrowKind kind) {
  switch (kind) {
    case ArrowKind::answer:
      return "answer";
    case ArrowKind::send:
      return "send";
    case ArrowKind::deliver:
      return "deliver";
    case ArrowKind::apply:
      return "apply";
    case ArrowKind::redeliver:
      return "redeliver";
  }
  ensure(false, "every arrow has a name");
  return {};
}

std::string move_to(std::string_view command, double x, double y) {
  return std::string(command) + decimal(x) + " " + decimal(y);
}

class Drawing {
 public:
  Drawing(Markup& markup, const Report& report) : markup_(markup), report_(report), layout_(lay_out(report)) {}

  void draw() {
    const double height = layout_.bottom + axis_height;
    markup_.open("svg", {{"class", "swimlanes"},
                         {"viewBox", "0 0 " + decimal(layout_.width) + " " + decimal(height)},
                         {"width", layout_.width},
                         {"height", height},
                         {"role", "group"},
                         {"aria-label", "Swimlanes of " + report_.name + "; the table below says the same."}});
    draw_lanes();
    draw_axis();
    draw_shades();
    for (const Downtime& downtime : layout_.downtimes) draw_downtime(downtime);
    for (const Arrow& arrow : layout_.arrows) draw_arrow(arrow);
    for (const WindowBar& bar : layout_.windows) draw_bar(bar);
    for (const Mark& mark : layout_.marks) draw_leader(mark);
    for (const Mark& mark : layout_.marks) draw_mark(mark);
    markup_.close();
  }

  [[nodiscard]] bool stretched() const { return layout_.stretched; }

 private:
  void draw_lanes() {
    for (std::size_t index = 0; index < layout_.lanes.size(); ++index) {
      const Lane& lane = layout_.lanes[index];
      markup_.open("g", {{"data-lane", title_of(lane.role)}});
      markup_.element("rect", {{"class", index % 2 == 0 ? "lane" : "lane odd"},
                               {"x", 0},
                               {"y", lane.top},
                               {"width", layout_.width},
                               {"height", lane.height}});
      markup_.element(
          "line",
          {{"class", "life"}, {"x1", layout_.left - 10}, {"y1", lane.line}, {"x2", layout_.width}, {"y2", lane.line}});
      markup_.element("text", {{"class", "lane-title"}, {"x", 10}, {"y", lane.line + 4}}, title_of(lane.role));
      if (!lane.name.empty())
        markup_.element("text", {{"class", "lane-name"}, {"x", 10}, {"y", lane.line + 18}}, shorten(lane.name, 16));
      markup_.close();
    }
  }

  void draw_axis() {
    markup_.open("g", {{"class", "axis"}});
    markup_.element("line",
                    {{"x1", layout_.left - 10}, {"y1", layout_.bottom}, {"x2", layout_.width}, {"y2", layout_.bottom}});
    for (const TimeScale::Tick& tick : layout_.scale.ticks()) {
      markup_.element("line",
                      {{"class", "grid"}, {"x1", tick.x}, {"y1", 0}, {"x2", tick.x}, {"y2", layout_.bottom + 5}});
      markup_.element("text", {{"class", "tick"}, {"x", tick.x}, {"y", layout_.bottom + 18}}, tick.text);
    }
    markup_.element("text", {{"class", "axis-title"}, {"x", layout_.left - 10}, {"y", layout_.bottom + 36}},
                    "milliseconds since the first write");
    markup_.close();
  }

  // Where a window is open, clients may see old rows: so it shades their lanes and the read model's.
  void draw_shades() {
    for (const WindowBar& bar : layout_.windows) {
      for (const Lane& lane : layout_.lanes) {
        if (lane.role != Role::client && (lane.role != Role::read_model || !lane.name.empty())) continue;
        markup_.element("rect", {{"class", "shade"},
                                 {"x", bar.left},
                                 {"y", lane.top},
                                 {"width", bar.right - bar.left},
                                 {"height", lane.height}});
      }
    }
  }

  void draw_bar(const WindowBar& bar) {
    const scenario::Window& window = *bar.window;
    const Lane& lane = lane_of(layout_, Role::read_model, "");
    const double top = lane.top + bar_top + bar.row * bar_height;
    const std::string gap = window.gap() ? decimal(static_cast<double>(window.gap()->count()) / 1'000.0) : "";
    markup_.open("g", {{"data-window", window.closed ? "closed" : "open"},
                       {"data-gap-ms", gap},
                       {"data-mark", "window"},
                       {"data-message", message_of(window.order_id, window.version)},
                       {"tabindex", "-1"},
                       {"role", "img"},
                       {"aria-label", detail_of_window(window)}});
    markup_.element("path",
                    {{"class", "bar-end"},
                     {"d", move_to("M", bar.left, top) + "V" + decimal(lane.line) +
                               (window.closed ? move_to("M", bar.right, top) + "V" + decimal(lane.line) : "")}});
    markup_.element("rect", {{"class", "bar"},
                             {"x", bar.left},
                             {"y", top},
                             {"width", std::max(bar.right - bar.left, 1.0)},
                             {"height", bar_height - 4}});
    markup_.element("text", {{"class", "bar-text"}, {"x", bar.left + 5}, {"y", top + 11}}, bar.label);
    markup_.close();
  }

  void draw_downtime(const Downtime& downtime) {
    const Lane& lane = layout_.lanes[downtime.lane];
    markup_.element("rect", {{"class", "downtime"},
                             {"data-downtime", ""},
                             {"x", downtime.left},
                             {"y", lane.line - downtime_height / 2},
                             {"width", downtime.right - downtime.left},
                             {"height", downtime_height}});
  }

  // Ends before the mark that it points to, so that its head is seen; a redelivery bends, because it leads
  // from one mark of the bus to another.
  void draw_arrow(const Arrow& arrow) {
    const double length = std::hypot(arrow.to.x - arrow.from.x, arrow.to.y - arrow.from.y);
    if (length <= glyph_radius) return;
    const bool is_arrival = arrow.kind == ArrowKind::deliver;
    const double share = (is_arrival ? arrival_radius : glyph_radius) / length;
    const double end_x = arrow.to.x - (arrow.to.x - arrow.from.x) * share;
    const double end_y = arrow.to.y - (arrow.to.y - arrow.from.y) * share;
    std::string path = move_to("M", arrow.from.x, arrow.from.y);
    if (arrow.kind == ArrowKind::redeliver) {
      path += move_to("Q", (arrow.from.x + arrow.to.x) / 2, arrow.to.y - 24) + move_to(" ", end_x, end_y - 5);
    } else {
      path += move_to("L", end_x, end_y);
    }
    markup_.element("path", {{"class", arrow.again ? "arrow again" : "arrow"},
                             {"data-arrow", name_of(arrow.kind)},
                             {"data-again", arrow.again ? "yes" : "no"},
                             {"data-message", arrow.message},
                             {"d", path},
                             {"marker-end", "url(#head)"}});
    if (is_arrival) {
      markup_.element("circle", {{"class", "arrival"}, {"cx", arrow.to.x}, {"cy", arrow.to.y}, {"r", arrival_radius}});
    }
  }

  void draw_leader(const Mark& mark) {
    if (mark.label_row <= 0) return;
    const double line = layout_.lanes[mark.lane].line;
    markup_.element("line", {{"class", "leader"},
                             {"x1", mark.x},
                             {"y1", line + glyph_radius},
                             {"x2", mark.x},
                             {"y2", line + label_drop + mark.label_row * label_height - 9}});
  }

  void draw_mark(const Mark& mark) {
    const Occurrence& occurrence = *mark.occurrence;
    const double line = layout_.lanes[mark.lane].line;
    markup_.open("g", {{"data-mark", glyph_name(occurrence)},
                       {occurrence.kind == Kind::read ? "data-read" : "", occurrence.stale ? "stale" : "fresh"},
                       {"data-row", static_cast<double>(mark.row + 1)},
                       {"data-message", message_of(occurrence.order_id, occurrence.version)},
                       {"tabindex", mark.row == 0 ? "0" : "-1"},
                       {"role", "img"},
                       {"aria-label", detail_of(occurrence)}});
    markup_.open("g", {{"transform", "translate(" + decimal(mark.x) + " " + decimal(line) + ")"}});
    markup_.element("circle", {{"class", "reach"}, {"r", glyph_radius + 2}});
    draw_glyph(markup_, occurrence);
    markup_.close();
    if (mark.label_row >= 0) {
      markup_.element("text",
                      {{"class", occurrence.stale ? "label stale-label" : "label"},
                       {"x", mark.x - 4},
                       {"y", line + label_drop + mark.label_row * label_height}},
                      mark.label);
    }
    markup_.close();
  }

  [[nodiscard]] static std::string detail_of_window(const scenario::Window& window) {
    const std::string version = "order " + window.order_id + ", version " + std::to_string(window.version.value);
    const std::string opened = "window of " + version + "\nopened at " + milliseconds(window.opened);
    if (!window.closed) return opened + ", still open when the run ended";
    return opened + ", closed at " + milliseconds(*window.closed) + "\nthe read model was stale for " +
           milliseconds(*window.gap());
  }

  Markup& markup_;
  const Report& report_;
  const SwimlaneLayout layout_;
};

void draw_legend(Markup& markup, const Report& report) {
  markup.open("ul", {{"class", "legend"}});
  std::vector<std::string_view> drawn;
  for (const Occurrence& occurrence : report.timeline) {
    if (std::find(drawn.begin(), drawn.end(), glyph_name(occurrence)) != drawn.end()) continue;
    drawn.push_back(glyph_name(occurrence));
    markup.open("li").open("svg", {{"viewBox", "-9 -9 18 18"}, {"width", 16}, {"height", 16}, {"aria-hidden", "true"}});
    draw_glyph(markup, occurrence);
    markup.close().text(meaning(occurrence)).close();
  }
  if (!report.windows.empty()) {
    markup.open("li").element("span", {{"class", "shade-sample"}}).text("the read model is stale").close();
  }
  markup.close();
}

}  // namespace

std::string who(const Occurrence& occurrence) {
  const std::string name = name_of(occurrence);
  return std::string(title_of(role_of(occurrence))) + (name.empty() ? "" : " " + name);
}

std::string note_of(const Occurrence& occurrence) {
  if (occurrence.kind == Kind::read) return occurrence.stale ? "stale" : "fresh";
  if (occurrence.attempt > 1) return "attempt " + std::to_string(occurrence.attempt);
  return "";
}

std::string detail_of(const Occurrence& occurrence) {
  const std::string note = note_of(occurrence);
  return "t = " + milliseconds(occurrence.at) + ", " + who(occurrence) + "\n" + occurrence.what +
         (note.empty() ? "" : "\n" + note);
}

void draw_swimlanes(Markup& markup, const Report& report) {
  Drawing drawing(markup, report);
  markup.open("figure").open("div", {{"class", "drawing"}});
  drawing.draw();
  markup.close();
  draw_legend(markup, report);
  markup.open("figcaption")
      .element("span", {{"class", "hint"}},
               "Point at a mark, or go to the drawing with Tab and from mark to mark with the arrow keys, to see its "
               "details and the way of its message.");
  if (drawing.stretched()) markup.text(" Moments in which much happens are drawn wider: the ticks tell the time.");
  if (report.timeline.size() > marks_max) {
    markup.text(" The drawing shows the first " + std::to_string(marks_max) + " of " +
                std::to_string(report.timeline.size()) + " occurrences; the table has them all.");
  }
  markup.close().close();
}

}  // namespace freshet::report
