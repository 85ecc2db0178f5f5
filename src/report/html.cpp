// Puts the sections of a page together.
#include "report/html.hpp"

#include "report/charts.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"
#include "report/run_section.hpp"

namespace freshet::report {
namespace {

// What the drawings of a page refer to by name.
constexpr std::string_view definitions = R"svg(<svg width="0" height="0" class="definitions" aria-hidden="true"><defs>
<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse"
 orient="auto"><path class="arrow-head" d="M0 0.5L8 4L0 7.5Z"/></marker>
<pattern id="stale-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect class="hatch-ground" width="7" height="7"/><rect class="hatch-line" width="1.2" height="7"/></pattern>
<pattern id="down-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
<rect class="down-line" width="2" height="6"/></pattern>
<pattern id="bar-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect class="bar-ground" width="6" height="6"/><rect class="bar-line" width="2" height="6"/></pattern>
</defs></svg>
)svg";

void write_contents(Markup& markup, const std::vector<scenario::Report>& reports) {
  markup.open("nav").open("ol");
  for (std::size_t index = 0; index < reports.size(); ++index) {
    const scenario::Report& report = reports[index];
    markup.open("li").element("a", {{"href", "#run-" + std::to_string(index + 1)}}, report.name);
    markup.text((report.point.empty() ? "" : "— " + report.point) + (report.passed ? "" : " (failed)")).close();
  }
  markup.close().close();
}

}  // namespace

std::string render_html(const scenario::Report& report) {
  Markup markup;
  markup.raw(definitions);
  write_run(markup, report, "h1", "run-1");
  return page(report.name, markup.finish());
}

std::string render_html(const std::vector<scenario::Report>& reports) {
  Markup markup;
  markup.raw(definitions).element("h1", {}, "Staleness, demonstrated");
  write_contents(markup, reports);
  for (std::size_t index = 0; index < reports.size(); ++index)
    write_run(markup, reports[index], "h2", "run-" + std::to_string(index + 1));
  return page("Staleness, demonstrated", markup.finish());
}

std::string render_html(const measure::Visibility& visibility) {
  Markup markup;
  markup.raw(definitions);
  write_visibility(markup, visibility);
  return page("Visibility", markup.finish());
}

std::string render_html(const measure::Throughput& throughput) {
  Markup markup;
  markup.raw(definitions);
  write_throughput(markup, throughput);
  return page("Throughput", markup.finish());
}

}  // namespace freshet::report
