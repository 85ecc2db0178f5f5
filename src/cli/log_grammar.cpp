// The grammar of the group `log`.
#include <fmt/format.h>

#include <memory>

#include "base/utf8.hpp"
#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

std::optional<std::size_t> parse_limit(const std::string& text) {
  const auto count = parse_count(text, 1);
  return count ? std::optional{static_cast<std::size_t>(*count)} : std::nullopt;
}

std::optional<std::string> parse_category(const std::string& text) {
  const bool is_category = !text.empty() && text.find('/') == std::string::npos && is_utf8(text);
  return is_category ? std::optional{text} : std::nullopt;
}

// As far as its letters tell (RFC 3986); a reader of CloudEvents may refuse any other.
std::optional<std::string> parse_uri(const std::string& text) {
  constexpr const char* letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%";
  const bool is_uri = !text.empty() && text.find_first_not_of(letters) == std::string::npos;
  return is_uri ? std::optional{text} : std::nullopt;
}

std::optional<exchange::Format> parse_format(const std::string& text) {
  if (text == "jsonl") return exchange::Format::json_lines;
  if (text == "cloudevents") return exchange::Format::cloud_events;
  return std::nullopt;
}

void add_export(Group& group) {
  const auto draft = std::make_shared<ExportLog>();
  Command command = group.command("export", "Write all events, one a line, so that nothing of them is lost",
                                  "log export --format cloudevents --output log.jsonl", [draft] { return *draft; });
  command.value({.name = "--format",
                 .type = "jsonl|cloudevents",
                 .meaning = "JSON Lines of Freshet's own, or CloudEvents 1.0 (default: jsonl)",
                 .expected = "jsonl or cloudevents"},
                parse_format, draft->format);
  const auto parse_output = [](const std::string& text) {
    using Output = std::optional<std::optional<std::filesystem::path>>;
    if (text.empty()) return Output{};
    return Output{text == "-" ? std::nullopt : std::optional<std::filesystem::path>{text}};
  };
  command.value({.name = "--output",
                 .type = "FILE",
                 .meaning = "Where to write; - is standard output (default: -)",
                 .expected = "a file's name"},
                parse_output, draft->output);
  command.value({.name = "--source",
                 .type = "URI",
                 .meaning = fmt::format("The source of CloudEvents (default: {})", exchange::default_source),
                 .expected = "a URI such as https://example.com/shop, without spaces"},
                parse_uri, draft->source);
  command.flag("--force", "Replace the file if there is one; a database never", draft->existing, ExistingFile::replace);
}

void add_import(Group& group) {
  const auto draft = std::make_shared<ImportLog>();
  Command command = group.command(
      "import",
      "Append the events of an export, of either format, at their own positions; what is there is compared and left "
      "(exit code 2: a line is no event, 3: it does not fit)",
      "log import log.jsonl", [draft] { return *draft; });
  command.value({.name = "FILE",
                 .meaning = "The file; - is standard input",
                 .expected = "a file's name",
                 .presence = Presence::required},
                parse_some_text, draft->file);
  command.flag("--no-drain", "End at once; the read tables follow when the next command runs", draft->afterwards,
               Afterwards::leave);
}

void add_backup(Group& group) {
  const auto draft = std::make_shared<BackUpLog>();
  Command command =
      group.command("backup", "Copy the whole file, log and read tables, as it is now, while others write",
                    "log backup freshet-backup.db", [draft] { return *draft; });
  const auto parse_file = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::filesystem::path>{text};
  };
  command.value({.name = "FILE",
                 .meaning = "The copy, which must not exist yet",
                 .expected = "a file's name",
                 .presence = Presence::required},
                parse_file, draft->file);
  command.flag("--force",
               "Replace the file if there is one, as an older copy; never one that is in use, nor the database of "
               "another program",
               draft->existing, ExistingFile::replace);
}

}  // namespace

void add_log_commands(Group& group) {
  const auto draft = std::make_shared<ShowLog>();
  Command show = group.command("show", "Show events, the oldest first", "log show --category order --last 10 --follow",
                               [draft] { return *draft; });
  show.value({.name = "--stream",
              .type = "ID",
              .meaning = "Only this stream: CATEGORY/ID, or an order's id, with a slash in it or not (default: all)",
              .expected = "an order's id, or CATEGORY/ID"},
             parse_stream, draft->stream);
  show.value({.name = "--category",
              .type = "C",
              .meaning = "Only the streams of this category, such as order (default: all)",
              .expected = "a category such as order, without a slash"},
             parse_category, draft->category);
  show.value({.name = "--last",
              .type = "N",
              .meaning = "Only the last N events that there are of these, and with --follow what comes after them",
              .expected = a_number_from_1},
             parse_limit, draft->last);
  show.value(
      {.name = "--from", .type = "P", .meaning = "Start at this position (default: 1)", .expected = a_number_from_1},
      parse_position, draft->from);
  show.value({.name = "--limit",
              .type = "N",
              .meaning = "How many events at most (default: all)",
              .expected = a_number_from_1},
             parse_limit, draft->limit);
  show.flag("--follow", "Go on with new events as they come, until Ctrl-C", draft->follow, Follow::yes);
  show.exclude_each_other({"--stream", "--category"});
  show.exclude_each_other({"--last", "--from"});
  show.exclude_each_other({"--last", "--limit"});

  group.command("verify", "Check the whole file (exit code 7 if something is wrong)", "log verify --json",
                [] { return VerifyLog{}; });
  add_export(group);
  add_import(group);
  add_backup(group);
}

}  // namespace freshet::cli
