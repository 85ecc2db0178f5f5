// The grammar of the group `measure`.
#include <fmt/format.h>

#include <memory>

#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

auto count_up_to(std::int64_t max) {
  return [max](const std::string& text) {
    const auto count = parse_count(text, 1);
    return count <= max ? count : std::nullopt;
  };
}

std::string a_number_up_to(std::int64_t max) {
  return fmt::format("a whole number from 1 to {}", max);
}

// Where a measurement leaves more than its answer.
template <typename Measurement>
void add_files(Command& command, Measurement& request) {
  const auto file = [](const std::string& text) {
    return text.empty() || text == "-" ? std::nullopt : std::optional<std::filesystem::path>{text};
  };
  command.value({.name = "--keep",
                 .type = "FILE",
                 .meaning = "Measure on this new file, and keep it (default: a temporary one; --db is not used)",
                 .expected = "a file name"},
                file, request.keep);
  command.value({.name = "--html",
                 .type = "FILE",
                 .meaning = "Write the report to this file, as a page to look at in a browser (default: none)",
                 .expected = "a file name; standard output has the answer itself"},
                file, request.html);
  command.flag("--force", "Replace the page if there is one; a database never", request.existing,
               ExistingFile::replace);
}

void add_visibility(Group& group, const Settings& settings) {
  const auto draft = std::make_shared<MeasureVisibility>();
  Command command = group.command("visibility", "How long after a commit the read model shows it",
                                  "measure visibility --delay 'uniform(20ms,80ms)'", [draft, &settings] {
                                    MeasureVisibility request = *draft;
                                    request.options.bus = settings.bus;
                                    request.options.durability =
                                        settings.durability.value_or(request.options.durability);
                                    return request;
                                  });
  command.value({.name = "--writes",
                 .type = "N",
                 .meaning = fmt::format("How many writes, {} ms apart (default: {})",
                                        measure::write_interval.count() / 1000, draft->options.writes),
                 .expected = a_number_up_to(measure::writes_max)},
                count_up_to(measure::writes_max), draft->options.writes);
  add_files(command, *draft);
}

void add_throughput(Group& group, const Settings& settings) {
  const auto draft = std::make_shared<MeasureThroughput>();
  Command command = group.command("throughput", "How many events a second this machine's disk takes",
                                  "measure throughput --writers 8 --durability full", [draft, &settings] {
                                    MeasureThroughput request = *draft;
                                    if (settings.durability) request.options.durabilities = {*settings.durability};
                                    return request;
                                  });
  const auto writers = [](const std::string& text) -> std::optional<int> {
    const auto count = count_up_to(measure::writers_max)(text);
    return count ? std::optional{static_cast<int>(*count)} : std::nullopt;
  };
  command.value({.name = "--writers",
                 .type = "N",
                 .meaning = "How many threads append at the same time (default: 1, then 8, then 64)",
                 .expected = a_number_up_to(measure::writers_max)},
                writers, draft->options.writers);
  command.value({.name = "--events",
                 .type = "N",
                 .meaning = fmt::format("How many events they append in all (default: {})", draft->options.events),
                 .expected = a_number_up_to(measure::events_max)},
                count_up_to(measure::events_max), draft->options.events);
  add_files(command, *draft);
}

}  // namespace

void add_measure_commands(Group& group, const Settings& settings) {
  add_visibility(group, settings);
  add_throughput(group, settings);
}

}  // namespace freshet::cli
