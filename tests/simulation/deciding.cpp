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
    State believed;
    std::vector<std::int64_t> amounts;
  };
  using Event = std::int64_t;
  using Rejection = std::string;

  static State initial() { return 0; }
  static void evolve(State& state, const Event& amount) {
    state = state * (30 + schema_number) + static_cast<State>(amount) + 1;
  }
  static std::variant<std::vector<Event>, Rejection> decide(const Command& command, const State& state) {
    expect_equal("the state that a command is decided on", command.believed, state);
    return command.amounts;
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
  const std::string stream = any_stream();
  typename Account<schema>::Command command{Account<schema>::fold(model_, stream), {}};
  std::vector<NewEvent> events;
  for (auto count = dice_.below(3) + 1; count > 0; --count) {
    command.amounts.push_back(dice_.number(99));
    events.push_back(Account<schema>::encode(command.amounts.back()));
  }
  const Append request{.stream = {"account", stream}, .expected = any_expectation(stream), .events = events};
  note("execute for " + text(events.size()) + " in " + stream + " by " + process.name + ", schema " + text(schema));
  const auto outcome =
      freshet::execute<Account<schema>>(process.store->log(), request.stream, command, {.expected = request.expected});
  if (const auto* appended = std::get_if<Appended>(&outcome)) return acknowledge(process, request, *appended);
  acknowledge(process, request, std::get<Conflict>(outcome));
}

void Simulation::execute(Process& process) {
  if (dice_.chance(0.2)) return execute_as<2>(process);
  execute_as<1>(process);
}

void Simulation::check_state(Process& process, const std::string& stream) {
  const auto replayed = replay<Account<1>>(process.store->log(), {"account", stream});
  expect_equal("the version that a stream is replayed to", Version{model_.version(stream)}, replayed.version);
  expect_equal("the state that a stream is replayed to", Account<1>::fold(model_, stream), replayed.state);
  counters_.count_if(replayed.snapshot != Version{}, Rare::replay_from_snapshot);
}

}  // namespace freshet::simulation
