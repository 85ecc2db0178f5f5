// The group `projection`: list, rebuild, remove, rename, dead-letters.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/stream_meant.hpp"
#include "freshet/maintenance.hpp"

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

Failure unknown_projection(const std::string& name, const std::vector<std::string>& names) {
  return not_found_failure(fmt::format("no such projection '{}': there are {}", name, fmt::join(names, ", ")));
}

// The choice with the stream that is meant by it.
DeadLetterChoice meant(DeadLetterChoice choice, Store& store) {
  if (choice.stream) choice.stream = streams_meant(*choice.stream, store.log()).front();
  return choice;
}

// What makes a choice of dead letters meaningless: a projection that is not there, or one letter that is none.
Result check(Store& store, const DeadLetterChoice& choice) {
  const std::vector<std::string> names = names_of(store.projections());
  if (choice.projection && std::ranges::find(names, *choice.projection) == names.end()) {
    return unknown_projection(*choice.projection, names);
  }
  const bool is_particular = choice.stream || choice.position;
  if (is_particular && store.dead_letters(choice).empty()) {
    return not_found_failure("no such dead letter: 'projection dead-letters' shows which there are");
  }
  return std::nullopt;
}

}  // namespace

Result run_request(const ListProjections& /*request*/, Session& session) {
  session.answer(ShownProjections{session.store(OpenMode::read_only, Engine::off).projections()});
  return std::nullopt;
}

Result run_request(const RebuildProjections& request, Session& session) {
  Store& store = session.store(OpenMode::existing, Engine::off);
  std::vector<std::string> names = names_of(store.projections());
  if (request.name) {
    if (std::ranges::find(names, *request.name) == names.end()) {
      return unknown_projection(*request.name, names);
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

Result run_request(const RemoveProjection& request, Session& session) {
  auto tables = remove_projection(session.closed_file(), request.name, session.busy_timeout(), session.upgrade());
  if (!tables) return not_found_failure(fmt::format("no such projection '{}' in the file", request.name));
  session.answer(RemovedProjection{request.name, std::move(*tables)});
  return std::nullopt;
}

Result run_request(const RenameProjection& request, Session& session) {
  if (!rename_projection(session.closed_file(), request.name, request.new_name, session.busy_timeout(),
                         session.upgrade())) {
    return not_found_failure(fmt::format("no such projection '{}' in the file", request.name));
  }
  session.answer(RenamedProjection{request.new_name, request.name});
  return std::nullopt;
}

Result run_request(const ListDeadLetters& request, Session& session) {
  Store& store = session.store(OpenMode::read_only, Engine::off);
  const DeadLetterChoice of_projection{.projection = request.choice.projection};
  if (auto failure = check(store, of_projection)) return failure;
  session.answer(ShownDeadLetters{store.dead_letters(meant(request.choice, store))});
  return std::nullopt;
}

Result run_request(const RetryDeadLetters& request, Session& session) {
  Store& store = session.store(OpenMode::existing, Engine::off);
  const DeadLetterChoice choice = meant(request.choice, store);
  if (auto failure = check(store, choice)) return failure;
  const std::int64_t applied = store.retry_dead_letters(choice, [&session](std::int64_t done, std::int64_t total) {
    session.progress("retry", done, total);
    return session.interrupted() == 0;
  });
  if (session.interrupted() != 0) {
    Failure failure = interrupted_failure(
        session.interrupted(),
        fmt::format("interrupted: {} dead letters were applied, and the retry can be run again", applied));
    failure.details = {{"applied", applied}};
    return failure;
  }
  session.answer(RetriedDeadLetters{applied, store.dead_letters(choice)});
  return std::nullopt;
}

Result run_request(const DiscardDeadLetters& request, Session& session) {
  Store& store = session.store(OpenMode::existing, Engine::off);
  const DeadLetterChoice choice = meant(request.choice, store);
  if (auto failure = check(store, choice)) return failure;
  session.answer(DiscardedDeadLetters{store.discard_dead_letters(choice)});
  return std::nullopt;
}

}  // namespace freshet::cli
