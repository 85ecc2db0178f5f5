// The grammar of the group `log`.
#include <memory>

#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

std::optional<Position> parse_position(const std::string& text) {
  const auto count = parse_count(text, 1);
  return count ? std::optional{Position{*count}} : std::nullopt;
}

std::optional<std::int64_t> parse_limit(const std::string& text) {
  return parse_count(text, 1);
}

}  // namespace

void add_log_commands(Group& group) {
  const auto draft = std::make_shared<ShowLog>();
  Command show = group.command("show", "Show events", "log show --stream 123 --follow", [draft] { return *draft; });
  show.value({.name = "--stream",
              .type = "ID",
              .meaning = "Only this stream: an order's id, or CATEGORY/ID (default: all)",
              .expected = "an order's id, or CATEGORY/ID"},
             parse_stream, draft->stream);
  show.value(
      {.name = "--from", .type = "P", .meaning = "Start at this position (default: 1)", .expected = a_number_from_1},
      parse_position, draft->from);
  show.value({.name = "--limit",
              .type = "N",
              .meaning = "How many events at most (default: all)",
              .expected = a_number_from_1},
             parse_limit, draft->limit);
  show.flag("--follow", "Go on with new events as they come, until Ctrl-C", draft->follow, Follow::yes);

  group.command("verify", "Check the whole file (exit code 7 if something is wrong)", "log verify --json",
                [] { return VerifyLog{}; });
}

}  // namespace freshet::cli
