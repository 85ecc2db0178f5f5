// Writes failures, help and versions: one document on one line, or text for people.
#include "cli/report.hpp"

#include <fmt/format.h>

#include "cli/json.hpp"
#include "cli/printable.hpp"
#include "freshet/store.hpp"

namespace freshet::cli {
namespace {

// More of a message nobody reads: only what was typed, and stands in it, can make it longer.
constexpr std::size_t message_bytes_max = 2'000;

// The first and the last part of a text that is too long, cut between letters.
std::string shortened(const std::string& text) {
  if (text.size() <= message_bytes_max) return text;
  const auto is_inside_letter = [&text](std::size_t place) {
    return (static_cast<unsigned char>(text[place]) & 0xC0U) == 0x80U;
  };
  std::size_t first = message_bytes_max / 2;
  std::size_t rest = text.size() - message_bytes_max / 2;
  while (first > 0 && is_inside_letter(first)) --first;
  while (rest < text.size() && is_inside_letter(rest)) ++rest;
  return fmt::format("{} [{} bytes] {}", text.substr(0, first), rest - first, text.substr(rest));
}

}  // namespace

void report(Failure failure, Format format, ErrorOutput& errors) {
  failure.message = shortened(failure.message);
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
