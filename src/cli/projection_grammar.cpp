// The grammar of the group `projection`.
#include <memory>

#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

struct RebuildDraft {
  enum class Scope { one, all };
  RebuildProjections rebuild;
  Scope scope = Scope::one;

  [[nodiscard]] Request request() const {
    if (scope == Scope::all && rebuild.name) throw Misuse("NAME and --all exclude each other: give one of them");
    if (scope == Scope::one && !rebuild.name) throw Misuse("missing NAME: give a projection's name, or --all");
    return rebuild;
  }
};

struct DeadLettersDraft {
  enum class Action { list, retry, discard };
  enum class Scope { chosen, all };
  DeadLetterChoice choice;
  Action action = Action::list;
  Scope scope = Scope::chosen;

  [[nodiscard]] Request request() const {
    const bool has_choice = choice.projection || choice.stream || choice.position;
    if (scope == Scope::all && action != Action::discard) throw Misuse("--all is for 'discard': leave it out");
    switch (action) {
      case Action::list:
        return ListDeadLetters{choice};
      case Action::retry:
        return RetryDeadLetters{choice};
      case Action::discard:
        break;
    }
    if (scope == Scope::all && has_choice) throw Misuse("--all goes with no other choice: leave one of them out");
    if (scope == Scope::chosen && !has_choice) {
      throw Misuse("which ones? give --projection, --stream or --position, or --all");
    }
    return DiscardDeadLetters{choice};
  }
};

std::optional<DeadLettersDraft::Action> parse_action(const std::string& text) {
  using Action = DeadLettersDraft::Action;
  if (text == "list") return Action::list;
  if (text == "retry") return Action::retry;
  if (text == "discard") return Action::discard;
  return std::nullopt;
}

std::optional<std::string> any_name(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

void add_remove(Group& group) {
  const auto draft = std::make_shared<RemoveProjection>();
  Command command =
      group.command("remove", "Forget a projection, with its read tables and dead letters: the log can make it again",
                    "projection remove totals", [draft] { return *draft; });
  command.value({.name = "NAME",
                 .meaning = "The projection, of whatever program",
                 .expected = "a projection's name",
                 .presence = Presence::required},
                any_name, draft->name);
}

void add_rename(Group& group) {
  const auto draft = std::make_shared<RenameProjection>();
  Command command = group.command("rename", "Give a projection another name, so that its tables need not be made again",
                                  "projection rename totals sums", [draft] { return *draft; });
  command.value({.name = "OLD",
                 .meaning = "The projection, of whatever program",
                 .expected = "a projection's name",
                 .presence = Presence::required},
                any_name, draft->name);
  command.value({.name = "NEW",
                 .meaning = "Its name from now on",
                 .expected = "a projection's name",
                 .presence = Presence::required},
                any_name, draft->new_name);
}

void add_dead_letters(Group& group) {
  const auto draft = std::make_shared<DeadLettersDraft>();
  Command command =
      group.command("dead-letters", "Show events that a projection could not apply, try them again, or let them go",
                    "projection dead-letters retry --stream 123", [draft] { return draft->request(); });
  command.value({.name = "ACTION",
                 .meaning = "list: show them (default); retry: apply them, in the order of their streams, where a "
                            "failure holds back only its own stream; discard: leave their effect out for good",
                 .expected = "list, retry or discard"},
                parse_action, draft->action);
  command.value(
      {.name = "--projection", .type = "NAME", .meaning = "Only of this projection", .expected = "a projection's name"},
      [](const std::string& text) { return std::optional{text}; }, draft->choice.projection);
  command.value({.name = "--stream",
                 .type = "ID",
                 .meaning = "Only of this stream: CATEGORY/ID, or an order's id, with a slash in it or not",
                 .expected = "an order's id, or CATEGORY/ID"},
                parse_stream, draft->choice.stream);
  command.value(
      {.name = "--position", .type = "P", .meaning = "Only the event at this position", .expected = a_number_from_1},
      parse_position, draft->choice.position);
  command.flag("--all", "Discard all of them", draft->scope, DeadLettersDraft::Scope::all);
}

}  // namespace

void add_projection_commands(Group& group) {
  group.command("list", "Show how far each projection is", "projection list", [] { return ListProjections{}; });

  const auto draft = std::make_shared<RebuildDraft>();
  Command rebuild = group.command("rebuild", "Make read tables again from the log", "projection rebuild orders",
                                  [draft] { return draft->request(); });
  rebuild.value(
      {.name = "NAME", .meaning = "The projection"}, [](const std::string& text) { return std::optional{text}; },
      draft->rebuild.name);
  rebuild.flag("--all", "All projections, one after the other", draft->scope, RebuildDraft::Scope::all);

  add_remove(group);
  add_rename(group);
  add_dead_letters(group);
}

}  // namespace freshet::cli
