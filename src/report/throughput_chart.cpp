// Draws how many events a second the store records, by writers and by what an append survives.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/ensure.hpp"
#include "report/charts.hpp"
#include "report/page.hpp"
#include "report/time_scale.hpp"

namespace freshet::report {
namespace {

using Row = measure::Throughput::Row;

constexpr double left = 100;
constexpr double plot_width = 640;
constexpr double width = 1'010;  // Room for the text of the longest bar.
constexpr double bar_height = 24;
constexpr double group_gap = 16;
constexpr double axis_height = 50;

std::string_view name_of(Durability durability) {
  switch (durability) {
    case Durability::power_loss:
      return "full";
    case Durability::process_crash:
      return "normal";
  }
  ensure(false, "every durability has a name");
  return {};
}

// "12,345"
std::string grouped(double value) {
  std::string digits = std::to_string(std::llround(value));
  for (auto place = std::ssize(digits) - 3; place > 0; place -= 3) digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

std::string writers_text(int writers) {
  return std::to_string(writers) + (writers == 1 ? " writer" : " writers");
}

std::string rate_text(const Row& row) {
  return grouped(row.events_per_second) + " events/s";
}

double step_of(const std::vector<Row>& rows) {
  double rate_max = 1;
  for (const Row& row : rows) rate_max = std::max(rate_max, row.events_per_second);
  return round_step(rate_max / 6);
}

void write_reference(Markup& markup, const measure::Throughput::Reference& reference) {
  if (reference.writes == 0) return;
  markup.element("p", {},
                 "The disk alone takes " + grouped(reference.writes_per_second) +
                     " durable writes a second, one after the other: p50 " + milliseconds(reference.p50) + ", p99 " +
                     milliseconds(reference.p99) + ".");
}

class ThroughputChart {
 public:
  ThroughputChart(Markup& markup, std::vector<Row> rows)
      : markup_(markup), rows_(std::move(rows)), step_(step_of(rows_)) {
    std::sort(rows_.begin(), rows_.end(), [](const Row& one, const Row& other) {
      return std::pair(one.writers, name_of(one.durability)) < std::pair(other.writers, name_of(other.durability));
    });
    for (const Row& row : rows_) rate_max_ = std::max(rate_max_, row.events_per_second);
    rate_max_ = std::ceil(rate_max_ / step_) * step_;
    for (std::size_t index = 0; index < rows_.size(); ++index)
      bottom_ += bar_height + (begins_group(index) ? group_gap : 0);
    bottom_ += group_gap;
  }

  void draw() {
    const double height = bottom_ + axis_height;
    markup_.open("svg", {{"class", "chart"},
                         {"viewBox", "0 0 " + decimal(width) + " " + decimal(height)},
                         {"width", width},
                         {"height", height},
                         {"role", "group"},
                         {"aria-label", "Bars of throughput; the table below says the same."}});
    draw_axis();
    double top = 0;
    for (std::size_t index = 0; index < rows_.size(); ++index) {
      if (begins_group(index)) {
        top += group_gap;
        markup_.element("text", {{"class", "lane-title"}, {"x", 8}, {"y", top + 15}},
                        writers_text(rows_[index].writers));
      }
      draw_bar(rows_[index], top, index == 0);
      top += bar_height;
    }
    markup_.close();
  }

 private:
  [[nodiscard]] bool begins_group(std::size_t index) const {
    return index == 0 || rows_[index].writers != rows_[index - 1].writers;
  }

  [[nodiscard]] double x(double rate) const { return left + plot_width * rate / rate_max_; }

  void draw_axis() {
    markup_.open("g", {{"class", "axis"}});
    markup_.element("rect", {{"class", "lane odd"}, {"x", left}, {"y", 0}, {"width", plot_width}, {"height", bottom_}});
    for (double rate = 0; rate <= rate_max_ + step_ / 2; rate += step_) {
      markup_.element("line", {{"class", "grid"}, {"x1", x(rate)}, {"y1", 0}, {"x2", x(rate)}, {"y2", bottom_ + 5}});
      markup_.element("text", {{"class", "tick"}, {"x", x(rate)}, {"y", bottom_ + 18}}, grouped(rate));
    }
    markup_.element("text", {{"class", "axis-title"}, {"x", left}, {"y", bottom_ + 38}}, "events per second");
    markup_.close();
  }

  void draw_bar(const Row& row, double top, bool is_first) {
    const std::string durability(name_of(row.durability));
    const std::string text = rate_text(row) + ", " + durability;
    const std::string waits =
        "one append waits " + milliseconds(row.p50) + " (p50), " + milliseconds(row.p99) + " (p99)";
    markup_.open("g", {{"data-mark", "bar"},
                       {"data-writers", static_cast<double>(row.writers)},
                       {"data-durability", durability},
                       {"role", "img"},
                       {"tabindex", is_first ? "0" : "-1"},
                       {"aria-label", writers_text(row.writers) + "\n" + text + "\n" + waits}});
    markup_.element("rect", {{"class", "rate " + durability},
                             {"x", left},
                             {"y", top + 2},
                             {"width", std::max(x(row.events_per_second) - left, 1.0)},
                             {"height", bar_height - 5}});
    markup_.element("text", {{"class", "label"}, {"x", x(row.events_per_second) + 8}, {"y", top + 16}}, text);
    markup_.close();
  }

  Markup& markup_;
  std::vector<Row> rows_;
  double step_;
  double rate_max_ = 1;
  double bottom_ = 0;
};

void write_rows(Markup& markup, const std::vector<Row>& rows) {
  markup.open("table").element("caption", {}, "Throughput").open("thead").open("tr");
  markup.element("th", {{"scope", "col"}}, "durability");
  for (const char* title : {"writers", "events", "events per second", "p50 of an append (ms)", "p99 of an append (ms)"})
    markup.element("th", {{"class", "number"}, {"scope", "col"}}, title);
  markup.close().close().open("tbody");
  for (const Row& row : rows) {
    markup.open("tr").element("td", {}, name_of(row.durability));
    for (const std::string& number :
         {std::to_string(row.writers), grouped(static_cast<double>(row.events)), grouped(row.events_per_second),
          milliseconds_number(row.p50), milliseconds_number(row.p99)})
      markup.element("td", {{"class", "number"}}, number);
    markup.close();
  }
  markup.close().close();
}

}  // namespace

void write_throughput(Markup& markup, const measure::Throughput& throughput) {
  markup.open("section", {{"id", "throughput"}}).element("h1", {}, "Throughput");
  if (throughput.rows.empty()) {
    markup.element("p", {}, "Nothing was measured.").close();
    return;
  }
  const auto& rows = throughput.rows;
  const Row& best = *std::max_element(rows.begin(), rows.end(), [](const Row& one, const Row& other) {
    return one.events_per_second < other.events_per_second;
  });
  markup.element("p", {{"class", "point"}},
                 "At most " + rate_text(best) + ", by " + writers_text(best.writers) + " with durability " +
                     std::string(name_of(best.durability)) + ".");
  write_reference(markup, throughput.reference);
  markup.element("p", {{"class", "facts"}},
                 "full: an append survives the loss of power · normal: it survives the death "
                 "of the process");
  markup.open("figure").open("div", {{"class", "drawing"}});
  ThroughputChart(markup, rows).draw();
  markup.close().close();
  write_rows(markup, rows);
  markup.close();
}

}  // namespace freshet::report
