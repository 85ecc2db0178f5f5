// The pages, as text: what is drawn is counted, what comes from data is escaped, and nothing is fetched.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/html.hpp"
#include "report/labels.hpp"
#include "report/swimlane_layout.hpp"
#include "report/time_scale.hpp"
#include "report_fixture.hpp"

using namespace freshet;
using namespace freshet::report;

namespace {

std::size_t count(std::string_view page, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = page.find(part); at != std::string_view::npos; at = page.find(part, at + part.size())) ++found;
  return found;
}

bool has(std::string_view page, std::string_view part) {
  return page.find(part) != std::string_view::npos;
}

std::string texts(const TimeScale& scale) {
  std::string texts;
  for (const TimeScale::Tick& tick : scale.ticks()) texts += (texts.empty() ? "" : " ") + tick.text;
  return texts;
}

}  // namespace

TEST_SUITE("report") {
  TEST_CASE("render_html: a window is drawn with its gap, and its reads as stale or fresh") {
    const std::string page = render_html(tests::staleness_run());
    CHECK(count(page, "data-window=\"closed\" data-gap-ms=\"50.11\"") == 1);
    CHECK(count(page, "data-read=\"stale\"") == 1);
    CHECK(count(page, "data-read=\"fresh\"") == 1);
    CHECK(has(page, "order 123 v3: stale for 50.11 ms"));
  }

  TEST_CASE("render_html: a message goes from the write side over bus and listener to the read model") {
    const std::string page = render_html(tests::staleness_run());
    for (const char* arrow : {"answer", "send", "deliver", "apply"})
      CHECK(count(page, std::string("data-arrow=\"") + arrow + "\" data-again=\"no\" data-message=\"123/3\"") == 1);
    CHECK(count(page, "data-again=") == 4);
  }

  TEST_CASE("render_html: each client has a lane, and a window that never closed is shown open") {
    const std::string page = render_html(tests::crash_run());
    CHECK(count(page, "data-lane=\"client\"") == 2);
    CHECK(count(page, "data-window=\"closed\"") == 2);
    CHECK(count(page, "data-window=\"open\"") == 1);
    CHECK(count(page, "data-read=\"stale\"") == 3);
  }

  TEST_CASE("render_html: what the bus brings again after a crash is marked, and so is the time between") {
    const std::string page = render_html(tests::crash_run());
    CHECK(count(page, "data-arrow=\"redeliver\" data-again=\"yes\"") == 2);
    CHECK(count(page, "data-mark=\"skipped\"") == 2);
    CHECK(count(page, "data-mark=\"crashed\"") == 1);
    CHECK(count(page, "data-downtime=") == 1);
  }

  TEST_CASE("render_html: a listener of the script's own has lanes and arrows of its own") {
    const std::string page = render_html(tests::two_models_run(1));
    CHECK(count(page, "data-lane=\"listener\"") == 2);
    CHECK(count(page, "data-lane=\"read model\"") == 2);
    CHECK(count(page, "data-arrow=\"send\"") == 2);
  }

  TEST_CASE("render_html: the table has every occurrence, though the drawing ends at its limit") {
    const scenario::Report run = tests::two_models_run(100);
    const std::string page = render_html(run);
    CHECK(run.timeline.size() > marks_max);
    CHECK(count(page, "<tr data-row=") == run.timeline.size());
    CHECK(count(page, "<g data-mark=") == marks_max);
    CHECK(has(page, "shows the first 500 of 900 occurrences"));
  }

  TEST_CASE("render_html: text from data is escaped wherever it stands") {
    const std::string page = render_html(tests::hostile_run());
    CHECK(has(page, "&lt;/script&gt;&lt;b&gt;&quot;&#39;&amp;"));
    CHECK(count(page, "</script>") == 1);
    CHECK_FALSE(has(page, "<b>"));
    CHECK_FALSE(has(page, "\"'&"));
  }

  TEST_CASE("render_html: a control character in a text does not reach the page") {
    scenario::Report run = tests::staleness_run();
    run.point = std::string("a\0b\x1b", 4);
    CHECK(has(render_html(run),
              "a\xef\xbf\xbd"
              "b\xef\xbf\xbd"));
  }

  TEST_CASE("render_html: no page refers to the network") {
    for (const std::string& page : {render_html(tests::crash_run()), render_html(std::vector{tests::staleness_run()}),
                                    render_html(tests::fixed_delay_visibility()), render_html(tests::six_rows())}) {
      CHECK_FALSE(has(page, "http:"));
      CHECK_FALSE(has(page, "https:"));
      CHECK_FALSE(has(page, "url(//"));
    }
  }

  TEST_CASE("render_html: a failed run says why, and one in which nothing happened says so") {
    scenario::Report run;
    run.passed = false;
    run.failure = "line 3: expected status=paid, found status=created";
    const std::string page = render_html(run);
    CHECK(has(page, "line 3: expected status=paid"));
    CHECK(has(page, "Nothing happened in this run."));
    CHECK(has(page, "verdict failed"));
  }

  TEST_CASE("render_html: several runs share a page, each in a section that the contents link to") {
    const std::string page = render_html(std::vector{tests::staleness_run(), tests::crash_run()});
    CHECK(count(page, "data-run=") == 2);
    CHECK(has(page, "href=\"#run-2\""));
    CHECK(has(page, "<section id=\"run-2\" data-run=\"crash\">"));
  }

  TEST_CASE("render_html: visibility is two curves, the engine's share between them, and its percentiles") {
    const std::string page = render_html(tests::fixed_delay_visibility());
    CHECK(count(page, "data-curve=") == 2);
    CHECK(count(page, "data-area=\"engine\"") == 1);
    CHECK(count(page, "data-percentile=") == 4);
    CHECK(has(page, "the engine&#39;s share: 0.12 ms"));
  }

  TEST_CASE("render_html: an outlier does not take the room of the other writes") {
    const std::string page = render_html(tests::drawn_delay_visibility());
    CHECK(has(page, "max 412.00 ms →"));
    CHECK(has(page, "beyond the end of the axis"));
  }

  TEST_CASE("render_html: throughput is a bar for each number of writers and durability") {
    const std::string page = render_html(tests::six_rows());
    CHECK(count(page, "data-mark=\"bar\"") == 6);
    CHECK(count(page, "data-writers=\"8\"") == 2);
    CHECK(has(page, "141,902 events/s"));
  }

  TEST_CASE("render_html: measurements without a value make a page") {
    CHECK(has(render_html(measure::Throughput{}), "Nothing was measured."));
    CHECK(has(render_html(measure::Visibility{}), "0 writes"));
  }

  TEST_CASE("lay_out: marks of one lane never touch, however close their times are") {
    const scenario::Report run = tests::crash_run();
    const SwimlaneLayout layout = lay_out(run);
    for (const Mark& one : layout.marks) {
      for (const Mark& other : layout.marks) {
        if (one.lane == other.lane && one.row < other.row) CHECK(other.x - one.x >= 20);
      }
    }
  }

  TEST_CASE("lay_out: windows that overlap are drawn in rows") {
    const scenario::Report run = tests::crash_run();
    const SwimlaneLayout layout = lay_out(run);
    REQUIRE(layout.windows.size() == 3);
    CHECK(layout.windows[0].row == 0);
    CHECK(layout.windows[1].row == 1);
    CHECK(layout.windows[2].row == 0);
  }

  TEST_CASE("stack_labels: a label that would cover its right neighbour goes into a row of its own") {
    std::vector<Label> labels = {{.x = 0, .width = 100}, {.x = 50, .width = 100}, {.x = 300, .width = 100}};
    CHECK(stack_labels(labels, 4) == 2);
    CHECK(labels[0].row == 1);
    CHECK(labels[1].row == 0);
    CHECK(labels[2].row == 0);
  }

  TEST_CASE("stack_labels: a label without room is left out") {
    std::vector<Label> labels = {{.x = 0, .width = 100}, {.x = 10, .width = 100}};
    CHECK(stack_labels(labels, 1) == 1);
    CHECK(labels[0].row < 0);
  }

  TEST_CASE("ticks: they are round, and finer where the axis is stretched") {
    using tests::ms;
    CHECK(texts(TimeScale({{ms(0), 0}, {ms(50.3), 600}})) == "0 10 20 30 40 50");
    const auto stretched = texts(TimeScale({{ms(0), 0}, {ms(0.3), 400}, {ms(100), 800}}));
    CHECK(stretched == "0 0.04 0.08 0.12 0.16 0.2 2 20 40 60 80 100");
  }

  TEST_CASE("ticks: times before the first write are negative") {
    using tests::ms;
    CHECK(texts(TimeScale({{ms(0) - ms(10), 0}, {ms(10), 400}})) == "-10 0 10");
  }
}
