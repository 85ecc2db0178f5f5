// What takes a log out of its file and brings it back, of the group `log`: export, import, backup.
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/json.hpp"
#include "cli/output_file.hpp"
#include "exchange/import.hpp"

namespace freshet::cli {
namespace {

// How often an export tells how far it is, and asks whether it is to end.
constexpr std::int64_t events_between_looks = 500;

Result interrupted(Session& session, const std::string& message) {
  if (session.interrupted() == 0) return std::nullopt;
  return interrupted_failure(session.interrupted(), message);
}

Result export_to_session(const ExportLog& request, EventLog& log, Session& session) {
  log.export_events([&](const ExportedEvent& exported) {
    return session.interrupted() == 0 &&
           session.answer(ExportedLine{exchange::render_line(exported, request.format, request.source)});
  });
  return interrupted(session, "interrupted: the export is not complete");
}

Result export_to_file(const ExportLog& request, Store& store, Session& session) {
  const std::filesystem::path& file = *request.output;
  const Instant start = store.clock().now();
  const std::int64_t total = store.log().head().value;
  check_output(file, request.existing, session.files_in_use());  // No pipe either: that is what - is for.
  OutputFile output{file, request.existing, session.files_in_use(), store.file()};
  std::int64_t events = 0;
  store.log().export_events([&](const ExportedEvent& exported) {
    output.write(exchange::render_line(exported, request.format, request.source) + '\n');
    if (++events % events_between_looks == 0) session.progress("export", events, total);
    return session.interrupted() == 0;
  });
  if (auto failure = interrupted(session, "interrupted: nothing was written")) return failure;
  output.commit();
  session.answer(ExportedLog{file.string(), events, std::chrono::duration_cast<Duration>(store.clock().now() - start)});
  return std::nullopt;
}

// The number of lines, guessed from how far the file is read; 0 if nothing can be said.
std::int64_t guess_lines(const Input& input, std::int64_t lines) {
  if (input.bytes() == 0 || input.bytes_read() == 0) return 0;
  const double share = static_cast<double>(input.bytes_read()) / static_cast<double>(input.bytes());
  return static_cast<std::int64_t>(static_cast<double>(lines) / share);
}

Failure failure_of(const exchange::Refusal& refusal) {
  Failure failure = usage_failure(fmt::format("line {}: {}", refusal.line, refusal.why));
  if (refusal.kind == exchange::Refusal::Kind::misfit) {
    failure.exit_code = static_cast<int>(Exit::rejected);
    failure.code = "rejected";
  }
  return failure;
}

}  // namespace

Result run_request(const ExportLog& request, Session& session) {
  Store& store = session.store(OpenMode::read_only, Engine::off);
  if (request.output) return export_to_file(request, store, session);
  return export_to_session(request, store.log(), session);
}

Result run_request(const ImportLog& request, Session& session) {
  Input input{request.file, session};
  Store& store = session.store(OpenMode::create, Engine::threads);
  const Instant start = store.clock().now();
  const auto imported = exchange::import_events(store.log(), input.stream(), [&](std::int64_t lines) {
    session.progress("import", lines, guess_lines(input, lines));
    return session.interrupted() == 0;
  });
  input.check();
  const ImportedLog answer{imported.lines, imported.applied,
                           std::chrono::duration_cast<Duration>(store.clock().now() - start)};
  auto failure = imported.refusal
                     ? Result{failure_of(*imported.refusal)}
                     : interrupted(session, fmt::format("interrupted after {} lines: what came before stays, and the "
                                                        "import can be run again",
                                                        imported.lines));
  if (failure) {
    failure->details = document_of(Answer{answer});
    if (imported.refusal) failure->details["line"] = imported.refusal->line;
    return failure;
  }
  session.answer(answer);
  return std::nullopt;
}

Result run_request(const BackUpLog& request, Session& session) {
  Store& store = session.store(OpenMode::read_only, Engine::off);
  check_output(request.file, request.existing, session.files_in_use(), OwnDatabases::replace);
  const Instant start = store.clock().now();
  const auto backup = store.backup(request.file, request.existing, [&](std::int64_t done, std::int64_t total) {
    session.progress("backup", done, total);
    return session.interrupted() == 0;
  });
  if (!backup) return interrupted(session, "interrupted: nothing was written");
  session.answer(
      BackedUpLog{request.file.string(), *backup, std::chrono::duration_cast<Duration>(store.clock().now() - start)});
  return std::nullopt;
}

}  // namespace freshet::cli
