// Draws how likely a read is fresh, by the time since the commit.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>

#include "report/charts.hpp"
#include "report/labels.hpp"
#include "report/page.hpp"
#include "report/time_scale.hpp"

namespace freshet::report {
namespace {

using measure::CurvePoint;
using measure::Visibility;

constexpr double left = 64;
constexpr double plot_width = 800;
constexpr double plot_height = 300;
constexpr double width = 1'010;  // Room for the label of a percentile at the right end.
constexpr double label_height = 16;
constexpr double axis_height = 50;
constexpr std::size_t dots_max = 80;  // More would hide the line that they stand on.

struct Percentile {
  std::string_view name;
  double share;
  Duration fresh;
  std::optional<Duration> delivered;  // By the configured delay alone; a distribution need not have a maximum.
};

std::array<Percentile, 4> percentiles(const Visibility& visibility) {
  return {{{"p50", 0.5, visibility.p50, visibility.delay_p50},
           {"p90", 0.9, visibility.p90, visibility.delay_p90},
           {"p99", 0.99, visibility.p99, visibility.delay_p99},
           {"max", 1, visibility.max, std::nullopt}}};
}

std::string percent(double share) {
  return decimal(share * 100) + " %";
}

struct ShareAt {
  Duration at;
  double share;
};

// By time; of a jump, its foot first.
std::vector<ShareAt> rising(std::vector<ShareAt> curve) {
  std::sort(curve.begin(), curve.end(), [](const ShareAt& one, const ShareAt& other) {
    return std::tie(one.at, one.share) < std::tie(other.at, other.share);
  });
  return curve;
}

// A delay that is not drawn from a distribution: the curve jumps.
bool is_fixed(const Visibility& visibility) {
  return visibility.delay_p50 == visibility.delay_p99;
}

// The evenly spaced points, and between them the percentiles, which are exact: they show a jump where the points
// alone would draw a slope.
std::vector<ShareAt> fresh_curve(const Visibility& visibility) {
  std::vector<ShareAt> curve;
  for (const CurvePoint& point : visibility.curve) curve.push_back({point.after, point.p_fresh});
  for (const Percentile& percentile : percentiles(visibility)) curve.push_back({percentile.fresh, percentile.share});
  // Nothing is visible before it is delivered.
  if (is_fixed(visibility)) curve.push_back({visibility.delay_p50, 0});
  return rising(std::move(curve));
}

std::vector<ShareAt> delivered_curve(const Visibility& visibility) {
  if (is_fixed(visibility)) {
    const Duration last = std::max(visibility.max, visibility.delay_p50);
    return {{Duration{0}, 0}, {visibility.delay_p50, 0}, {visibility.delay_p50, 1}, {last, 1}};
  }
  std::vector<ShareAt> curve;
  for (const CurvePoint& point : visibility.curve) curve.push_back({point.after, point.p_delivered});
  for (const Percentile& percentile : percentiles(visibility)) {
    if (percentile.delivered) curve.push_back({*percentile.delivered, percentile.share});
  }
  return rising(std::move(curve));
}

// Before this, no read was fresh and no message delivered.
Duration quiet_until(const Visibility& visibility) {
  Duration quiet{};
  for (const CurvePoint& point : visibility.curve) {
    if (point.p_fresh > 0 || point.p_delivered > 0) break;
    quiet = point.after;
  }
  return std::min(quiet, visibility.p50);
}

// To the last write, unless it is an outlier that would leave no room for the others. An axis that would be
// empty for more than half of its length begins where something happens.
TimeScale scale_of(const Visibility& visibility) {
  const Duration usual = 2 * std::max(visibility.p99, visibility.delay_p99);
  const Duration last = std::max(Duration{1}, std::min(usual, std::max(visibility.max, visibility.delay_p99)));
  Duration first = quiet_until(visibility);
  if (first <= last / 2) {
    first = Duration{0};
  } else {
    const Duration step{std::max(1LL, std::llround(round_step(static_cast<double>((last - first).count()) / 10)))};
    first = first / step * step;
  }
  return TimeScale({{first, left}, {last, left + plot_width}});
}

class VisibilityChart {
 public:
  VisibilityChart(Markup& markup, const Visibility& visibility)
      : markup_(markup), visibility_(visibility), scale_(scale_of(visibility)) {
    for (const Percentile& percentile : percentiles(visibility))
      labels_.push_back({.x = scale_.x(percentile.fresh), .width = width_of(text_of(percentile))});
    top_ = stack_labels(labels_, static_cast<int>(labels_.size())) * label_height + 12;
  }

