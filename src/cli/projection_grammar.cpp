// The grammar of the group `projection`.
#include <memory>

#include "cli/grammar.hpp"

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
}

}  // namespace freshet::cli
