// The process's own log: what the store and the command line want an operator to know, on standard error.
#pragma once

#include <memory>
#include <string>

#include "cli/error_output.hpp"
#include "cli/palette.hpp"
#include "cli/request.hpp"
#include "freshet/store.hpp"

namespace freshet::cli {

class Log {
 public:
  Log(ErrorOutput& output, LogLevel level, Palette palette);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // From any thread.
  void write(const Notice& notice);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::cli
