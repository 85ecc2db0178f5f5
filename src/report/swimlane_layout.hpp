// Where everything of a run stands in its drawing: a lane for each participant, time to the right.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/time_scale.hpp"
#include "scenario/timeline.hpp"

namespace freshet::report {

// A drawing of more would be of use to nobody; the table below it has everything.
inline constexpr std::size_t marks_max = 500;

// A lane's participant. The script speaks above them all.
enum class Role { script, client, write_side, bus, listener, read_model };

[[nodiscard]] Role role_of(const scenario::Occurrence& occurrence);
[[nodiscard]] std::string_view title_of(Role role);

// Of the client, or of a listener of the script's own; empty for the only one, and for who has no name.
[[nodiscard]] std::string name_of(const scenario::Occurrence& occurrence);

struct Lane {
  Role role = Role::client;
  std::string name;  // As name_of() has it.
  double top = 0;
  double height = 0;
  double line = 0;  // Where its marks stand.
};

struct Mark {
  const scenario::Occurrence* occurrence = nullptr;
  std::size_t row = 0;  // Its place in the timeline, from 0.
  std::size_t lane = 0;
  double x = 0;
  std::string label = {};
  int label_row = 0;  // Below the lane's line, from 0; negative: there was no room, the mark stands alone.
};

// A window of staleness as a bar at the top of the read model's lane.
struct WindowBar {
  const scenario::Window* window = nullptr;
  double left = 0;
  double right = 0;
  std::string label = {};
  int row = 0;
};

// From a crash to the restart, or to the end.
struct Downtime {
  std::size_t lane = 0;
  double left = 0;
  double right = 0;
};

enum class ArrowKind { answer, send, deliver, apply, redeliver };

struct Point {
  double x = 0;
  double y = 0;
};

struct Arrow {
  ArrowKind kind = ArrowKind::send;
  bool again = false;  // For the second time, or later.
  std::string message = {};
  Point from;
  Point to;
};

struct SwimlaneLayout {
  std::vector<Lane> lanes;
  std::vector<Mark> marks;  // By time.
  std::vector<WindowBar> windows;
  std::vector<Downtime> downtimes;
  std::vector<Arrow> arrows;
  TimeScale scale;
  double left = 0;   // Of the plot; the lanes' titles stand before it.
  double right = 0;  // Where the run ends.
  double width = 0;
  double bottom = 0;       // Of the last lane; the axis stands below it.
  bool stretched = false;  // Moments were given more room than their share of time.
};

// The report must outlive the layout, and have an occurrence.
[[nodiscard]] SwimlaneLayout lay_out(const scenario::Report& report);

// Names an event on its way, "123/3"; empty for an occurrence that is about none.
[[nodiscard]] std::string message_of(const std::string& order_id, Version version);

// Every listener has a lane, and so has its read model.
[[nodiscard]] const Lane& lane_of(const SwimlaneLayout& layout, Role role, std::string_view name);

// The arrows of a layout that has all but them.
[[nodiscard]] std::vector<Arrow> arrows_between(const SwimlaneLayout& layout);

}  // namespace freshet::report
