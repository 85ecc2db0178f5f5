// Appends: fresh and stale expectations, keys and their retries, several in one transaction.
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

// What a body of EventLog::write() throws to undo all of it.
struct GivenUp {};

// Enough for a rebuild to take more than one batch.
constexpr std::size_t long_log_events = 1'100;

NewEvent event(std::int64_t amount) {
  return {.type = "Deposited", .data = std::to_string(amount)};
}

}  // namespace

std::string Simulation::any_stream() {
  return std::string(1, static_cast<char>('a' + dice_.number(5)));
}

ExpectedVersion Simulation::any_expectation(const std::string& stream) {
  switch (dice_.below(6)) {
    case 0:
      return ExpectedVersion::none();
    case 1:
      return ExpectedVersion::exists();
    case 2:
      return ExpectedVersion::exactly(Version{file_.model.version(stream)});
    case 3:
      return ExpectedVersion::exactly(Version{dice_.number(file_.model.version(stream) + 1)});
    default:
      return ExpectedVersion::any();
  }
}

std::vector<NewEvent> Simulation::Key::events() const {
  std::vector<NewEvent> events;
  for (std::int64_t count = 0; count <= number % 3; ++count) events.push_back(event(number + count));
  if (number % 4 == 0) events.front().occurred_at = Timestamp{std::chrono::seconds{number}};
  return events;
}

Simulation::Key Simulation::any_key(std::int64_t number_max) {
  return {.number = dice_.number(number_max), .comes_with_its_own = dice_.chance(0.5)};
}

