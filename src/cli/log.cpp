// The log, on spdlog: the only file that includes it, since it takes ten seconds to compile.
#include "cli/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <utility>

#include "cli/printable.hpp"

namespace freshet::cli {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::warn;
}

spdlog::level::level_enum spdlog_level(Notice::Level level) {
  switch (level) {
    case Notice::Level::debug:
      return spdlog::level::debug;
    case Notice::Level::info:
      return spdlog::level::info;
    case Notice::Level::warning:
      return spdlog::level::warn;
    case Notice::Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::warn;
}

// Hands lines to standard error's owner, which knows of the progress bar.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink(ErrorOutput& output, Palette palette) : output_(output), palette_(palette) {
    // UTC, as all times that Freshet shows; the line's end is the output's.
    set_formatter_(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%fZ %l: %v",
                                                               spdlog::pattern_time_type::utc, ""));
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    const std::string line = printable({text.data(), text.size()});
    output_.line(message.level >= spdlog::level::warn ? palette_.bad(line) : palette_.faint(line));
  }
  void flush_() override {}

 private:
  ErrorOutput& output_;
  Palette palette_;
};

}  // namespace

class Log::Impl {
 public:
  Impl(ErrorOutput& output, LogLevel level, Palette palette)
      : logger("freshet", std::make_shared<Sink>(output, palette)) {
    logger.set_level(spdlog_level(level));
  }

  spdlog::logger logger;
};

Log::Log(ErrorOutput& output, LogLevel level, Palette palette)
    : impl_(std::make_unique<Impl>(output, level, palette)) {}

Log::~Log() = default;

void Log::write(const Notice& notice) {
  impl_->logger.log(spdlog_level(notice.level), notice.message);
}

}  // namespace freshet::cli