  void draw() {
    const double height = top_ + plot_height + axis_height;
    markup_.open("svg", {{"class", "chart"},
                         {"viewBox", "0 0 " + decimal(width) + " " + decimal(height)},
                         {"width", width},
                         {"height", height},
                         {"role", "group"},
                         {"aria-label", "Curve of visibility; the tables below say the same."}});
    draw_axes();
    draw_curves();
    draw_percentiles();
    draw_points();
    draw_engine_share();
    markup_.close();
  }

  // What the axis does not show.
  [[nodiscard]] std::string caption() const {
    std::string text;
    if (scale_.first() > Duration{0}) {
      text =
          "The axis begins at " + milliseconds(scale_.first()) + ": before, nothing is delivered and nothing visible. ";
    }
    if (visibility_.max > scale_.last()) text += "The last write became visible beyond the end of the axis.";
    return text;
  }

 private:
  // An arrow says that it lies beyond the axis.
  [[nodiscard]] std::string text_of(const Percentile& percentile) const {
    return std::string(percentile.name) + " " + milliseconds(percentile.fresh) +
           (percentile.fresh > scale_.last() ? " →" : "");
  }

  [[nodiscard]] double y(double share) const { return top_ + plot_height * (1 - std::clamp(share, 0.0, 1.0)); }

  void draw_axes() {
    const double right = left + plot_width;
    const double bottom = top_ + plot_height;
    markup_.open("g", {{"class", "axis"}});
    markup_.element("rect",
                    {{"class", "lane odd"}, {"x", left}, {"y", top_}, {"width", plot_width}, {"height", plot_height}});
    for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      markup_.element("line", {{"class", "grid"}, {"x1", left}, {"y1", y(share)}, {"x2", right}, {"y2", y(share)}});
      markup_.element("text", {{"class", "share"}, {"x", left - 8}, {"y", y(share) + 4}}, percent(share));
    }
    for (const TimeScale::Tick& tick : scale_.ticks()) {
      markup_.element("line", {{"class", "grid"}, {"x1", tick.x}, {"y1", top_}, {"x2", tick.x}, {"y2", bottom + 5}});
      markup_.element("text", {{"class", "tick"}, {"x", tick.x}, {"y", bottom + 18}}, tick.text);
    }
    markup_.element("text", {{"class", "axis-title"}, {"x", left}, {"y", bottom + 38}},
                    "milliseconds after the commit");
    markup_.close();
  }

  [[nodiscard]] std::string place(const ShareAt& point) const {
    return decimal(scale_.x(point.at)) + " " + decimal(y(point.share));
  }

  [[nodiscard]] std::string path(const std::vector<ShareAt>& curve) const {
    std::string path;
    for (const ShareAt& point : curve) path += (path.empty() ? "M" : "L") + place(point);
    return path;
  }

  void draw_curves() {
    const std::vector<ShareAt> fresh = fresh_curve(visibility_);
    const std::string delivered = path(delivered_curve(visibility_));
    std::string area = delivered;
    for (auto point = fresh.rbegin(); point != fresh.rend(); ++point) area += "L" + place(*point);
    markup_.element("path", {{"class", "engine-share"}, {"data-area", "engine"}, {"d", area + "Z"}});
    markup_.element("path", {{"class", "curve delivered-curve"}, {"data-curve", "delivered"}, {"d", delivered}});
    markup_.element("path", {{"class", "curve fresh-curve"}, {"data-curve", "fresh"}, {"d", path(fresh)}});
  }

  void draw_percentiles() {
    const auto marked = percentiles(visibility_);
    for (std::size_t index = 0; index < marked.size(); ++index) {
      const Label& label = labels_[index];
      const double base = top_ - 8 - label.row * label_height;
      markup_.open("g", {{"data-percentile", marked[index].name}});
      markup_.element(
          "line",
          {{"class", "percentile"}, {"x1", label.x}, {"y1", base - 9}, {"x2", label.x}, {"y2", top_ + plot_height}});
      markup_.element("text", {{"class", "label"}, {"x", label.x + 4}, {"y", base}}, text_of(marked[index])).close();
    }
  }

  // The distance of the curves at the median, where there is room beside it.
  void draw_engine_share() {
    const double end = scale_.x(visibility_.p50);
    markup_.element("line", {{"class", "engine-line"},
                             {"x1", scale_.x(visibility_.delay_p50)},
                             {"y1", y(0.5)},
                             {"x2", end},
                             {"y2", y(0.5)}});
    markup_.element("text", {{"class", "label"}, {"x", end + 10}, {"y", y(0.5) + 4}},
                    "the engine's share: " + milliseconds(visibility_.p50 - visibility_.delay_p50));
  }