Simulation::Draft Simulation::any_draft() {
  const std::string stream = dice_.chance(0.05) ? rare_stream : any_stream();
  Draft draft{.stream = stream,
              .events = {},
              .request = {.stream = id_of(stream), .expected = any_expectation(stream), .events = {}}};
  for (auto count = dice_.below(3) + 1; count > 0; --count) draft.events.push_back(event(dice_.number(99)));
  if (dice_.chance(0.1)) draft.events.front().occurred_at = clock_->wall_time() - dice_.duration(std::chrono::hours{1});
  if (dice_.chance(faults_.keyed)) {
    const Key key = any_key();
    draft.request.command_id = key.name();
    draft.request.outcome = text(dice_.below(1'000));
    if (key.comes_with_its_own) {
      draft.stream = key.stream();
      draft.request.stream = id_of(draft.stream);
      draft.events = key.events();
    }
  }
  if (dice_.chance(0.2))
    draft.request.correlation = {"click " + text(dice_.below(9)), "command " + text(dice_.below(9))};
  if (dice_.chance(faults_.synchronous)) draft.request.projecting = Projecting::synchronous;
  return draft;
}

void Simulation::append(Process& process, Draft draft) {
  draft.request.events = draft.events;
  note("append " + text(draft.events.size()) + " to " + draft.stream + " by " + process.name +
       (draft.request.command_id ? ", " + *draft.request.command_id : "") +
       (draft.request.projecting == Projecting::synchronous ? ", synchronously" : ""));
  applied_synchronously_.clear();
  try {
    const AppendResult result = process.store->log().append(draft.request);
    acknowledge(process, draft.request, result);
  } catch (const Error& error) {
    // A projection that fails, a dead letter, a projection that is being made again: all of it was refused.
    expect_equal("an append that is refused is a synchronous one", true,
                 draft.request.projecting == Projecting::synchronous);
    const bool outdated = process.schema_version < schema_version_ && error.code() == ErrorCode::unsupported_format;
    if (!outdated) {
      expect_equal("why a synchronous append is refused", std::string(name(ErrorCode::projection_failed)),
                   std::string(name(error.code())));
    }
    note(std::string("  refused: ") + error.what());
    counters_.count(Rare::synchronous_refused);
  }
}

// An answer without events, kept under its key.
void Simulation::refuse(Process& process) {
  const Key key = any_key();
  const std::string stream = key.comes_with_its_own ? key.stream() : any_stream();
  const Append request{.stream = {"account", stream},
                       .expected = ExpectedVersion::any(),
                       .events = {},
                       .command_id = key.name(),
                       .outcome = "refused"};
  note("refuse " + *request.command_id + " of " + stream + " by " + process.name);
  acknowledge(process, request, process.store->log().append(request));
}

// Several appends in one transaction: committed, undone by an exception, or cut short by a crash.
void Simulation::write(Process& process) {
  std::vector<Draft> drafts;
  for (auto count = dice_.below(4) + 1; count > 0; --count) {
    drafts.push_back(any_draft());
    drafts.back().request.projecting = Projecting::asynchronous;
  }
  for (Draft& draft : drafts) draft.request.events = draft.events;
  const bool crashes = dice_.chance(0.1);
  const bool given_up = crashes || dice_.chance(0.2);
  note("write " + text(drafts.size()) + " appends by " + process.name + (given_up ? ", given up" : ""));
  std::vector<AppendResult> results;
  std::unique_ptr<tests::TempDir> crashed;
  try {
    process.store->log().write([&](AppendTransaction& transaction) {
      for (const Draft& draft : drafts) results.push_back(transaction.append(draft.request));
      if (crashes) copy_files(*directory_, *(crashed = std::make_unique<tests::TempDir>()));
      if (given_up) throw GivenUp{};
    });
  } catch (const GivenUp&) {
    counters_.count(Rare::write_undone);
    if (!crashed) return;
    go_on_in(std::move(crashed));
    counters_.count(Rare::crash_inside_write);
    return;
  }
  for (std::size_t index = 0; index < drafts.size(); ++index)
    acknowledge(process, drafts[index].request, results[index]);
  counters_.count(Rare::write_committed);
}

void Simulation::write_long(Process& process) {
  note("write a long log by " + process.name);
  const std::vector<NewEvent> some(append_events_max, event(1));
  const std::span<const NewEvent> all(some);
  for (std::size_t left = long_log_events; left > 0;) {
    const std::size_t count = std::min(left, append_events_max);
    const Append request{
        .stream = {"account", any_stream()}, .expected = ExpectedVersion::any(), .events = all.first(count)};
    acknowledge(process, request, process.store->log().append(request));
    left -= count;
  }
}

// Does to the model what the log should have done, and compares the answers.
void Simulation::acknowledge(Process& process, const Append& request, const AppendResult& result, const Said& said) {
  const AppendResult expected = file_.model.append(request, said, clock_->wall_time(), process.opening);
  compare(expected, result);
  counters_.count_if(std::holds_alternative<Conflict>(result), Rare::conflict);
  if (const auto* reused = std::get_if<KeyReused>(&result)) {
    note("  answered that the key is of another command");
    counters_.count(reused->stream == request.stream ? Rare::key_of_other_command : Rare::key_of_other_stream);
  }
  const auto* appended = std::get_if<Appended>(&result);
  if (appended == nullptr) return;
  note("  answered " + text(appended->first) + " to " + text(appended->last));
  if (appended->duplicate) {
    counters_.count(Rare::retry_of_key);
    counters_.count_if(file_.model.commands.at(*request.command_id).opening != process.opening,
                       Rare::retry_after_reopening);
    counters_.count_if(appended->first == Position{}, Rare::retry_of_refusal);
    counters_.count_if(!file_.model.commands.at(*request.command_id).said, Rare::key_of_format_3);
    counters_.count_if(said.stream_is_made_up && appended->stream != request.stream, Rare::retry_with_stream_made_up);
    return;
  }
  counters_.count_if(holder_ == &process && !process.crashed && process.in_memory.size() > process.messages_max,
                     Rare::memory_overflow);
  Session& session = sessions_[dice_.below(sessions_.size())];
  resume(process, session);
  session.token = std::max(session.token, appended->last.value);
  session.own_last = std::max(session.own_last, appended->last.value);
  hand_out(process, session);
  if (request.projecting == Projecting::synchronous && !request.events.empty()) check_synchronous(process, *appended);
}

// No staleness window: every process sees it at once.
void Simulation::check_synchronous(Process& process, const Appended& appended) {
  for (const std::int64_t position : applied_synchronously_) {
    if (position >= appended.first.value) continue;
    file_.fetched.insert(position);
    counters_.count(Rare::synchronous_applied_earlier);
  }
  Reading reading = process.store->read({.projections = process.registered, .stream = appended.stream});
  expect_equal("the version shown right after a synchronous append", appended.version, reading.freshness().version);
}

}  // namespace freshet::simulation
