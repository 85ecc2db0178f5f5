// The session of a process: a store that is opened when the first request needs it, standard output and
// standard error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/error_output.hpp"
#include "cli/log.hpp"
#include "cli/output.hpp"
#include "cli/palette.hpp"
#include "cli/progress_bar.hpp"

namespace freshet::cli {

class ProcessSession final : public Session {
 public:
  // What the store's engine is for: the one request that opened it, or whatever comes.
  enum class Requests { one, many };

  ProcessSession(const Settings& settings, Requests requests, Output& output, ErrorOutput& errors);

  Store& store(OpenMode mode, Engine engine) override;
  [[nodiscard]] FilesInUse files_in_use() const override { return {.database = file()}; }
  std::filesystem::path closed_file() override;
  Duration busy_timeout() override { return settings_.busy_timeout; }
  Upgrade upgrade() override { return settings_.upgrade; }
  freshet::Session* user_session(OpenMode mode, Engine engine) override;
  bool answer(const Answer& answer) override;
  bool wait_for(int descriptor) override;
  void note(const std::string& line) override;
  void progress(std::string_view what, std::int64_t done, std::int64_t total) override { bar_.show(what, done, total); }
  int interrupted() override;

  // The form of the answers from here on.
  void set_format(Format format) { settings_.format = format; }

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] Store* open_store() { return store_ ? &*store_ : nullptr; }

  // An open store is closed and opened again; what was on its way is read again from the log.
  void change_bus(const BusOptions& bus);

  // Lets what is due arrive in the read tables. The request has succeeded already: what goes wrong here is
  // worth a warning, and the next process carries on. A Failure: it was interrupted.
  [[nodiscard]] Result drain();

  void close();

 private:
  [[nodiscard]] std::filesystem::path file() const { return settings_.file.value_or(default_file); }
  void open(OpenMode mode, Engine engine);

  [[nodiscard]] bool is_debugged() const { return settings_.log_level == LogLevel::debug; }

  // A line of the log, made only where it is wanted.
  void debug(const std::function<std::string()>& text);

  Settings settings_;
  Requests requests_;
  Output& output_;
  ErrorOutput& errors_;
  Palette palette_;
  Log log_;
  SystemClock clock_;
  ProgressBar bar_{errors_, clock_};
  OpenMode mode_ = OpenMode::read_only;  // Of the open store.
  std::optional<Store> store_;           // So far down that its threads end before what they log to.
  std::optional<freshet::Session> user_session_;
};

}  // namespace freshet::cli
