// Parses the lines of a script, runs them, and tells in few words what they were answered.
#include "cli/script_commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/overloaded.hpp"
#include "cli/parser.hpp"
#include "cli/printable.hpp"
#include "cli/text.hpp"
#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

using scenario::Kind;
using scenario::Occurrence;
using scenario::Reply;

// A session on a script's stage, which keeps the answers.
class StageSession final : public Session {
 public:
  StageSession(scenario::Stage& stage, Session& process, const ScriptFiles& files)
      : stage_(stage), process_(process), files_(files) {}

  Store& store(OpenMode mode, Engine /*engine*/) override {
    // What follows in the script may change what is only looked at now.
    return stage_.store(mode == OpenMode::read_only ? OpenMode::existing : mode);
  }
  [[nodiscard]] FilesInUse files_in_use() const override {
    return {.database = stage_.file(), .script = files_.script};
  }
  std::filesystem::path closed_file() override {
    throw Error(ErrorCode::invalid, "a script has its store open from its first line to its last");
  }
  Duration busy_timeout() override { return {}; }
  Upgrade upgrade() override { return {}; }
  bool answer(const Answer& answer) override {
    answers_.push_back(answer);
    return true;
  }
  bool wait_for(int /*descriptor*/) override { return false; }
  void note(const std::string& line) override { process_.note(line); }
  void progress(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) override {}
  int interrupted() override { return process_.interrupted(); }

  [[nodiscard]] const std::vector<Answer>& answers() const { return answers_; }

 private:
  scenario::Stage& stage_;
  Session& process_;
  const ScriptFiles& files_;
  std::vector<Answer> answers_;
};

// What a command's answers come to on one line. `asked` are the command's words.
class Summary {
 public:
  Summary(std::string asked, std::int64_t answers) : asked_(std::move(asked)), answers_(answers) {}

  Occurrence operator()(const orders::Done& done) const {
    return {.kind = Kind::succeeded,
            .what = fmt::format("success: order {}, version {}{}", done.order_id, done.version.value,
                                done.duplicate ? ", as answered before" : ""),
            .order_id = done.order_id,
            .version = done.version};
  }

  Occurrence operator()(const ShownOrder& shown) const {
    const orders::OrderView& view = shown.value;
    std::string what = fmt::format("{} -> {}, version {}", asked_, orders::name(view.order.status), view.version.value);
    // Only a read that asked for something can have been disappointed.
    if (shown.freshness.waited > Duration{0} && !shown.warnings.empty()) what += ", " + shown.warnings.front();
    return {.kind = Kind::read,
            .what = std::move(what),
            .order_id = view.order_id,
            .version = view.version,
            .stale = shown.freshness.stale};
  }

  Occurrence operator()(const ShownPage& page) const {
    return read(counted(std::ssize(page.value.orders), "order"), page.freshness.stale);
  }

  Occurrence operator()(const ShownStats& stats) const {
    return read(counted(stats.value.orders, "order"), stats.freshness.stale);
  }

  Occurrence operator()(const Imported& imported) const {
    return {.kind = Kind::succeeded,
            .what = fmt::format("success: {} applied", counted(imported.result.applied, "line"))};
  }

  Occurrence operator()(const HistoryEvent& /*event*/) const { return read(counted(answers_, "event")); }
  Occurrence operator()(const LogEvent& /*event*/) const { return read(counted(answers_, "event")); }

  Occurrence operator()(const Verification& found) const {
    return read(fmt::format("{}, {}", counted(found.events, "event"), counted(std::ssize(found.problems), "problem")));
  }

  Occurrence operator()(const auto& /*other*/) const { return read("done"); }

 private:
  [[nodiscard]] Occurrence read(const std::string& outcome, bool is_stale = false) const {
    return {.kind = Kind::read, .what = fmt::format("{} -> {}", asked_, outcome), .stale = is_stale};
  }

  std::string asked_;
  std::int64_t answers_;
};

bool is_change(const Request& request) {
  return std::holds_alternative<ChangeOrder>(request) || imported_file(request) != nullptr;
}

std::string order_id_of(const Request& request) {
  return std::visit(Overloaded{[](const GetOrder& asked) { return asked.order_id; },
                               [](const ChangeOrder& asked) { return asked.order_id.value_or(""); },
                               [](const auto& /*other*/) { return std::string{}; }},
                    request);
}

// Whether a read failed because the read tables are behind.
bool is_stale(const Failure& failure) {
  const auto freshness = failure.details.find("freshness");
  return freshness != failure.details.end() && freshness->value("stale", false);
}

