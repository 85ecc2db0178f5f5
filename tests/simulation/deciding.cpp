// Commands decided on a replayed state, and replays; with snapshots of two schemas, each in the other's way.
#include "freshet/decider.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

// An account's history in one number: whatever is left out, folded twice or in another order gives another one.
template <int schema_number>
struct Account {
  using State = std::uint64_t;
  struct Command {
    State believed = 0;
    std::vector<std::int64_t> amounts = {};
    bool refused = false;
  };
  using Event = std::int64_t;
  using Rejection = std::string;

  static State initial() { return 0; }
  static void evolve(State& state, const Event& amount) {
    state = state * (30 + schema_number) + static_cast<State>(amount) + 1;
  }
  static std::variant<std::vector<Event>, Rejection> decide(const Command& command, const State& state) {
    expect_equal("the state that a command is decided on", command.believed, state);
    if (command.refused) return Rejection("refused");
    return command.amounts;
  }
  static CommandIdentity identify(const Command& command) {
    return CommandIdentity(command.refused ? "refuse" : "deposit").add_each(command.amounts);
  }
  static NewEvent encode(const Event& amount) { return {.type = "Deposited", .data = std::to_string(amount)}; }
  static Event decode(const RecordedEvent& event) { return std::stoll(event.data); }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }

  static constexpr SnapshotPolicy snapshots{.name = "account", .schema = schema_number, .every = 3};
  static std::string encode_state(const State& state) { return std::to_string(state); }
  static State decode_state(std::string_view text) { return std::stoull(std::string(text)); }

  static State fold(const ModelLog& model, const std::string& stream) {
    State state = initial();
    if (const auto found = model.streams.find(stream); found != model.streams.end()) {
      for (const std::int64_t position : found->second) evolve(state, model.at(position).amount);
    }
    return state;
  }
};

}  // namespace

template <int schema>
void Simulation::execute_as(Process& process) {
  std::string stream = any_stream();
  typename Account<schema>::Command command{.refused = dice_.chance(0.2)};
  std::optional<Key> key;
  if (dice_.chance(faults_.keyed)) key = any_key(5);
  Said said{.stream_is_made_up = key && key->number % 2 == 0 && dice_.chance(0.8)};
  std::vector<NewEvent> events;
  if (key && key->comes_with_its_own) {
    events = key->events();
    command.refused = key->number % 3 == 0;
    if (!said.stream_is_made_up) stream = key->stream();
  } else {
    for (auto count = dice_.below(3) + 1; count > 0; --count) {
      events.push_back(Account<schema>::encode(dice_.number(99)));
    }
  }
  for (NewEvent& event : events) {
    event.occurred_at = std::nullopt;
    command.amounts.push_back(std::stoll(event.data));
    said.command += event.data + ' ';
  }
  said.command += command.refused ? "refused" : "deposited";
  command.believed = Account<schema>::fold(file_.model, stream);
  Append request{.stream = {"account", stream}, .expected = any_expectation(stream), .events = events};
  if (key) request.command_id = key->name();
  if (command.refused) {
    request.events = {};
    request.outcome = Account<schema>::encode_rejection("refused");
  }
  note("execute for " + text(request.events.size()) + " in " + stream + " by " + process.name + ", schema " +
       text(schema) + (key ? ", " + key->name() : ""));
  using StreamName = ExecuteOptions::StreamName;
  const auto outcome = freshet::execute<Account<schema>>(
      process.store->log(), request.stream, command,
      {.expected = request.expected,
       .idempotency_key = request.command_id,
       .stream_name = said.stream_is_made_up ? StreamName::made_up : StreamName::given});
  if (const auto* rejected = std::get_if<Rejected<std::string>>(&outcome)) {
    check_rejection(process, request, said, *rejected);
  } else if (const auto* appended = std::get_if<Appended>(&outcome)) {
    acknowledge(process, request, *appended, said);
  } else if (const auto* reused = std::get_if<KeyReused>(&outcome)) {
    acknowledge(process, request, *reused, said);
  } else {
    acknowledge(process, request, std::get<Conflict>(outcome), said);
  }
}

// One with a key is kept and given again to the same command; one without leaves nothing.
void Simulation::check_rejection(Process& process, const Append& request, const Said& said,
                                 const Rejected<std::string>& rejected) {
  const auto& [rejection, version, duplicate] = rejected;
  counters_.count(duplicate ? Rare::rejection_given_again : Rare::rejection);
  if (request.command_id) {
    const auto known = file_.model.commands.find(*request.command_id);
    const StreamId stream = known == file_.model.commands.end() ? request.stream : known->second.answer.stream;
    return acknowledge(process, request,
                       Appended{.stream = stream, .version = version, .duplicate = duplicate, .outcome = rejection},
                       said);
  }
  expect_equal("who rejects", request.outcome, rejection);
  expect("a command is rejected where its expectation is met",
         request.expected.admits(Version{file_.model.version(request.stream.id)}));
  expect_equal("a rejection is a new one", false, duplicate);
  expect_equal("the version that a rejection was decided on", Version{file_.model.version(request.stream.id)}, version);
}

void Simulation::execute(Process& process) {
  if (dice_.chance(0.2)) return execute_as<2>(process);
  execute_as<1>(process);
}

void Simulation::check_state(Process& process, const std::string& stream) {
  const auto replayed = replay<Account<1>>(process.store->log(), {"account", stream});
  expect_equal("the version that a stream is replayed to", Version{file_.model.version(stream)}, replayed.version);
  expect_equal("the state that a stream is replayed to", Account<1>::fold(file_.model, stream), replayed.state);
  counters_.count_if(replayed.snapshot != Version{}, Rare::replay_from_snapshot);
}

}  // namespace freshet::simulation
