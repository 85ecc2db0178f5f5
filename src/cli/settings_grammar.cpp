// The options of every command: the file, the form of answers, what is promised, and the bus.
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "bus/delay.hpp"
#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

std::optional<Duration> parse_duration_above_zero(const std::string& text) {
  const auto duration = parse_duration(text);
  return duration > Duration{0} ? duration : std::nullopt;
}

}  // namespace

void add_bus_options(Command& program, BusChange& bus) {
  const BusOptions defaults;
  program.value({.name = "--delay",
                 .type = "DELAY",
                 .meaning = "How long events are on their way to the read tables: 50ms, uniform(20ms,80ms), "
                            "normal(50ms,10ms), exponential(50ms) (default: no delay)",
                 .expected = "a duration such as 50ms, or fixed(50ms), uniform(20ms,80ms), normal(50ms,10ms), "
                             "exponential(50ms)",
                 .section = "Bus"},
                parse_delay, bus.delay);
  program.value({.name = "--duplicate",
                 .type = "P",
                 .meaning = "The probability that an event is delivered once more (default: 0)",
                 .expected = "a number from 0 to 1",
                 .section = "Bus"},
                parse_probability, bus.duplicate_probability);
  program.value({.name = "--redeliver-after",
                 .type = "DUR",
                 .meaning = fmt::format("Deliver again what was not acknowledged for so long (default: {})",
                                        format_duration(defaults.redeliver_after)),
                 .expected = "a duration above 0 such as 30s",
                 .section = "Bus"},
                parse_duration_above_zero, bus.redeliver_after);
  program.value({.name = "--seed",
                 .type = "N",
                 .meaning = fmt::format("The same seed makes the same random choices (default: {})", defaults.seed),
                 .expected = "a whole number from 0 to 18446744073709551615",
                 .section = "Bus"},
                parse_seed, bus.seed);
}

void add_settings(Command& program, Settings& settings) {
  const Settings defaults;
  const auto file = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::filesystem::path>{text};
  };
  program.value({.name = "--db",
                 .type = "FILE",
                 .meaning = fmt::format("The database (default: {}; environment: FRESHET_DB)", default_file),
                 .expected = "a file name",
                 .environment = "FRESHET_DB"},
                file, settings.file);
  program.flag("--json", "Answer with one JSON document; failures are JSON on standard error", settings.format,
               Format::json);
  program.value({.name = "--durability",
                 .type = "full|normal",
                 .meaning = "What a reported success survives: loss of power, or (normal) only the end of the process "
                            "(default: full)",
                 .expected = "full or normal"},
                parse_durability, settings.durability);
  program.value({.name = "--busy-timeout",
                 .type = "DUR",
                 .meaning = fmt::format("How long to wait for another process that writes (default: {})",
                                        format_duration(defaults.busy_timeout)),
                 .expected = a_duration},
                parse_duration, settings.busy_timeout);
  program.value(
      {.name = "--upgrade",
       .type = "copy|no-copy|never",
       .meaning = "What a command that writes does first with a file of an older format: carry it over, after "
                  "a copy FILE.format-N was made beside it (copy); carry it over (no-copy); or fail (never) "
                  "(default: copy)",
       .expected = "copy, no-copy or never"},
      parse_upgrade, settings.upgrade);
  const auto session = [](const std::string& text) {
    return text == new_session || is_session_token(text) ? std::optional{text} : std::nullopt;
  };
  program.value({.name = "--session",
                 .type = "TOKEN",
                 .meaning = "Read your own writes and never back in time: 'new' begins a session, and each answer says "
                            "with which token the next command goes on (default: none; environment: FRESHET_SESSION)",
                 .expected = a_session,
                 .environment = "FRESHET_SESSION"},
                session, settings.session);
  program.value({.name = "--log-level",
                 .type = "debug|info|warn|error|off",
                 .meaning = "What to log on standard error: debug, info, warn, error or off (default: warn)",
                 .expected = "debug, info, warn, error or off"},
                parse_log_level, settings.log_level);
  program.value({.name = "--color",
                 .type = "auto|always|never",
                 .meaning = "Colours: auto, always or never (default: auto)",
                 .expected = "auto, always or never"},
                parse_colour, settings.colour);
  add_bus_options(program, settings.bus_change);
}

}  // namespace freshet::cli
