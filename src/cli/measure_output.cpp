// Writes measurements.
#include "cli/measure_output.hpp"

#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

namespace freshet::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int chart_rows = 10;

// What a column shows, from empty to full.
constexpr std::array<std::string_view, 9> fine_levels = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 3> plain_levels = {" ", ".", "#"};

double milliseconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e3;
}

// Tells more than a probability measured on a million writes.
double rounded(double probability) {
  return std::round(probability * 1e6) / 1e6;
}

const char* name(Durability durability) {
  return durability == Durability::power_loss ? "full" : "normal";
}

bool shows_utf8() {
  const locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return false;
  const bool is_utf8 = std::string_view{::nl_langinfo_l(CODESET, locale)} == "UTF-8";
  ::freelocale(locale);
  return is_utf8;
}

// One cell of the chart: how far `p` fills the row that begins at `bottom`.
template <std::size_t Count>
std::string_view filled(const std::array<std::string_view, Count>& levels, double p, double bottom) {
  const double share = std::clamp((p - bottom) * chart_rows, 0.0, 1.0);
  // A little is rounded down: a full column has to mean that every read is fresh.
  return levels[static_cast<std::size_t>(share * (Count - 1) + 1e-9)];
}

// The evenly spaced points; one that stands beyond them is in the JSON alone.
std::span<const measure::CurvePoint> columns(const measure::Visibility& measured) {
  return std::span{measured.curve}.first(std::min<std::size_t>(measured.curve.size(), measure::curve_points));
}

std::string chart_row(const measure::Visibility& measured, int row, const Palette& palette) {
  static const bool is_fine = shows_utf8();
  const double bottom = static_cast<double>(row) / chart_rows;
  // Both curves rise, so first comes what nothing fills, then what only the delay does, then the read model.
  std::string nothing;
  std::string engine;
  std::string fresh;
  for (const measure::CurvePoint& point : columns(measured)) {
    const std::string_view cell =
        is_fine ? filled(fine_levels, point.p_fresh, bottom) : filled(plain_levels, point.p_fresh, bottom);
    if (cell != " ") {
      fresh += cell;
    } else if (point.p_delivered > bottom) {
      engine += is_fine ? "·" : "-";
    } else {
      nothing += cell;
    }
  }
  return nothing + palette.faint(engine) + palette.good(fresh);
}

std::string chart(const measure::Visibility& measured, const Palette& palette) {
  std::string text = "P(fresh)\n";
  for (int row = chart_rows - 1; row >= 0; --row) {
    const std::string label = row == chart_rows - 1 ? "100%" : row == chart_rows / 2 - 1 ? " 50%" : "    ";
    text += fmt::format("{} |{}\n", label, chart_row(measured, row, palette));
  }
  const std::string end = fmt::format("{:.2f} ms after the commit", milliseconds(columns(measured).back().after));
  text += fmt::format("  0% +{:->{}}\n", "", columns(measured).size());
  return text + fmt::format("     0{:>{}}\n", end, columns(measured).size());
}

}  // namespace

nlohmann::ordered_json visibility_json(const measure::Visibility& measured) {
  Json curve = Json::array();
  for (const measure::CurvePoint& point : measured.curve) {
    curve.push_back({{"t_ms", milliseconds(point.after)},
                     {"p_fresh", rounded(point.p_fresh)},
                     {"p_delivered", rounded(point.p_delivered)}});
  }
  return {{"writes", measured.writes},
          {"delay", measured.delay},
          {"p50_ms", milliseconds(measured.p50)},
          {"p90_ms", milliseconds(measured.p90)},
          {"p99_ms", milliseconds(measured.p99)},
          {"max_ms", milliseconds(measured.max)},
          {"delay_p50_ms", milliseconds(measured.delay_p50)},
          {"delay_p90_ms", milliseconds(measured.delay_p90)},
          {"delay_p99_ms", milliseconds(measured.delay_p99)},
          {"curve", std::move(curve)}};
}

nlohmann::ordered_json throughput_json(const measure::Throughput& measured) {
  Json rows = Json::array();
  for (const measure::Throughput::Row& row : measured.rows) {
    rows.push_back({{"durability", name(row.durability)},
                    {"writers", row.writers},
                    {"events", row.events},
                    {"events_per_second", std::round(row.events_per_second * 10) / 10},
                    {"p50_ms", milliseconds(row.p50)},
                    {"p99_ms", milliseconds(row.p99)}});
  }
  const measure::Throughput::Reference& reference = measured.reference;
  return {{"rows", std::move(rows)},
          {"reference",
           {{"what", "append 4 KiB and fdatasync"},
            {"writes", reference.writes},
            {"writes_per_second", std::round(reference.writes_per_second * 10) / 10},
            {"p50_ms", milliseconds(reference.p50)},
            {"p99_ms", milliseconds(reference.p99)}}}};
}

std::string visibility_text(const measure::Visibility& measured, const Palette& palette) {
  const auto line = [](const char* label, Duration value, Duration delay) {
    return fmt::format("  {}  {:>10.2f} ms {:>10.2f} ms\n", label, milliseconds(value), milliseconds(delay));
  };
  std::string text =
      fmt::format("{} writes, delay {}\n", palette.strong(fmt::to_string(measured.writes)), measured.delay);
  text += "          visible  the delay alone\n";
  text += line("p50", measured.p50, measured.delay_p50);
  text += line("p90", measured.p90, measured.delay_p90);
  text += line("p99", measured.p99, measured.delay_p99);
  text += fmt::format("  max  {:>10.2f} ms\n\n", milliseconds(measured.max));
  return text + chart(measured, palette);
}

std::string throughput_text(const measure::Throughput& measured, const Palette& palette) {
  std::string text = "DURABILITY  WRITERS  EVENTS/S   P50 OF AN APPEND   P99 OF AN APPEND\n";
  for (const measure::Throughput::Row& row : measured.rows) {
    text += fmt::format("{:<10}  {:>7}  {}  {:>14.3f} ms  {:>14.3f} ms\n", name(row.durability), row.writers,
                        palette.strong(fmt::format("{:>8.0f}", row.events_per_second)), milliseconds(row.p50),
                        milliseconds(row.p99));
  }
  const measure::Throughput::Reference& reference = measured.reference;
  return text + fmt::format("{:<19}  {:>8.0f}  {:>14.3f} ms  {:>14.3f} ms\n", "4 KiB and fdatasync",
                            reference.writes_per_second, milliseconds(reference.p50), milliseconds(reference.p99));
}

}  // namespace freshet::cli