Reply failed(const Request& request, const std::string& asked, const Failure& failure) {
  Occurrence occurrence{.order_id = order_id_of(request)};
  if (is_change(request)) {
    occurrence.kind = Kind::refused;
    occurrence.what = fmt::format("refused: {}", failure.message);
  } else {
    const bool is_missing = failure.code == "not_found";
    occurrence.kind = Kind::read;
    occurrence.what = fmt::format("{} -> {}", asked, is_missing ? "not found" : failure.message);
    occurrence.stale = is_stale(failure);
  }
  return {std::move(occurrence), document_of(failure), failure.message};
}

Reply answered(const std::string& asked, const std::vector<Answer>& answers) {
  if (answers.empty())
    return {{.kind = Kind::read, .what = asked + " -> nothing"}, nlohmann::ordered_json::array(), ""};
  Occurrence occurrence = std::visit(Summary{asked, std::ssize(answers)}, answers.front());
  const bool is_stream =
      std::holds_alternative<HistoryEvent>(answers.front()) || std::holds_alternative<LogEvent>(answers.front());
  if (!is_stream) return {std::move(occurrence), document_of(answers.front()), ""};
  auto documents = nlohmann::ordered_json::array();
  for (const Answer& answer : answers) documents.push_back(document_of(answer));
  return {std::move(occurrence), std::move(documents), ""};
}

Reply run_on(scenario::Stage& stage, const Request& request, const std::string& asked, Session& process,
             const ScriptFiles& files) {
  StageSession session{stage, process, files};
  try {
    if (const Result failure = run(request, session)) return failed(request, asked, *failure);
  } catch (const Error& error) {
    return failed(request, asked, failure_of(error));
  }
  return answered(asked, session.answers());
}

// Whether the request writes a file, and replaces one that is there.
bool replaces_file(const Request& request) {
  const auto* log_export = std::get_if<ExportLog>(&request);
  const auto* backup = std::get_if<BackUpLog>(&request);
  return (log_export != nullptr && log_export->existing == ExistingFile::replace) ||
         (backup != nullptr && backup->existing == ExistingFile::replace);
}

// What could not end, would take its input from where the script itself comes from, or destroys what only the player
// can give up: a script may be somebody else's.
void check_for_script(const Request& request, ExistingFile existing) {
  if (existing == ExistingFile::refuse && replaces_file(request)) {
    throw scenario::BadWords("a script replaces files only where it may: play it with 'freshet run --force'");
  }
  const auto* log = std::get_if<ShowLog>(&request);
  if (log != nullptr && log->follow == Follow::yes) throw scenario::BadWords("--follow never ends: leave it out");
  if (std::holds_alternative<RemoveProjection>(request) || std::holds_alternative<RenameProjection>(request)) {
    throw scenario::BadWords("a script has its store open: remove and rename projections outside of it");
  }
  const std::string* import = imported_file(request);
  if (import != nullptr && *import == "-") {
    throw scenario::BadWords("a script cannot import from standard input: name a file");
  }
}

Invocation invocation_of(const std::vector<std::string>& words, const Settings& settings) {
  Parsed parsed = parse_line(words, settings);
  if (const auto* error = std::get_if<UsageError>(&parsed.outcome)) throw scenario::BadWords(error->message);
  auto* invocation = std::get_if<Invocation>(&parsed.outcome);
  if (invocation == nullptr || parsed.format == Format::json) {
    throw scenario::BadWords("options of every command, such as --json, stand outside a script: give them to 'run'");
  }
  return std::move(*invocation);
}

}  // namespace

std::vector<std::string> ScriptCommands::groups() const {
  return {"order", "log", "projection"};
}

scenario::RunCommand ScriptCommands::command(const std::vector<std::string>& words) const {
  const Request request = invocation_of(words, {}).request;
  check_for_script(request, files_.existing);
  // People know what `get 123` is without its group.
  const auto first = words.begin() + (words.front() == "order" ? 1 : 0);
  std::string asked = printable(fmt::format("{}", fmt::join(first, words.end(), " ")));
  return [request, asked = std::move(asked), &process = session_, files = files_](scenario::Stage& stage) {
    return run_on(stage, request, asked, process, files);
  };
}

BusOptions ScriptCommands::bus(const std::vector<std::string>& words, const BusOptions& current) const {
  std::vector<std::string> whole{"bus"};
  whole.insert(whole.end(), words.begin(), words.end());
  const Request request = invocation_of(whole, {.bus = current}).request;
  return changed(std::get<ChangeBus>(request).bus, fixed_);
}

}  // namespace freshet::cli
