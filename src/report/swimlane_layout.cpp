// Gives lanes their height and marks, labels and windows their place, so that nothing covers anything else.
#include "report/swimlane_layout.hpp"

#include <algorithm>

#include "base/ensure.hpp"
#include "report/labels.hpp"
#include "report/page.hpp"

namespace freshet::report {
namespace {

using scenario::Actor;
using scenario::Kind;
using scenario::Occurrence;
using scenario::Report;

constexpr double title_width = 112;
constexpr double margin = 14;
constexpr double plot_width_min = 800;
constexpr double mark_distance = 13;       // Between any two marks, so that order can be seen.
constexpr double lane_mark_distance = 22;  // Between marks of one lane, so that they do not touch.
constexpr double stretched_share = 0.2;    // Of the plot; below it nobody would see a difference.
constexpr double line_offset = 20;         // From a lane's top, or from its last window bar, to its marks.
constexpr double label_height = 14;
constexpr double bar_height = 18;
constexpr double lane_padding = 16;
constexpr double bar_gap = 10;
constexpr int label_rows_max = 6;
constexpr std::size_t label_characters_max = 42;

bool is_lane_of(const Lane& lane, const Occurrence& occurrence) {
  return lane.role == role_of(occurrence) && lane.name == name_of(occurrence);
}

// In the order of the data flow, clients and listeners as they appear. Whoever takes part has a lane, even if
// nothing of it was seen.
std::vector<Lane> lanes_of(const std::vector<Occurrence>& timeline) {
  std::vector<Lane> lanes;
  const auto need = [&](Role role, const std::string& name) {
    const auto same = [&](const Lane& lane) { return lane.role == role && lane.name == name; };
    if (std::any_of(lanes.begin(), lanes.end(), same)) return;
    const auto after = std::find_if(lanes.begin(), lanes.end(), [&](const Lane& lane) { return lane.role > role; });
    lanes.insert(after, {role, name});
  };
  for (const Role role : {Role::write_side, Role::bus, Role::listener, Role::read_model}) need(role, "");
  for (const Occurrence& occurrence : timeline) {
    need(role_of(occurrence), name_of(occurrence));
    need(Role::listener, occurrence.model);
    need(Role::read_model, occurrence.model);
  }
  return lanes;
}

// A parenthesis repeats what the message's arrow shows, so a label goes without.
std::string label_of(const Occurrence& occurrence) {
  const std::string_view what = occurrence.what;
  std::string label = shorten(what.substr(0, std::min(what.find(" ("), what.size())), label_characters_max);
  if (occurrence.stale && label.find("STALE") == std::string::npos) label += "  STALE";
  return label;
}

double label_width(const Mark& mark) {
  return mark.occurrence->stale ? bold_width_of(mark.label) : width_of(mark.label);
}

std::vector<Mark> marks_of(const Report& report, const std::vector<Lane>& lanes) {
  std::vector<Mark> marks;
  for (std::size_t row = 0; row < std::min(report.timeline.size(), marks_max); ++row) {
    const Occurrence& occurrence = report.timeline[row];
    const auto lane = std::find_if(lanes.begin(), lanes.end(),
                                   [&](const Lane& candidate) { return is_lane_of(candidate, occurrence); });
    marks.push_back({.occurrence = &occurrence,
                     .row = row,
                     .lane = static_cast<std::size_t>(lane - lanes.begin()),
                     .label = label_of(occurrence)});
  }
  return marks;
}

// Each mark stands where its time is on a straight axis, pushed to the right by what the marks before it need.
// Gives the room that was needed.
double place_marks(SwimlaneLayout& layout) {
  std::vector<Mark>& marks = layout.marks;
  std::vector<double> free_from(layout.lanes.size(), 0);
  double needed = 0;
  for (Mark& mark : marks) {
    if (&mark != &marks.front()) needed += mark_distance;
    needed = mark.x = std::max(needed, free_from[mark.lane]);
    free_from[mark.lane] = needed + lane_mark_distance;
  }
  const double share_width = std::max(plot_width_min - needed, needed / 4);
  const Duration first = marks.front().occurrence->at;
  const auto whole = static_cast<double>(std::max(marks.back().occurrence->at - first, Duration{1}).count());
  for (Mark& mark : marks)
    mark.x += layout.left + share_width * static_cast<double>((mark.occurrence->at - first).count()) / whole;
  return needed;
}

TimeScale scale_of(const std::vector<Mark>& marks) {
  std::vector<TimeScale::Anchor> anchors;
  for (const Mark& mark : marks) anchors.push_back({mark.occurrence->at, mark.x});
  return TimeScale(std::move(anchors));
}

// Returns how many rows the labels of a lane take.
int place_labels(std::vector<Mark>& marks, std::size_t lane) {
  std::vector<Mark*> own;
  std::vector<Label> labels;
  for (Mark& mark : marks) {
    if (mark.lane != lane) continue;
    own.push_back(&mark);
    labels.push_back({.x = mark.x, .width = label_width(mark)});
  }
  const int rows = stack_labels(labels, label_rows_max);
  for (std::size_t index = 0; index < own.size(); ++index) own[index]->label_row = labels[index].row;
  return rows;
}

std::string window_label(const scenario::Window& window) {
  const std::string which = "order " + shorten(window.order_id, 24) + " v" + std::to_string(window.version.value);
  return which + (window.gap() ? ": stale for " + milliseconds(*window.gap()) : ": still open");
}

// A window begins and ends at the marks that made it, where they are in the drawing; else at its times.
double place_of(const SwimlaneLayout& layout, const scenario::Window& window, Kind kind, Duration at) {
  for (const Mark& mark : layout.marks) {
    const Occurrence& occurrence = *mark.occurrence;
    if (occurrence.kind == kind && occurrence.at == at && occurrence.order_id == window.order_id &&
        occurrence.version == window.version && occurrence.model.empty())
      return mark.x;
  }
  return layout.scale.x(at);
}

// Stacks the bars of windows that overlap; gives the number of rows.
int place_windows(SwimlaneLayout& layout, const std::vector<scenario::Window>& windows) {
  std::vector<double> free_from;
  for (const scenario::Window& window : windows) {
    if (window.opened > layout.marks.back().occurrence->at) continue;  // Beyond marks_max.
    WindowBar bar{.window = &window, .label = window_label(window)};
    bar.left = place_of(layout, window, Kind::appended, window.opened);
    bar.right = window.closed ? place_of(layout, window, Kind::applied, *window.closed) : layout.right + margin;
    const auto free = std::find_if(free_from.begin(), free_from.end(), [&](double from) { return from <= bar.left; });
    bar.row = static_cast<int>(free - free_from.begin());
    if (free == free_from.end()) free_from.push_back(0);
    free_from[static_cast<std::size_t>(bar.row)] = std::max(bar.right, bar.left + bold_width_of(bar.label)) + bar_gap;
    layout.windows.push_back(std::move(bar));
  }
  return static_cast<int>(free_from.size());
}

void place_lanes(SwimlaneLayout& layout, int window_rows) {
  double top = 0;
  for (std::size_t index = 0; index < layout.lanes.size(); ++index) {
    Lane& lane = layout.lanes[index];
    const int label_rows = std::max(1, place_labels(layout.marks, index));
    const bool has_windows = lane.role == Role::read_model && lane.name.empty();
    lane.top = top;
    lane.line = top + line_offset + (has_windows && window_rows > 0 ? window_rows * bar_height + 6 : 0);
    lane.height = lane.line - top + label_rows * label_height + lane_padding;
    top += lane.height;
  }
  layout.bottom = top;
}

// Not every restart is told of, but whoever takes a message is alive.
void place_downtimes(SwimlaneLayout& layout) {
  for (auto crash = layout.marks.begin(); crash != layout.marks.end(); ++crash) {
    if (crash->occurrence->kind != Kind::crashed) continue;
    const auto end = std::find_if(std::next(crash), layout.marks.end(), [&](const Mark& mark) {
      const Kind kind = mark.occurrence->kind;
      return (kind == Kind::restarted || kind == Kind::delivered) && mark.occurrence->model == crash->occurrence->model;
    });
    layout.downtimes.push_back({crash->lane, crash->x, end == layout.marks.end() ? layout.right + margin : end->x});
  }
}

double drawing_width(const SwimlaneLayout& layout) {
  double right = layout.right + margin;
  for (const Mark& mark : layout.marks) {
    if (mark.label_row >= 0) right = std::max(right, mark.x + label_width(mark));
  }
  for (const WindowBar& bar : layout.windows) right = std::max(right, bar.left + bold_width_of(bar.label));
  return right + margin;
}

}  // namespace

Role role_of(const Occurrence& occurrence) {
  if (occurrence.kind == Kind::said) return Role::script;
  switch (occurrence.actor) {
    case Actor::client:
      return Role::client;
    case Actor::write_side:
      return Role::write_side;
    case Actor::bus:
      return Role::bus;
    case Actor::listener:
      return Role::listener;
    case Actor::read_model:
      return Role::read_model;
  }
  ensure(false, "every actor has a lane");
  return Role::client;
}

std::string name_of(const Occurrence& occurrence) {
  const Role role = role_of(occurrence);
  if (role == Role::client) return occurrence.client;
  return role == Role::listener || role == Role::read_model ? occurrence.model : std::string();
}

std::string_view title_of(Role role) {
  switch (role) {
    case Role::script:
      return "script";
    case Role::client:
      return "client";
    case Role::write_side:
      return "write side";
    case Role::bus:
      return "bus";
    case Role::listener:
      return "listener";
    case Role::read_model:
      return "read model";
  }
  ensure(false, "every role has a title");
  return {};
}

std::string message_of(const std::string& order_id, Version version) {
  return order_id.empty() || version.value == 0 ? "" : order_id + "/" + std::to_string(version.value);
}

const Lane& lane_of(const SwimlaneLayout& layout, Role role, std::string_view name) {
  const auto lane = std::find_if(layout.lanes.begin(), layout.lanes.end(), [&](const Lane& candidate) {
    return candidate.role == role && candidate.name == name;
  });
  ensure(lane != layout.lanes.end(), "every listener and its read model have a lane");
  return *lane;
}

SwimlaneLayout lay_out(const Report& report) {
  ensure(!report.timeline.empty(), "a run that is drawn has an occurrence");
  SwimlaneLayout layout;
  layout.left = title_width + margin;
  layout.lanes = lanes_of(report.timeline);
  layout.marks = marks_of(report, layout.lanes);
  layout.stretched = place_marks(layout) > stretched_share * plot_width_min;
  layout.right = layout.marks.back().x;
  layout.scale = scale_of(layout.marks);
  place_lanes(layout, place_windows(layout, report.windows));
  place_downtimes(layout);
  layout.arrows = arrows_between(layout);
  layout.width = drawing_width(layout);
  return layout;
}

}  // namespace freshet::report
