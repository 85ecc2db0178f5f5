// What a process says besides answers: failures on standard error, help and versions on standard output.
#pragma once

#include "cli/error_output.hpp"
#include "cli/failure.hpp"
#include "cli/output.hpp"
#include "cli/parser.hpp"

namespace freshet::cli {

// A message that somebody has made very long is shortened.
void report(Failure failure, Format format, ErrorOutput& errors);

void show(const HelpWanted& help, Format format, Output& output);
void show(const VersionWanted& version, Format format, Output& output);

}  // namespace freshet::cli
