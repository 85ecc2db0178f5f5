// Lays out answers for people: blocks, tables and one line an event.
#include "cli/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/time_text.hpp"
#include "bus/delay.hpp"
#include "cli/measure_output.hpp"
#include "cli/overloaded.hpp"
#include "cli/printable.hpp"
#include "orders/money.hpp"
#include "scenario/text.hpp"

namespace freshet::cli {
namespace {

// How wide the text stands in a terminal; exact for most scripts, and no table is wrong for the rest.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

enum class Align { left, right };

std::string padded(const std::string& text, std::size_t width, Align align) {
  const std::string fill(width - std::min(width, width_of(text)), ' ');
  return align == Align::left ? text + fill : fill + text;
}

// Rows with columns as wide as their widest cell.
template <std::size_t Columns>
class Table {
 public:
  using Row = std::array<std::string, Columns>;

  explicit Table(const std::array<Align, Columns>& aligns) : aligns_(aligns) {}

  void add(Row row) { rows_.push_back(std::move(row)); }

  [[nodiscard]] std::string text(std::string_view indent) const {
    std::array<std::size_t, Columns> widths{};
    for (const Row& row : rows_) {
      for (std::size_t column = 0; column < Columns; ++column) {
        widths[column] = std::max(widths[column], width_of(row[column]));
      }
    }
    std::string text;
    for (const Row& row : rows_) {
      std::string line{indent};
      for (std::size_t column = 0; column < Columns; ++column) {
        if (column > 0) line += "  ";
        line += padded(row[column], widths[column], aligns_[column]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::array<Align, Columns> aligns_;
  std::vector<Row> rows_;
};

scenario::Marks marks_of(const Palette& palette) {
  return {.stale = [&palette](std::string_view text) { return palette.bad(text); },
          .strong = [&palette](std::string_view text) { return palette.strong(text); },
          .faint = [&palette](std::string_view text) { return palette.faint(text); }};
}

std::string played(scenario::Report report, const Palette& palette) {
  for (scenario::Occurrence& occurrence : report.timeline) {
    occurrence.what = printable(occurrence.what);
    occurrence.client = printable(occurrence.client);
  }
  for (scenario::Window& window : report.windows) window.order_id = printable(window.order_id);
  return scenario::render_text(report, marks_of(palette));
}

std::string money(std::int64_t minor, const std::string& currency) {
  return orders::format_money(minor, currency) + " " + printable(currency);
}

std::string milliseconds(Duration duration) {
  return fmt::format("{:.1f} ms", static_cast<double>(duration.count()) / 1e3);
}

std::string seconds(Duration duration) {
  return fmt::format("{:.2f} s", static_cast<double>(duration.count()) / 1e6);
}

// How old something is: milliseconds as long as they say something.
std::string age(Duration duration) {
  using namespace std::chrono_literals;
  if (duration < 10s) return milliseconds(duration);
  const double whole = static_cast<double>(duration.count()) / 1e6;
  if (duration < 2min) return fmt::format("{:.1f} s", whole);
  if (duration < 2h) return fmt::format("{:.1f} min", whole / 60);
  if (duration < 48h) return fmt::format("{:.1f} h", whole / 3600);
  return fmt::format("{:.1f} days", whole / 86400);
}

std::string waited(const Freshness& freshness) {
  return freshness.waited > Duration{0} ? fmt::format(", waited {}", milliseconds(freshness.waited)) : "";
}

const char* source_name(Source source) {
  return source == Source::read_model ? "the read tables" : "the event log";
}

std::string order_freshness(const Freshness& freshness, const Palette& palette) {
  const std::int64_t shown = freshness.version.value;
  const std::int64_t latest = freshness.latest_version.value;
  const std::string rest = fmt::format("from {}{}", source_name(freshness.source), waited(freshness));
  if (!freshness.stale && shown >= latest) return fmt::format("{}, {}\n", palette.good("fresh"), rest);
  if (!freshness.stale) return fmt::format("version {} of {}, {}\n", shown, latest, rest);
  // A version that nobody has written yet is not there, and nothing is behind.
  const std::string behind = freshness.behind_events > 0 ? fmt::format(", {} behind", age(freshness.behind)) : "";
  return fmt::format("{}: shows version {} of {}{}, {}\n", palette.bad("STALE"), shown, latest, behind, rest);
}

std::string log_freshness(const Freshness& freshness, const Palette& palette) {
  const std::string rest = fmt::format("from {}{}", source_name(freshness.source), waited(freshness));
  if (!freshness.stale) return fmt::format("{}, {}\n", palette.good("fresh"), rest);
  const std::string behind =
      freshness.behind_events > 0
          ? fmt::format(", {} and {} behind", counted(freshness.behind_events, "event"), age(freshness.behind))
          : "";
  return fmt::format("{}: shows position {} of {}{}, {}\n", palette.bad("STALE"), freshness.position.value,
                     freshness.head.value, behind, rest);
}

class Writer {
 public:
  explicit Writer(const Palette& palette) : palette_(palette) {}

  std::string operator()(const orders::Done& done) const {
    const std::string again = done.duplicate ? ", as answered before; nothing was appended" : "";
    return fmt::format("order {} is {}: {}, version {}, position {}{}\n", palette_.strong(printable(done.order_id)),
                       orders::name(done.status), done.event, done.version.value, done.position.value, again);
  }

  std::string operator()(const Imported& imported) const {
    const orders::ImportResult& result = imported.result;
    return fmt::format("{} in {}: {} applied, {} duplicates, {} rejected, {} invalid\n", counted(result.lines, "line"),
                       seconds(imported.elapsed), result.applied, result.duplicates, result.rejected, result.invalid);
  }

  std::string operator()(const ShownOrder& shown) const {
    const orders::Order& order = shown.value.order;
    const std::string& currency = order.currency;
    Table<2> table{{Align::left, Align::left}};
    table.add({"order", printable(shown.value.order_id)});
    table.add({"status", orders::name(order.status)});
    table.add({"amount", money(order.amount_minor, currency)});
    if (order.paid_minor) table.add({"paid", money(*order.paid_minor, currency)});
    table.add({"customer", printable(order.customer)});
    table.add({"version", fmt::to_string(shown.value.version.value)});
    table.add({"placed", format_timestamp(order.placed_at)});
    table.add({"updated", format_timestamp(order.updated_at)});
    std::string label = "items";
    for (const orders::Item& item : order.items) {
      table.add({label, fmt::format("{} x {} at {}", item.quantity, printable(item.sku),
                                    money(item.unit_price_minor, currency))});
      label = "";
    }
    if (order.freight_minor > 0) table.add({"freight", money(order.freight_minor, currency)});
    return table.text("") + order_freshness(shown.freshness, palette_);
  }

  std::string operator()(const ShownPage& page) const {
    Table<6> table{{Align::left, Align::left, Align::right, Align::left, Align::right, Align::left}};
    table.add({"ORDER", "STATUS", "AMOUNT", "CUSTOMER", "VERSION", "PLACED"});
    for (const orders::OrderView& view : page.value.orders) {
      const orders::Order& order = view.order;
      table.add({printable(view.order_id), orders::name(order.status), money(order.amount_minor, order.currency),
                 printable(order.customer), fmt::to_string(view.version.value), format_timestamp(order.placed_at)});
    }
    std::string text = page.value.orders.empty() ? "no orders\n" : table.text("");
    if (page.value.next) text += fmt::format("more with --after {}\n", printable(*page.value.next));
    return text + log_freshness(page.freshness, palette_);
  }

  std::string operator()(const ShownStats& shown) const {
    const orders::Stats& stats = shown.value;
    std::string text = fmt::format("orders {}\n", stats.orders);
    Table<2> by_status{{Align::left, Align::right}};
    for (const auto& [status, count] : stats.by_status) {
      by_status.add({orders::name(status), fmt::to_string(count)});
    }
    Table<1> revenue{{Align::right}};
    for (const auto& [currency, minor] : stats.revenue_minor) revenue.add({money(minor, currency)});
    Table<3> by_day{{Align::left, Align::right, Align::right}};
    for (const auto& day : stats.by_day) {
      by_day.add({day.day, counted(day.orders, "order"), money(day.revenue_minor, day.currency)});
    }
    if (stats.orders > 0) text += by_status.text("  ");
    if (!stats.revenue_minor.empty()) text += "revenue\n" + revenue.text("  ");
    if (!stats.by_day.empty()) text += "by day\n" + by_day.text("  ");
    return text + log_freshness(shown.freshness, palette_);
  }

  std::string operator()(const HistoryEvent& shown) const { return event_line(shown.event, ""); }

  std::string operator()(const LogEvent& shown) const {
    return event_line(shown.event, printable(shown.event.stream.category + "/" + shown.event.stream.id) + "  ");
  }

  std::string operator()(const Verification& found) const {
    return fmt::format("{}: {} in {}, no problems\n", palette_.good("sound"), counted(found.events, "event"),
                       counted(found.streams, "stream"));
  }

  std::string operator()(const ExportedLine& exported) const { return exported.line + "\n"; }

  std::string operator()(const ExportedLog& exported) const {
    return fmt::format("{} exported to {} in {}\n", counted(exported.events, "event"), printable(exported.file),
                       seconds(exported.elapsed));
  }

  std::string operator()(const ImportedLog& imported) const {
    return fmt::format("{} in {}: {} applied, {} duplicates\n", counted(imported.lines, "line"),
                       seconds(imported.elapsed), imported.applied, imported.lines - imported.applied);
  }

  std::string operator()(const BackedUpLog& backed_up) const {
    return fmt::format("{} backed up to {} ({} bytes) in {}\n", counted(backed_up.backup.head.value, "event"),
                       palette_.strong(printable(backed_up.file)), backed_up.backup.bytes, seconds(backed_up.elapsed));
  }

  std::string operator()(const ShownProjections& shown) const {
    Table<9> table{{Align::left, Align::right, Align::left, Align::right, Align::right, Align::right, Align::right,
                    Align::right, Align::right}};
    table.add(
        {"PROJECTION", "SCHEMA", "MODE", "POSITION", "BEHIND", "BEHIND MS", "DUPLICATES", "DEAD LETTERS", "PROCESS"});
    for (const ProjectionStatus& projection : shown.projections) {
      table.add({printable(projection.name), fmt::to_string(projection.schema_version), "async",
                 fmt::format("{} of {}", projection.position.value, projection.head.value),
                 fmt::to_string(projection.behind_events),
                 fmt::format("{:.1f}", static_cast<double>(projection.behind.count()) / 1e3),
                 fmt::to_string(projection.duplicates_skipped), fmt::to_string(projection.dead_letters),
                 projection.projected_by ? fmt::to_string(*projection.projected_by) : "-"});
    }
    return table.text("");
  }

  std::string operator()(const RebuiltProjections& shown) const {
    std::string text;
    for (const Rebuilt& rebuilt : shown.rebuilt) {
      text += fmt::format("{} was made again from {} in {}\n", palette_.strong(rebuilt.name),
                          counted(rebuilt.events, "event"), seconds(rebuilt.elapsed));
    }
    return text;
  }

  std::string operator()(const RemovedProjection& removed) const {
    const std::string tables =
        removed.tables.empty() ? "" : fmt::format(", and its tables with it: {}", fmt::join(removed.tables, ", "));
    return printable(fmt::format("{} is removed{}", removed.name, tables)) + '\n';
  }

  std::string operator()(const RenamedProjection& renamed) const {
    return printable(fmt::format("{} is {} from now on", renamed.was, renamed.name)) + '\n';
  }

  std::string operator()(const ShownDeadLetters& shown) const {
    return shown.letters.empty() ? "no dead letters\n" : letter_table(shown.letters);
  }

  std::string operator()(const RetriedDeadLetters& retried) const {
    const std::string applied = fmt::format("{} applied", counted(retried.applied, "dead letter"));
    if (retried.remaining.empty()) return fmt::format("{}, none remains\n", applied);
    return fmt::format("{}, {} {}\n{}", applied, retried.remaining.size(),
                       retried.remaining.size() == 1 ? "remains" : "remain", letter_table(retried.remaining));
  }

  std::string operator()(const DiscardedDeadLetters& discarded) const {
    return fmt::format("{} discarded\n", counted(discarded.discarded, "dead letter"));
  }

  std::string operator()(const measure::Visibility& measured) const { return visibility_text(measured, palette_); }
  std::string operator()(const measure::Throughput& measured) const { return throughput_text(measured, palette_); }

  std::string operator()(const ShownBus& shown) const {
    const BusOptions& bus = shown.bus;
    return fmt::format("bus: delay {}, duplicate {}, redeliver after {}, seed {}\n", format_delay(bus.delay),
                       bus.duplicate_probability, format_duration(bus.redeliver_after), bus.seed);
  }

  std::string operator()(const ShownDemos& shown) const {
    Table<2> table{{Align::left, Align::left}};
    for (const scenario::Demo& demo : shown.demos) {
      table.add({std::string{demo.name}, std::string{demo.description}});
    }
    return table.text("");
  }

  std::string operator()(const ShownScript& shown) const { return shown.script; }

  std::string operator()(const PlayedScript& shown) const { return played(shown.report, palette_); }

  std::string operator()(const PlayedDemos& shown) const {
    std::string text;
    for (const scenario::Report& report : shown.reports) {
      const scenario::Demo* demo = scenario::find_demo(report.name);
      text += fmt::format("{}: {}\n{}\n", palette_.strong(report.name), demo == nullptr ? "" : demo->description,
                          played(report, palette_));
    }
    return text + fmt::format("{}: {} demonstrations\n", palette_.good("passed"), shown.reports.size());
  }

 private:
  [[nodiscard]] static std::string letter_table(const std::vector<DeadLetter>& letters) {
    Table<7> table{{Align::left, Align::right, Align::left, Align::left, Align::right, Align::left, Align::left}};
    table.add({"PROJECTION", "POSITION", "STREAM", "EVENT", "ATTEMPTS", "LAST ATTEMPT", "REASON"});
    for (const DeadLetter& letter : letters) {
      table.add({printable(letter.projection), fmt::to_string(letter.position.value),
                 printable(letter.stream.category + "/" + letter.stream.id), printable(letter.type),
                 fmt::to_string(letter.attempts), format_timestamp(letter.at), printable(letter.reason)});
    }
    return table.text("");
  }

  [[nodiscard]] std::string event_line(const RecordedEvent& event, const std::string& stream) const {
    return fmt::format("{:>6}  {}v{:<3} {}  {}  {}\n", event.position.value, stream, event.version.value,
                       palette_.faint(format_timestamp(event.occurred_at)), palette_.strong(printable(event.type)),
                       printable(event.data));
  }

  const Palette& palette_;
};

}  // namespace

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string render_text(const Answer& answer, const Palette& palette) {
  return std::visit(Writer{palette}, answer);
}

std::vector<std::string> warnings_of(const Answer& answer) {
  return std::visit(
      [](const auto& value) -> std::vector<std::string> {
        if constexpr (requires { value.warnings; }) return value.warnings;
        return {};
      },
      answer);
}

}  // namespace freshet::cli
