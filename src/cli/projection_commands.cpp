// The group `projection`: list, rebuild.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "cli/commands.hpp"

namespace freshet::cli {
namespace {

std::vector<std::string> names_of(const std::vector<ProjectionStatus>& projections) {
  std::vector<std::string> names;
  for (const ProjectionStatus& projection : projections) names.push_back(projection.name);
  return names;
}

// Rebuilds one projection. Nothing: it was interrupted, and nothing has changed.
std::optional<Rebuilt> rebuild(Store& store, const std::string& name, Session& session) {
  const Instant start = store.clock().now();
  std::int64_t events = 0;
  const bool is_done = store.rebuild(name, [&](std::int64_t done, std::int64_t total) {
    events = done;
    session.progress("rebuild " + name, done, total);
    return session.interrupted() == 0;
  });
  if (!is_done) return std::nullopt;
  return Rebuilt{name, events, std::chrono::duration_cast<Duration>(store.clock().now() - start)};
}

}  // namespace

Result run_request(const ListProjections& /*request*/, Session& session) {
  session.answer(ShownProjections{session.store(OpenMode::existing, Engine::off).projections()});
  return std::nullopt;
}

Result run_request(const RebuildProjections& request, Session& session) {
  Store& store = session.store(OpenMode::existing, Engine::off);
  std::vector<std::string> names = names_of(store.projections());
  if (request.name) {
    if (std::ranges::find(names, *request.name) == names.end()) {
      return not_found_failure(
          fmt::format("no such projection '{}': there are {}", *request.name, fmt::join(names, ", ")));
    }
    names = {*request.name};
  }

  RebuiltProjections answer;
  for (const std::string& name : names) {
    const auto rebuilt = rebuild(store, name, session);
    if (!rebuilt) {
      return interrupted_failure(session.interrupted(),
                                 fmt::format("interrupted: projection '{}' was left as it was", name));
    }
    answer.rebuilt.push_back(*rebuilt);
  }
  session.answer(answer);
  return std::nullopt;
}

}  // namespace freshet::cli
