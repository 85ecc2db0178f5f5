// Writes failures, help and versions: one document on one line, or text for people.
#include "cli/report.hpp"

#include <fmt/format.h>

#include "cli/json.hpp"
#include "cli/printable.hpp"
#include "freshet/store.hpp"

namespace freshet::cli {

void report(const Failure& failure, Format format, ErrorOutput& errors) {
  errors.clear_bar();
  if (format == Format::json) {
    std::string line = render_json(failure);
    line.pop_back();
    errors.line(line);
    return;
  }
  for (const std::string& remark : failure.remarks) errors.line(printable(remark));
  errors.line(fmt::format("freshet: {}", printable(failure.message)));
}

void show(const HelpWanted& help, Format format, Output& output) {
  output.write(format == Format::json ? render_json(nlohmann::ordered_json{{"help", help.text}}) : help.text);
}

void show(const VersionWanted& /*version*/, Format format, Output& output) {
  const std::string build = build_description();
  // Its first line is the version.
  const nlohmann::ordered_json document{{"version", build.substr(0, build.find('\n'))}, {"build", build}};
  output.write(format == Format::json ? render_json(document) : build + "\n");
}

}  // namespace freshet::cli
