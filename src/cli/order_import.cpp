// `order import`: commands from a file, line by line.
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/json.hpp"

namespace freshet::cli {
namespace {

struct Problem {
  std::int64_t line = 0;
  std::string verdict;
  std::string why;
};

// The number of lines, guessed from how far the file is read; 0 if nothing can be said.
std::int64_t guess_lines(const Input& input, std::int64_t lines) {
  if (input.bytes() == 0 || input.bytes_read() == 0) return 0;
  const double share = static_cast<double>(input.bytes_read()) / static_cast<double>(input.bytes());
  return static_cast<std::int64_t>(static_cast<double>(lines) / share);
}

// An import that --on-error stop ended.
Failure stopped_failure(const Problem& problem, const Imported& imported) {
  Failure failure = usage_failure(fmt::format("line {}: {}: {}", problem.line, problem.verdict, problem.why));
  if (problem.verdict == "rejected") {
    failure.exit_code = static_cast<int>(Exit::rejected);
    failure.code = "rejected";
  }
  failure.details = import_json(imported);
  failure.details["line"] = problem.line;
  return failure;
}

Failure stopped_failure(int signal, const Imported& imported) {
  Failure failure =
      interrupted_failure(signal, fmt::format("interrupted after {} lines: what came before stays, and the import "
                                              "can be run again",
                                              imported.result.lines));
  failure.details = import_json(imported);
  return failure;
}

}  // namespace

Result run_request(const ImportOrders& request, Session& session) {
  Input input{request.file, session};
  orders::Orders orders = session.orders(OpenMode::create, Engine::threads);
  const Clock& clock = session.store(OpenMode::existing, Engine::threads).clock();
  const bool stops = request.on_error == orders::ImportOptions::OnError::stop;

  std::optional<Problem> last_problem;
  orders::ImportOptions options{.on_error = request.on_error};
  options.on_problem = [&](std::int64_t line, std::string_view verdict, const std::string& why) {
    last_problem = Problem{line, std::string{verdict}, why};
    if (!stops) session.note(fmt::format("line {}: {}: {}", line, verdict, why));
  };
  options.on_progress = [&](std::int64_t lines) {
    session.progress("import", lines, guess_lines(input, lines));
    return session.interrupted() == 0;
  };

  const Instant start = clock.now();
  Imported imported{.result = orders.import(input.stream(), options), .elapsed = {}};
  imported.elapsed = std::chrono::duration_cast<Duration>(clock.now() - start);
  input.check();
  if (session.interrupted() != 0) return stopped_failure(session.interrupted(), imported);
  // Also at a line without an end, behind which there is none to go on with.
  if (imported.result.stopped && last_problem) return stopped_failure(*last_problem, imported);
  session.answer(imported);
  return std::nullopt;
}

}  // namespace freshet::cli
