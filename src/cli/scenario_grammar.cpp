// The grammar of `demo` and `run`.
#include <charconv>
#include <memory>

#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

// Faster than this the machine's own time would be all that is measured.
constexpr double speed_max = 1e6;

std::optional<scenario::ClockKind> parse_clock(const std::string& text) {
  if (text == "real") return scenario::ClockKind::real;
  if (text == "virtual") return scenario::ClockKind::virtual_;
  return std::nullopt;
}

std::optional<double> parse_speed(const std::string& text) {
  double speed = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, speed, std::chars_format::fixed);
  const bool is_read = result.ec == std::errc{} && result.ptr == end;
  return is_read && speed >= 1 / speed_max && speed <= speed_max ? std::optional{speed} : std::nullopt;
}

std::optional<std::filesystem::path> parse_file(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::filesystem::path>{text};
}

// Standard output has the run itself.
std::optional<std::filesystem::path> parse_picture(const std::string& text) {
  return text == "-" ? std::nullopt : parse_file(text);
}

void add_play_options(Command& command, PlayOptions& options, const std::string& force_meaning) {
  command.value({.name = "--clock",
                 .type = "real|virtual",
                 .meaning = "Sleep for real and measure, or play in virtual time: nothing lasts, and the same seed "
                            "gives the same output (default: real)",
                 .expected = "real or virtual"},
                parse_clock, options.clock);
  command.value({.name = "--speed",
                 .type = "F",
                 .meaning = "How many times as fast as the machine's the real clock runs (default: 1)",
                 .expected = "a number from 0.000001 to 1000000 such as 10 or 0.5"},
                parse_speed, options.speed);
  command.value({.name = "--mermaid",
                 .type = "FILE",
                 .meaning = "Write the run to this file, as a Mermaid sequenceDiagram (default: none)",
                 .expected = "a file name; standard output has the run itself"},
                parse_picture, options.mermaid);
  command.value({.name = "--html",
                 .type = "FILE",
                 .meaning = "Write the run to this file, as a page to look at in a browser (default: none)",
                 .expected = "a file name; standard output has the run itself"},
                parse_picture, options.html);
  command.flag("--force", force_meaning, options.existing, ExistingFile::replace);
}

// What the options of every command say about the playing of a script.
PlayOptions with_settings(PlayOptions options, const Settings& settings) {
  if (options.speed && options.clock == scenario::ClockKind::virtual_) {
    throw Misuse("--speed is for the real clock: virtual time needs none");
  }
  if (options.mermaid && options.mermaid == options.html) {
    throw Misuse("--mermaid and --html name one file: give each its own");
  }
  options.durability = settings.durability.value_or(options.durability);
  options.busy_timeout = settings.busy_timeout;
  options.upgrade = settings.upgrade;
  return options;
}

// What is not played has nothing to write.
void check_files_unused(const PlayOptions& options) {
  if (!options.file && !options.mermaid && !options.html) return;
  throw Misuse("--keep, --mermaid and --html are for a demonstration that is played: leave them out");
}

void add_demo(Group& group, const Settings& settings) {
  struct Draft {
    std::string name;
    enum class Wanted { play, print } wanted = Wanted::play;
    PlayOptions options;
  };
  const auto draft = std::make_shared<Draft>();
  Command command = group.command("demo", "Show what eventual consistency looks like, on a database of its own",
                                  "demo list\n  freshet demo staleness\n  freshet demo all --clock virtual",
                                  [draft, &settings]() -> Request {
                                    const bool plays = draft->name != "list" && draft->wanted == Draft::Wanted::play;
                                    if (!plays) check_files_unused(draft->options);
                                    if (draft->name == "list") return ListDemos{};
                                    if (draft->wanted == Draft::Wanted::print) {
                                      if (draft->name == "all") throw Misuse("--print prints one script: name it");
                                      return PrintDemo{draft->name};
                                    }
                                    PlayDemo demo{draft->name, with_settings(draft->options, settings)};
                                    demo.options.bus = settings.bus;
                                    demo.options.bus_change = settings.bus_change;
                                    if (demo.name == "all" && demo.options.file) {
                                      throw Misuse("--keep keeps the database of one demonstration: name it");
                                    }
                                    if (demo.name == "all" && demo.options.mermaid) {
                                      throw Misuse("--mermaid draws one demonstration: name it");
                                    }
                                    return demo;
                                  });
  command.value({.name = "NAME",
                 .type = "NAME",
                 .meaning = "The demonstration; 'list' shows which there are, 'all' plays them one after the other",
                 .expected = "a name",
                 .presence = Presence::required},
                parse_some_text, draft->name);
  command.flag("--print", "Print the script instead of playing it; 'run' plays it, or your own version of it",
               draft->wanted, Draft::Wanted::print);
  command.value({.name = "--keep",
                 .type = "FILE",
                 .meaning = "Play on this new database and keep it (default: a temporary one)",
                 .expected = "a file name"},
                parse_file, draft->options.file);
  add_play_options(command, draft->options, "Replace the pictures if there are such files; a database never");
}

void add_run(Group& group, const Settings& settings) {
  const auto draft = std::make_shared<PlayScript>();
  Command command = group.command(
      "run", "Play a script, on a temporary database if there is no --db",
      "run teaching.fresh --clock virtual\n  freshet demo staleness --print | freshet run -", [draft, &settings] {
        PlayScript play = *draft;
        play.options = with_settings(draft->options, settings);
        play.options.bus = settings.bus;
        play.options.file = settings.file;
        return play;
      });
  command.value({.name = "FILE",
                 .type = "FILE",
                 .meaning = "The script; - is standard input",
                 .expected = "a file name",
                 .presence = Presence::required},
                parse_some_text, draft->script);
  add_play_options(command, draft->options,
                   "Replace files that are there: those of --mermaid and --html, and those that the script's own "
                   "--force replaces; a database never");
}

}  // namespace

void add_scenario_commands(Group& group, const Settings& settings) {
  add_demo(group, settings);
  add_run(group, settings);
}

}  // namespace freshet::cli