  void draw_points() {
    const bool dotted = visibility_.curve.size() <= dots_max;
    for (const CurvePoint& point : visibility_.curve) {
      if (point.after < scale_.first() || point.after > scale_.last()) continue;
      markup_.open("g", {{"data-mark", "point"},
                         {"role", "img"},
                         {"tabindex", &point == visibility_.curve.data() ? "0" : "-1"},
                         {"aria-label", milliseconds(point.after) + " after the commit\n" + percent(point.p_fresh) +
                                            " fresh, " + percent(point.p_delivered) + " delivered"}});
      markup_.element("circle",
                      {{"class", "reach"}, {"cx", scale_.x(point.after)}, {"cy", y(point.p_fresh)}, {"r", 7}});
      if (dotted) {
        markup_.element("circle",
                        {{"class", "dot"}, {"cx", scale_.x(point.after)}, {"cy", y(point.p_fresh)}, {"r", 2.5}});
      }
      markup_.close();
    }
  }

  Markup& markup_;
  const Visibility& visibility_;
  const TimeScale scale_;
  std::vector<Label> labels_;
  double top_ = 0;
};

void write_legend(Markup& markup) {
  markup.open("ul", {{"class", "legend"}});
  markup.raw(
      "<li><svg viewBox=\"0 0 30 12\" width=\"30\" height=\"12\" aria-hidden=\"true\">"
      "<path class=\"curve fresh-curve\" d=\"M0 6H30\"/></svg>");
  markup.text("fresh, as measured").raw("</li>\n");
  markup.raw(
      "<li><svg viewBox=\"0 0 30 12\" width=\"30\" height=\"12\" aria-hidden=\"true\">"
      "<path class=\"curve delivered-curve\" d=\"M0 6H30\"/></svg>");
  markup.text("delivered, by the configured delay alone").raw("</li>\n");
  markup.raw(
      "<li><svg viewBox=\"0 0 30 12\" width=\"30\" height=\"12\" aria-hidden=\"true\">"
      "<rect class=\"engine-share\" width=\"30\" height=\"12\"/></svg>");
  markup.text("between them: the engine's share").raw("</li>\n").close();
}

void write_percentiles(Markup& markup, const Visibility& visibility) {
  markup.open("table").element("caption", {}, "Time to visibility").open("thead").open("tr");
  markup.element("th", {{"scope", "col"}}, "percentile");
  for (const char* title : {"visible after (ms)", "by the delay alone (ms)", "the engine's share (ms)"})
    markup.element("th", {{"class", "number"}, {"scope", "col"}}, title);
  markup.close().close().open("tbody");
  for (const Percentile& percentile : percentiles(visibility)) {
    const auto& delivered = percentile.delivered;
    markup.open("tr").element("td", {}, percentile.name);
    markup.element("td", {{"class", "number"}}, milliseconds_number(percentile.fresh));
    markup.element("td", {{"class", "number"}}, delivered ? milliseconds_number(*delivered) : "");
    markup.element("td", {{"class", "number"}}, delivered ? milliseconds_number(percentile.fresh - *delivered) : "");
    markup.close();
  }
  markup.close().close();
}

void write_points(Markup& markup, const std::vector<CurvePoint>& curve) {
  markup.open("details").element("summary", {}, "The curve as numbers").open("table").open("thead").open("tr");
  for (const char* title : {"t after the commit (ms)", "fresh", "delivered"})
    markup.element("th", {{"class", "number"}, {"scope", "col"}}, title);
  markup.close().close().open("tbody");
  for (const CurvePoint& point : curve) {
    markup.open("tr").element("td", {{"class", "number"}}, milliseconds_number(point.after));
    markup.element("td", {{"class", "number"}}, percent(point.p_fresh));
    markup.element("td", {{"class", "number"}}, percent(point.p_delivered)).close();
  }
  markup.close().close().close();
}

}  // namespace

void write_visibility(Markup& markup, const Visibility& visibility) {
  markup.open("section", {{"id", "visibility"}}).element("h1", {}, "Visibility");
  markup.element("p", {{"class", "point"}},
                 "Half of the writes were visible " + milliseconds(visibility.p50) +
                     " after their commit, 99 of 100 after " + milliseconds(visibility.p99) + ", the last after " +
                     milliseconds(visibility.max) + ".");
  markup.element("p", {},
                 "At the median, the configured delay takes " + milliseconds(visibility.delay_p50) +
                     " and the engine " + milliseconds(visibility.p50 - visibility.delay_p50) + ".");
  markup.element("p", {{"class", "facts"}}, std::to_string(visibility.writes) + " writes · delay " + visibility.delay);
  markup.open("figure").open("div", {{"class", "drawing"}});
  VisibilityChart chart(markup, visibility);
  chart.draw();
  markup.close();
  write_legend(markup);
  markup.element("figcaption", {}, chart.caption());
  markup.close();
  write_percentiles(markup, visibility);
  write_points(markup, visibility.curve);
  markup.close();
}

}  // namespace freshet::report
