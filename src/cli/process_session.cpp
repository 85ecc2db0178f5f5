// Opens the store for requests, and writes their answers.
#include "cli/process_session.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "cli/grammar.hpp"
#include "cli/json.hpp"
#include "cli/overloaded.hpp"
#include "cli/printable.hpp"
#include "cli/signals.hpp"
#include "cli/text.hpp"
#include "cli/trace_text.hpp"

namespace freshet::cli {
namespace {

Palette palette_for(Colour colour, int descriptor) {
  return Palette{wants_colour(colour, descriptor) ? Palette::Colours::on : Palette::Colours::off};
}

// Answers to commands on orders and to queries of them.
bool shows_orders(const Answer& answer) {
  return std::visit(Overloaded{[](const orders::Done&) { return true; }, [](const Imported&) { return true; },
                               [](const ShownOrder&) { return true; }, [](const ShownPage&) { return true; },
                               [](const ShownStats&) { return true; }, [](const HistoryEvent&) { return true; },
                               [](const auto&) { return false; }},
                    answer);
}

}  // namespace

ProcessSession::ProcessSession(const Settings& settings, Requests requests, Output& output, ErrorOutput& errors)
    : settings_(settings),
      requests_(requests),
      output_(output),
      errors_(errors),
      palette_(palette_for(settings.colour, STDOUT_FILENO)),
      log_(errors, settings.log_level, palette_for(settings.colour, STDERR_FILENO)) {}

Store& ProcessSession::store(OpenMode mode, Engine engine) {
  if (store_ && mode_ == OpenMode::read_only && mode != OpenMode::read_only) close();
  if (store_) return *store_;
  if (requests_ == Requests::one) {
    open(mode, engine);
    return *store_;
  }
  // Of many requests the next one may change what this one only looks at, unless it is another application's.
  if (mode == OpenMode::read_only) {
    open(mode, Engine::off);
    if (store_->projections().empty()) return *store_;
    close();
  }
  open(mode == OpenMode::read_only ? OpenMode::existing : mode, Engine::threads);
  return *store_;
}

std::filesystem::path ProcessSession::closed_file() {
  close();
  return file();
}

void ProcessSession::open(OpenMode mode, Engine engine) {
  debug([&] { return fmt::format("opening '{}'", file().string()); });
  std::function<void(const Trace&)> on_trace;
  if (is_debugged()) on_trace = [this](const Trace& trace) { log_.write({Notice::Level::debug, trace_text(trace)}); };
  mode_ = mode;
  try {
    store_.emplace(StoreOptions{.file = file(),
                                .mode = mode,
                                .upgrade = settings_.upgrade,
                                .engine = engine,
                                .projections = orders::projections(),
                                .forms = orders::forms(),
                                .durability = settings_.durability.value_or(Durability::power_loss),
                                .busy_timeout = settings_.busy_timeout,
                                .bus = settings_.bus,
                                .on_notice = [this](const Notice& notice) { log_.write(notice); },
                                .on_trace = std::move(on_trace)});
  } catch (const Error& error) {
    if (settings_.file_source != SettingSource::environment) throw;
    throw Error(error.code(), fmt::format("FRESHET_DB in the environment: {}", error.what()));
  }
  debug([&] { return opened_text(*store_); });
}

void ProcessSession::debug(const std::function<std::string()>& text) {
  if (is_debugged()) log_.write({Notice::Level::debug, text()});
}

freshet::Session* ProcessSession::user_session(OpenMode mode, Engine engine) {
  if (!settings_.session) return nullptr;
  if (!user_session_) {
    if (settings_.session_source == SettingSource::environment && *settings_.session != new_session &&
        !is_session_token(*settings_.session)) {
      throw Error(ErrorCode::invalid, bad_variable("FRESHET_SESSION", *settings_.session, a_session));
    }
    const bool is_new = *settings_.session == new_session;
    // Who goes on has a store already, and may have to wait for somebody to project.
    Store& opened =
        is_new || requests_ == Requests::many ? store(mode, engine) : store(OpenMode::existing, Engine::threads);
    user_session_ = is_new ? freshet::Session{opened} : freshet::Session{opened, *settings_.session};
  }
  return &*user_session_;
}

bool ProcessSession::answer(const Answer& answer) {
  errors_.clear_bar();
  const bool is_of_session = user_session_ && shows_orders(answer);
  if (settings_.format == Format::json) {
    auto document = document_of(answer);
    if (is_of_session) document["session"] = user_session_->token();
    return output_.write(render_json(document));
  }
  const bool is_heard = output_.write(render_text(answer, palette_));
  for (const std::string& warning : warnings_of(answer)) note("warning: " + warning);
  // Of a history each event would say it.
  if (is_of_session && !std::holds_alternative<HistoryEvent>(answer)) note("session: " + user_session_->token());
  return is_heard;
}

bool ProcessSession::wait_for(int descriptor) {
  // Of standard output poll() tells only that nobody reads it any more.
  std::array<pollfd, 3> waiting{{{.fd = descriptor, .events = POLLIN, .revents = 0},
                                 {.fd = STDOUT_FILENO, .events = 0, .revents = 0},
                                 {.fd = signal_descriptor(), .events = POLLIN, .revents = 0}}};
  while (signal_seen() == 0 && output_.has_reader()) {
    if (::poll(waiting.data(), waiting.size(), -1) > 0 && waiting[0].revents != 0) return true;
  }
  return false;
}

void ProcessSession::note(const std::string& line) {
  errors_.line(printable(line));
}

int ProcessSession::interrupted() {
  return signal_seen();
}

void ProcessSession::change_bus(const BusOptions& bus) {
  settings_.bus = bus;
  if (!store_) return;
  const OpenMode mode = mode_ == OpenMode::read_only ? mode_ : OpenMode::existing;
  close();
  store(mode, Engine::threads);
}

Result ProcessSession::drain() {
  if (!store_) return std::nullopt;
  debug([] { return "waiting until the read tables have every event"; });
  try {
    if (store_->drain([] { return signal_seen() != 0; })) return std::nullopt;
  } catch (const Error& error) {
    note(fmt::format("warning: the read tables are not up to date: {}", error.what()));
    return std::nullopt;
  }
  if (signal_seen() != 0) {
    return interrupted_failure(signal_seen(),
                               "interrupted: what was answered is recorded, and the read tables will follow when "
                               "the next command runs");
  }
  if (store_->is_projecting()) note("warning: the projector has stopped, and the read tables are not up to date");
  return std::nullopt;
}

void ProcessSession::close() {
  if (!store_) return;
  debug([] { return "closing"; });
  try {
    store_->close();
    debug([] { return "closed"; });
  } catch (const Error& error) {
    note(fmt::format("warning: {}", error.what()));
  }
  // Where it goes on if the store is opened again.
  if (user_session_) settings_.session = user_session_->token();
  user_session_.reset();
  store_.reset();
}

}  // namespace freshet::cli
