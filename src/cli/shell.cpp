// Runs the lines of a shell.
#include "cli/shell.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/thread.hpp"
#include "cli/process_session.hpp"
#include "cli/report.hpp"
#include "cli/shell_lines.hpp"
#include "cli/shell_words.hpp"
#include "cli/signals.hpp"

namespace freshet::cli {
namespace {

// How many ids one completion looks up.
constexpr std::size_t order_ids_max = 1'000;

// Ends a read that waits as soon as a signal comes: it closes the store under it, which wakes the read.
class ReadInterrupter {
 public:
  explicit ReadInterrupter(Store& store)
      : thread_(start_thread<std::jthread>([this, &store](const std::stop_token& stop) { watch(stop, store); })) {}

 private:
  // Quick enough for a person who presses Ctrl-C.
  static constexpr Duration look = std::chrono::milliseconds{20};

  void watch(const std::stop_token& stop, Store& store) {
    std::unique_lock lock{mutex_};
    while (signal_seen() == 0) {
      condition_.wait_for(lock, stop, look, [] { return false; });
      if (stop.stop_requested()) return;
    }
    try {
      store.close();
    } catch (const Error&) {
      // What the projector could not finish is carried on with when the store is opened again.
    }
  }

  std::mutex mutex_;
  std::condition_variable_any condition_;
  std::jthread thread_;  // Last, so that it ends before what it waits on.
};

class Shell {
 public:
  Shell(const Settings& settings, Output& output, ErrorOutput& errors)
      : output_(output),
        errors_(errors),
        session_(settings, ProcessSession::Requests::many, output, errors),
        session_format_(settings.format) {
    const bool is_typed = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    lines_ = is_typed ? typed_lines([this](std::string_view line) { return completions(line); }) : piped_lines();
  }

  int run() {
    while (!has_ended_) {
      if (const auto command = lines_->next()) {
        run_guarded(*command);
      } else if (lines_->is_interactive() && signal_seen() == SIGINT) {
        output_.write("^C\n");
      } else {
        if (lines_->is_interactive() && signal_seen() == 0) output_.write("\n");
        break;
      }
      if (lines_->is_interactive() && signal_seen() == SIGINT) forget_signal();
      if (signal_seen() != 0 || !output_.has_reader()) break;
    }
    return leave();
  }

 private:
  void run_guarded(const std::string& command) {
    format_ = session_format_;
    session_.set_format(format_);
    try {
      run_words(split_words(command));
    } catch (const std::exception& error) {
      fail(failure_of(error));
    }
  }

  void run_words(const std::variant<std::vector<std::string>, UsageError>& split) {
    if (const auto* error = std::get_if<UsageError>(&split)) return carry_out(*error);
    const auto& words = std::get<0>(split);
    if (words.empty()) return;
    if (leaves(words)) {
      if (words.size() > 1) return carry_out(UsageError{fmt::format("'{}' stands alone on its line", words.front())});
      has_ended_ = true;
    } else if (asks_for_help(words)) {
      std::visit([this](const auto& outcome) { carry_out(outcome); }, help_for(words, session_.settings()));
    } else {
      const Parsed parsed = parse_line(words, session_.settings());
      format_ = parsed.format;
      std::visit([this](const auto& outcome) { carry_out(outcome); }, parsed.outcome);
    }
  }

  void carry_out(const UsageError& error) { fail(usage_failure(error.message)); }
  void carry_out(const HelpWanted& help) { show(help, format_, output_); }
  void carry_out(const VersionWanted& version) { show(version, format_, output_); }

  void carry_out(const Invocation& invocation) {
    session_.set_format(format_);
    if (const auto failure = run_request_here(invocation.request)) fail(*failure);
  }

  Result run_request_here(const Request& request) {
    if (const auto* change = std::get_if<ChangeBus>(&request)) {
      session_.change_bus(change->bus);
      session_.answer(ShownBus{change->bus});
      return std::nullopt;
    }
    if (std::holds_alternative<PlayScript>(request)) {
      return usage_failure("a script has its database for itself: leave the shell, and play it with 'freshet run'");
    }
    const std::string* import = imported_file(request);
    if (import != nullptr && *import == "-") {
      return usage_failure("standard input belongs to the shell: name a file to import");
    }
    if (!ends_well(request)) return run_read(request);
    const Result failure = cli::run(request, session_);
    // An import that stopped has still applied what came before.
    owes_drain_ |= (!failure || import != nullptr) && afterwards_of(request) == Afterwards::drain;
    return failure;
  }

  // A read may wait for long.
  Result run_read(const Request& request) {
    Result failure;
    std::exception_ptr error;
    {
      const ReadInterrupter interrupter{session_.store(OpenMode::read_only, Engine::off)};
      try {
        failure = cli::run(request, session_);
      } catch (const Error&) {
        error = std::current_exception();
      }
    }
    if (signal_seen() != 0) {
      session_.change_bus(session_.settings().bus);  // Opens the store again, if it was closed.
      return interrupted_failure(signal_seen(), "interrupted");
    }
    if (error) std::rethrow_exception(error);
    return failure;
  }

  void fail(Failure failure) {
    if (!lines_->is_interactive()) {
      failure.message = fmt::format("line {}: {}", lines_->number(), failure.message);
      failure.details["line"] = lines_->number();
    }
    report(failure, format_, errors_);
    if (exit_code_ == 0) exit_code_ = failure.exit_code;
  }

  std::vector<std::string> completions(std::string_view line) {
    try {
      return complete(line, [this](const std::string& start) {
        orders::Orders orders{session_.store(OpenMode::read_only, Engine::off)};
        return orders.ids_starting_with(start, order_ids_max);
      });
    } catch (const Error&) {
      return {};  // There is no file yet, say. The command will tell.
    }
  }

  // Ends as a command's process does. Ctrl-C ends the waiting, and what is due is left to the next process.
  int leave() {
    const int signal = signal_seen();
    if (signal == 0 && owes_drain_) {
      if (lines_->is_interactive() && is_behind()) {
        session_.note("finishing what is on its way; Ctrl-C leaves it to the next command");
      }
      if (const auto interrupted = session_.drain()) fail(*interrupted);
    }
    session_.close();
    if (signal != 0) return static_cast<int>(Exit::signal) + signal;
    return lines_->is_interactive() ? 0 : exit_code_;
  }

  bool is_behind() {
    Store* const store = session_.open_store();
    return store != nullptr && std::ranges::any_of(store->projections(), [](const ProjectionStatus& projection) {
             return projection.position < projection.head;
           });
  }

  Output& output_;
  ErrorOutput& errors_;
  ProcessSession session_;
  std::unique_ptr<ShellLines> lines_;
  const Format session_format_;
  Format format_ = session_format_;  // Of the line at hand.
  bool has_ended_ = false;
  bool owes_drain_ = false;
  int exit_code_ = 0;  // Of the first line that failed.
};

}  // namespace

int run_shell(const Settings& settings, Output& output, ErrorOutput& errors) {
  watch_signals();
  return Shell{settings, output, errors}.run();
}

}  // namespace freshet::cli
