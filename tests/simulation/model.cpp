// The model of the log.
#include "simulation/model.hpp"

#include <algorithm>

#include "simulation/violation.hpp"

namespace freshet::simulation {

namespace {

// No digest, so that the log's is compared with something else.
std::string text_of(const Append& request, const Said& said) {
  if (!said.command.empty()) return said.command + (said.stream_is_made_up ? ", of a stream that is made up" : "");
  std::string text;
  for (const NewEvent& event : request.events) {
    text += event.type + ' ' + event.data;
    const auto& ids = event.correlation ? event.correlation : request.correlation;
    if (ids) text += ", of " + ids->correlation_id + " by " + ids->causation_id;
    if (event.occurred_at) text += " at " + std::to_string(event.occurred_at->time_since_epoch().count());
    text += '\n';
  }
  return text;
}

}  // namespace

std::optional<AppendResult> ModelLog::find_command(const Append& request, const Said& said) const {
  if (!request.command_id) return std::nullopt;
  const auto known = commands.find(*request.command_id);
  if (known == commands.end()) return std::nullopt;
  Appended again = known->second.answer;
  const auto& first = known->second.said;
  const bool is_same =
      !first || (*first == text_of(request, said) && (said.stream_is_made_up || again.stream == request.stream));
  if (!is_same) return KeyReused{again.stream, *first};
  again.duplicate = true;
  return again;
}

AppendResult ModelLog::append(const Append& request, const Said& said, Timestamp now, int opening) {
  if (auto again = find_command(request, said)) return *std::move(again);
  const std::string& id = request.stream.id;
  const std::int64_t actual = version(id);
  const auto expected = request.expected;
  using Kind = ExpectedVersion::Kind;
  if ((expected.kind() == Kind::none && actual != 0) || (expected.kind() == Kind::exists && actual == 0) ||
      (expected.kind() == Kind::exactly && expected.version().value != actual)) {
    return Conflict{Version{actual}};
  }
  Appended answer{.stream = request.stream,
                  .first = {},
                  .last = {},
                  .version = Version{actual + static_cast<std::int64_t>(request.events.size())},
                  .outcome = request.outcome};
  if (!request.events.empty()) answer.first = Position{head() + 1};
  const std::int64_t append_end = head() + static_cast<std::int64_t>(request.events.size());
  for (const NewEvent& event : request.events) {
    const Timestamp before = events.empty() ? now : events.back().recorded_at;
    streams[id].push_back(head() + 1);
    events.push_back({id, version(id), std::stoll(event.data), event.occurred_at.value_or(now), std::max(before, now),
                      append_end, request.correlation});
    answer.last = Position{head()};
  }
  if (request.command_id) commands.emplace(*request.command_id, Command{answer, text_of(request, said), opening});
  return answer;
}

void ModelLog::forget_appends() {
  for (std::int64_t position = 1; position <= head(); ++position) {
    events[static_cast<std::size_t>(position - 1)].append_end = position;
  }
}

std::int64_t ModelLog::version(const std::string& stream) const {
  const auto found = streams.find(stream);
  return found == streams.end() ? 0 : static_cast<std::int64_t>(found->second.size());
}

std::int64_t ModelLog::position_of(const std::string& stream, std::int64_t version) const {
  return streams.at(stream)[static_cast<std::size_t>(version - 1)];
}

std::int64_t ModelLog::version_at(const std::string& stream, std::int64_t position) const {
  const auto found = streams.find(stream);
  if (found == streams.end()) return 0;
  return std::upper_bound(found->second.begin(), found->second.end(), position) - found->second.begin();
}

bool ModelLog::is_ahead_of(Timestamp now) const {
  return !events.empty() && events.back().recorded_at > now;
}

std::int64_t ModelLog::last_of_age(Duration age, Timestamp now) const {
  if (is_ahead_of(now)) return head();
  const auto later = [](Timestamp asked, const Event& event) { return asked < event.recorded_at; };
  return std::upper_bound(events.begin(), events.end(), now - age, later) - events.begin();
}

void compare(const AppendResult& expected, const AppendResult& found) {
  expect_equal("an append conflicts exactly when its expectation is not met",
               std::holds_alternative<Conflict>(expected), std::holds_alternative<Conflict>(found));
  if (const auto* conflict = std::get_if<Conflict>(&expected)) {
    expect_equal("a conflict names the actual version", conflict->actual, std::get<Conflict>(found).actual);
    return;
  }
  const auto* reused = std::get_if<KeyReused>(&expected);
  expect_equal("a key is of one command alone", reused != nullptr, std::holds_alternative<KeyReused>(found));
  if (reused != nullptr) {
    expect_equal("what a key was first used for", reused->stream.id, std::get<KeyReused>(found).stream.id);
    return;
  }
  const auto& promised = std::get<Appended>(expected);
  const auto& answer = std::get<Appended>(found);
  expect_equal("a retry says that it is one", promised.duplicate, answer.duplicate);
  expect_equal("an append's first position", promised.first, answer.first);
  expect_equal("an append's last position", promised.last, answer.last);
  expect_equal("the stream's version after an append", promised.version, answer.version);
  expect_equal("an append's stream", promised.stream.id, answer.stream.id);
  expect_equal("the outcome kept with a command", promised.outcome, answer.outcome);
}

void compare(const ModelLog& model, const RecordedEvent& found) {
  expect("the log holds no event that was not acknowledged", found.position.value <= model.head());
  const ModelLog::Event& event = model.at(found.position.value);
  expect_equal("an event's stream", event.stream, found.stream.id);
  expect_equal("an event's category", id_of(event.stream).category, found.stream.category);
  expect_equal("an event's version", event.version, found.version.value);
  expect_equal("an event's data", std::to_string(event.amount), found.data);
  expect_equal("when an event happened", event.occurred_at.time_since_epoch(), found.occurred_at.time_since_epoch());
  expect_equal("an event's time of recording", event.recorded_at.time_since_epoch(),
               found.recorded_at.time_since_epoch());
  expect_equal("where an event's append ends", Position{event.append_end}, found.append_end);
  expect("an event's correlation is the one that it was given", event.correlation == found.correlation);
}

}  // namespace freshet::simulation
