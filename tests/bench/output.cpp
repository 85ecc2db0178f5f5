// Writing tables and JSON.
#include "bench/output.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "freshet/store.hpp"

namespace freshet::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string formatted(const char* format, auto... values) {
  std::array<char, 320> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

const char* unit(const Row& row) {
  return row.figure == Figure::per_second ? "/s" : "us";
}

std::string number(double value) {
  return formatted(std::abs(value) >= 100 ? "%.0f" : std::abs(value) >= 10 ? "%.1f" : "%.2f", value);
}

std::string compared(const Row& row) {
  if (!row.reference) return "";
  return row.comparison.of == Comparison::Of::ratio ? formatted("%.2f", row.compared) : "+" + number(row.compared);
}

}  // namespace

std::string describe_machine() {
  std::string model = "unknown processor";
  std::ifstream processors("/proc/cpuinfo");
  for (std::string text; std::getline(processors, text);) {
    if (text.starts_with("model name")) model = text.substr(text.find(':') + 2);
  }
  std::array<double, 3> load{};
  getloadavg(load.data(), 3);
  return formatted("%u x %s, load %.1f", std::thread::hardware_concurrency(), model.c_str(), load[0]);
}

std::string heading() {
  return formatted("%-52s %12s %12s %-32s %6s %8s  %s\n", "what", "freshet", "baseline", "", "ratio", "goal", "met");
}

std::string line(const Row& row) {
  const std::string goal = (row.comparison.bound == Bound::at_least ? ">= " : "<= ") + number(row.comparison.goal);
  const std::string reference = row.reference ? number(*row.reference) + ' ' + unit(row) : "";
  return formatted("%-52s %12s %12s %-32s %6s %8s  %s\n", row.what.c_str(),
                   (number(row.freshet) + ' ' + unit(row)).c_str(), reference.c_str(), row.reference_name.c_str(),
                   compared(row).c_str(), goal.c_str(), row.met ? "yes" : "NO");
}

std::string json(const Report& report) {
  Json rows = Json::array();
  for (const auto& [name, outcome] : report.outcomes) {
    for (const Row& row : outcome.rows) {
      rows.push_back({{"contest", name},
                      {"what", row.what},
                      {"unit", row.figure == Figure::per_second ? "per second" : "microseconds"},
                      {"freshet", row.freshet},
                      {"baseline", row.reference ? Json(*row.reference) : Json(nullptr)},
                      {"baseline_is", row.reference_name},
                      {"compared", row.compared},
                      {"comparison", row.comparison.of == Comparison::Of::ratio ? "ratio" : "difference"},
                      {"goal", row.comparison.goal},
                      {"bound", row.comparison.bound == Bound::at_least ? "at least" : "at most"},
                      {"met", row.met},
                      {"fsync_p50_us", outcome.fsync_p50_us},
                      {"fsync_p99_us", outcome.fsync_p99_us}});
    }
  }
  const Json document{{"workload", report.workload},
                      {"machine", report.machine},
                      {"build", build_description()},
                      {"rounds", report.rounds},
                      {"rows", std::move(rows)}};
  return document.dump(2) + "\n";
}

}  // namespace freshet::bench
