// Runs one request in a process of its own.
#include "cli/process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <optional>

#include "cli/commands.hpp"
#include "cli/error_output.hpp"
#include "cli/output.hpp"
#include "cli/parser.hpp"
#include "cli/process_session.hpp"
#include "cli/report.hpp"
#include "cli/shell.hpp"
#include "cli/signals.hpp"

namespace freshet::cli {
namespace {

bool is_interrupted(int exit_code) {
  return exit_code > static_cast<int>(Exit::signal);
}

class Process {
 public:
  int run(const std::vector<std::string>& words) {
    if (asks_for_json(words)) format_ = Format::json;
    try {
      const Parsed parsed = parse(words, Settings{});
      format_ = parsed.format;
      return std::visit([this](const auto& outcome) { return carry_out(outcome); }, parsed.outcome);
    } catch (const std::exception& error) {
      return fail(failure_of(error));
    }
  }

 private:
  int carry_out(const UsageError& error) { return fail(usage_failure(error.message)); }

  // Help or the version.
  template <typename Information>
  int carry_out(const Information& wanted) {
    show(wanted, format_, output_);
    return 0;
  }

  int carry_out(const Invocation& invocation) {
    if (std::holds_alternative<RunShell>(invocation.request)) return run_shell(invocation.settings, output_, errors_);
    if (ends_well(invocation.request)) watch_signals();
    ProcessSession session{invocation.settings, ProcessSession::Requests::one, output_, errors_};
    const Result failure = cli::run(invocation.request, session);
    int exit_code = failure ? fail(*failure) : 0;
    // An import that stopped has still applied what came before.
    const bool is_stopped_import = imported_file(invocation.request) != nullptr && !is_interrupted(exit_code);
    if ((!failure || is_stopped_import) && afterwards_of(invocation.request) == Afterwards::drain) {
      if (const Result interrupted = session.drain()) exit_code = fail(*interrupted);
    }
    session.close();
    return exit_code;
  }

  int fail(const Failure& failure) {
    report(failure, format_, errors_);
    return failure.exit_code;
  }

  Format format_ = Format::text;
  Output output_;
  ErrorOutput errors_;
};

// Throughout the program 0, 1 and 2 are the standard streams: in the place of one that is closed no other file may be
// opened. What stands there instead can neither be read as input nor written as output, as a closed one.
void hold_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    static_cast<void>(::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

}  // namespace

int run_process(const std::vector<std::string>& words) {
  hold_standard_streams();
  make_errors_of_signals();
  return Process{}.run(words);
}

}  // namespace freshet::cli
