// Writes the documented fields, in their order.
#include "scenario/json.hpp"

#include <algorithm>

namespace freshet::scenario {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e3;
}

Json or_null(const std::optional<Duration>& duration) {
  return duration ? Json(milliseconds(*duration)) : Json(nullptr);
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(const Occurrence& occurrence) {
  const bool has_version = occurrence.version > Version{};
  return {{"t_ms", milliseconds(occurrence.at)},
          {"actor", name(occurrence.actor)},
          {"kind", name(occurrence.kind)},
          {"client", or_null(occurrence.client)},
          {"what", occurrence.what},
          {"order_id", or_null(occurrence.order_id)},
          {"version", has_version ? Json(occurrence.version.value) : Json(nullptr)},
          {"attempt", occurrence.attempt},
          {"stale", occurrence.stale},
          {"listener", or_null(occurrence.model)}};
}

Json to_json(const Window& window) {
  return {{"order_id", window.order_id},
          {"version", window.version.value},
          {"opened_ms", milliseconds(window.opened)},
          {"closed_ms", or_null(window.closed)},
          {"gap_ms", or_null(window.gap())}};
}

template <typename T>
Json array_of(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

}  // namespace

Json to_json(const Report& report) {
  return {{"demo", report.name},
          {"seed", report.seed},
          {"clock", name(report.clock)},
          {"timeline", array_of(report.timeline)},
          {"windows", array_of(report.windows)},
          {"point", or_null(report.point)},
          {"passed", report.passed}};
}

Json to_json(const std::vector<Report>& reports) {
  Json demos = Json::array();
  for (const Report& report : reports) demos.push_back(to_json(report));
  return {{"demos", std::move(demos)}, {"passed", std::ranges::all_of(reports, &Report::passed)}};
}

}  // namespace freshet::scenario
