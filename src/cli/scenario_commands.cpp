// `demo` and `run`: scripts, played and shown.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/output_file.hpp"
#include "cli/script_commands.hpp"
#include "cli/temporary_database.hpp"
#include "report/html.hpp"
#include "scenario/json.hpp"
#include "scenario/mermaid.hpp"
#include "scenario/player.hpp"
#include "scenario/text.hpp"

namespace freshet::cli {
namespace {

using scenario::Report;

// All of it, or enough to find that it is too long for a script.
std::string script_of(std::istream& stream) {
  std::string text(scenario::script_bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Why a script did not pass, with what happened until then.
Failure failure_of(const Report& report) {
  Failure failure{static_cast<int>(Exit::broken), "script_failed", report.failure};
  if (report.failed_line > 0) failure.details["line"] = report.failed_line;
  if (report.miss) {
    failure.details["field"] = report.miss->field;
    failure.details["wanted"] = report.miss->wanted;
    failure.details["found"] =
        report.miss->found ? nlohmann::ordered_json(*report.miss->found) : nlohmann::ordered_json(nullptr);
  }
  failure.details["report"] = scenario::to_json(report);
  failure.remarks = lines_of(scenario::render_text(report, {}));
  return failure;
}

scenario::StageOptions stage_options(const PlayOptions& options, const std::filesystem::path& file, Session& session) {
  return {.file = file,
          .clock = options.clock,
          .speed = options.speed.value_or(1.0),
          .durability = options.durability,
          .busy_timeout = options.busy_timeout,
          .upgrade = options.upgrade,
          .bus = options.bus,
          .on_notice =
              [&session](const Notice& notice) {
                if (notice.level >= Notice::Level::warning) session.note("warning: " + notice.message);
              },
          .interrupted = [&session] { return session.interrupted() != 0; }};
}

// On a real clock a machine that stands still for 50 ms closes a window before the script has read in it. A
// demonstration does not fail for that; with another delay than its own it may well.
constexpr int demo_attempts_max = 3;

Report play_demo(const scenario::Demo& demo, const PlayOptions& options, Session& session) {
  const ScriptCommands commands{session, options.bus_change};
  const auto steps = scenario::understand(demo.script, commands);
  for (int attempt = 1;; ++attempt) {
    const TemporaryDatabase database{options.file};
    Report report = scenario::play(std::string{demo.name}, steps, stage_options(options, database.file(), session));
    const bool may_be_noise =
        report.miss && options.clock == scenario::ClockKind::real && !options.file && !options.bus_change.delay;
    if (!may_be_noise || attempt == demo_attempts_max) return report;
    session.note(fmt::format("the machine was too busy for '{}' ({}): it is played again", demo.name, report.failure));
  }
}

Report play_script(const std::vector<scenario::Step>& steps, const PlayScript& request, Session& session) {
  if (!request.options.file) {
    const TemporaryDatabase database{std::nullopt};
    return scenario::play(request.script, steps, stage_options(request.options, database.file(), session));
  }
  auto options = stage_options(request.options, *request.options.file, session);
  options.origin = scenario::FileOrigin::given;
  return scenario::play(request.script, steps, options);
}

// Pictures of the runs, also of those that did not pass. A place that cannot be drawn in is told before anything runs.
class Pictures {
 public:
  Pictures(const PlayOptions& options, const FilesInUse& in_use) {
    if (options.mermaid) mermaid_.emplace(*options.mermaid, options.existing, in_use);
    if (options.html) html_.emplace(*options.html, options.existing, in_use);
  }

  void draw(const std::vector<Report>& reports) {
    if (mermaid_) {
      mermaid_->write(scenario::render_mermaid(reports.front()));
      mermaid_->commit();
    }
    if (html_) {
      html_->write(reports.size() == 1 ? report::render_html(reports.front()) : report::render_html(reports));
      html_->commit();
    }
  }

 private:
  std::optional<OutputFile> mermaid_;
  std::optional<OutputFile> html_;
};

Result interruption(Session& session) {
  if (session.interrupted() == 0) return std::nullopt;
  return interrupted_failure(session.interrupted(), "interrupted: the script was not played to its end");
}

Result finish(const Report& played, Pictures& pictures, Session& session) {
  if (auto interrupted = interruption(session)) return interrupted;
  pictures.draw({played});
  if (!played.passed) return failure_of(played);
  session.answer(PlayedScript{played});
  return std::nullopt;
}

Failure unknown_demo(const std::string& name) {
  std::vector<std::string> names;
  for (const scenario::Demo& demo : scenario::demos()) names.emplace_back(demo.name);
  if (const auto known = nearest(name, names)) {
    return not_found_failure(fmt::format("no such demonstration '{}': did you mean '{}'?", name, *known));
  }
  return not_found_failure(fmt::format("no such demonstration '{}': there are {}", name, fmt::join(names, ", ")));
}

Result play_all(const PlayDemo& request, Session& session) {
  Pictures pictures{request.options, {}};
  std::vector<Report> reports;
  const auto total = static_cast<std::int64_t>(scenario::demos().size());
  for (const scenario::Demo& demo : scenario::demos()) {
    session.progress("demo", static_cast<std::int64_t>(reports.size()), total);
    reports.push_back(play_demo(demo, request.options, session));
    if (auto interrupted = interruption(session)) return interrupted;
  }
  session.progress("demo", total, total);
  pictures.draw(reports);
  const auto failed = std::ranges::find(reports, false, &Report::passed);
  if (failed == reports.end()) {
    session.answer(PlayedDemos{std::move(reports)});
    return std::nullopt;
  }
  Failure failure = failure_of(*failed);
  failure.message = fmt::format("demonstration '{}': {}", failed->name, failed->failure);
  failure.details["demo"] = failed->name;
  failure.details["report"] = scenario::to_json(reports);
  return failure;
}

}  // namespace

Result run_request(const ListDemos& /*request*/, Session& session) {
  session.answer(ShownDemos{scenario::demos()});
  return std::nullopt;
}

Result run_request(const PrintDemo& request, Session& session) {
  const scenario::Demo* demo = scenario::find_demo(request.name);
  if (demo == nullptr) return unknown_demo(request.name);
  session.answer(ShownScript{std::string{demo->name}, std::string{demo->script}});
  return std::nullopt;
}

Result run_request(const PlayDemo& request, Session& session) {
  if (request.name == "all") return play_all(request, session);
  const scenario::Demo* demo = scenario::find_demo(request.name);
  if (demo == nullptr) return unknown_demo(request.name);
  Pictures pictures{request.options, {.database = request.options.file}};
  return finish(play_demo(*demo, request.options, session), pictures, session);
}

Result run_request(const PlayScript& request, Session& session) {
  std::error_code unknown;  // What cannot be told, opening it will tell.
  if (request.script != "-" && !std::filesystem::exists(request.script, unknown) && !unknown) {
    return not_found_failure(fmt::format("no such script '{}'", request.script));
  }
  Input input{request.script, session};
  const std::string text = script_of(input.stream());
  input.check();
  if (auto interrupted = interruption(session)) return interrupted;
  std::optional<std::filesystem::path> script;
  if (request.script != "-") script = request.script;
  const ScriptCommands commands{session, {}, {.script = script, .existing = request.options.existing}};
  try {
    const auto steps = scenario::understand(text, commands);
    Pictures pictures{request.options, {.database = request.options.file, .script = script}};
    return finish(play_script(steps, request, session), pictures, session);
  } catch (const scenario::ScriptError& error) {
    Failure failure = usage_failure(error.what());
    failure.details["line"] = error.line();
    return failure;
  }
}

}  // namespace freshet::cli
