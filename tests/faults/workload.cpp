// The steps, how they are taken, and what is checked afterwards.
#include "faults/workload.hpp"

#include <algorithm>

namespace freshet::faults {
namespace {

using namespace std::chrono_literals;
using namespace freshet::tests;

// What the request borrows.
struct Request {
  explicit Request(const Command& command) {
    for (const std::int64_t amount : command.amounts) {
      events.push_back(event(amount));
      if (command.padding > 0) events.back().metadata = '"' + std::string(command.padding, 'p') + '"';
    }
    append = {.stream = stream(command.stream),
              .expected = ExpectedVersion::exactly(Version{command.version}),
              .events = events,
              .command_id = command.id,
              .outcome = "outcome of " + command.id,
              .projecting = command.projecting};
  }
  std::vector<NewEvent> events;
  Append append{.stream = {}, .expected = ExpectedVersion::any(), .events = {}};
};

// Gives commands their ids, and the versions that their streams will have by then.
class Author {
 public:
  Command command(const std::string& stream, std::vector<std::int64_t> amounts, std::size_t padding = 0,
                  Projecting projecting = Projecting::asynchronous) {
    std::int64_t& version = versions_[stream];
    Command command{.id = "command-" + std::to_string(++commands_),
                    .stream = stream,
                    .version = version,
                    .amounts = std::move(amounts),
                    .padding = padding,
                    .projecting = projecting};
    version += static_cast<std::int64_t>(command.amounts.size());
    return command;
  }

  void write(std::vector<Command> commands) { steps_.emplace_back(Write{std::move(commands)}); }
  void then(Step step) { steps_.push_back(std::move(step)); }
  [[nodiscard]] std::vector<Step> steps() const { return steps_; }

 private:
  std::map<std::string, std::int64_t> versions_;
  int commands_ = 0;
  std::vector<Step> steps_;
};

// The log's events without their times, which another run may give otherwise.
bool is_same(const RecordedEvent& left, const RecordedEvent& right) {
  return left.position == right.position && left.version == right.version && left.stream == right.stream &&
         left.type == right.type && left.data == right.data && left.metadata == right.metadata;
}

void check_events(Store& store, const Expected& expected, Position head) {
  const auto events = store.log().read_all(Position{}, all_events);
  REQUIRE(store.log().head() == head);
  REQUIRE(static_cast<std::int64_t>(events.size()) == head.value);
  REQUIRE(std::equal(events.begin(), events.end(), expected.events.begin(), is_same));
}

void check_verified(Store& store) {
  const auto problems = store.verify().problems;
  REQUIRE_MESSAGE(problems.empty(), problems.front());
}

void check_tables(Store& store, const Expected& expected, Position head) {
  std::int64_t sum = 0;
  for (std::int64_t position = 0; position < head.value; ++position) {
    sum += amount(expected.events[static_cast<std::size_t>(position)]);
  }
  REQUIRE(total(store) == sum);
  REQUIRE(count_of_events(store) == head.value);
  for (const ProjectionStatus& status : store.projections()) {
    REQUIRE(status.position == head);
    REQUIRE(status.dead_letters == 0);
  }
}

Position head_after(const Expected& expected, std::size_t commands) {
  Position head;
  for (std::size_t index = 0; index < commands; ++index) head = std::max(head, expected.answers[index].last);
  return head;
}

void retry_all(Store& store, const Expected& expected, std::size_t known) {
  for (std::size_t index = 0; index < expected.commands.size(); ++index) {
    const auto result = append(store, expected.commands[index]);
    REQUIRE(std::holds_alternative<Appended>(result));
    const auto& answer = std::get<Appended>(result);
    const Appended& first = expected.answers[index];
    REQUIRE(answer.duplicate == (index < known));
    REQUIRE(answer.stream == first.stream);
    REQUIRE(answer.first == first.first);
    REQUIRE(answer.last == first.last);
    REQUIRE(answer.version == first.version);
    REQUIRE(answer.outcome == first.outcome);
  }
}

}  // namespace

StoreOptions options_for(const std::filesystem::path& file, Durability durability) {
  StoreOptions options = stepped(file, {.delay = UniformDelay{0ms, 4ms}, .duplicate_probability = 0.2, .seed = 7});
  options.durability = durability;
  return options;
}

std::size_t known_commands(Store& store, const Expected& expected) {
  return static_cast<std::size_t>(
      std::count_if(expected.commands.begin(), expected.commands.end(), [&](const Command& command) {
        const Request request(command);
        return store.log().find_command(command.id, request.append.stream, identity_of(request.append)).has_value();
      }));
}

std::vector<Step> workload() {
  Author author;
  author.write({author.command("a", {1})});
  author.write({author.command("b", {2, 3}, 0, Projecting::synchronous)});
  author.then(Work{1ms});
  author.write({author.command("a", {4}), author.command("c", {5, 6, 7}), author.command("b", {8})});
  author.write({author.command("none", {})});
  author.then(Work{5ms});
  author.then(Checkpoint{"PASSIVE"});
  author.write({author.command("d", {9, 10}, 9'000)});
  author.write({author.command("a", {11}, 0, Projecting::synchronous)});
  author.then(MakeAgain{"totals"});
  author.then(Checkpoint{"RESTART"});
  author.write({author.command("c", {12})});
  author.then(Look{});
  author.then(Reopen{});
  author.write({author.command("b", {13}), author.command("e", {14}, 0, Projecting::synchronous)});
  author.then(Work{2ms});
  author.write({author.command("e", {})});
  for (std::int64_t value = 15; value < 20; ++value) author.write({author.command("a", {value}, 700)});
  author.then(Checkpoint{"RESTART"});
  author.then(Work{5ms});
  author.then(Checkpoint{"TRUNCATE"});
  author.write({author.command("f", std::vector<std::int64_t>(40, 1), 300)});
  author.then(Checkpoint{"RESTART"});
  author.then(MakeAgain{"latest"});
  author.then(Work{5ms});
  author.write({author.command("f", {20})});
  return author.steps();
}

std::vector<Step> large_workload() {
  Author author;
  author.write({author.command("a", {1})});
  author.then(Checkpoint{"PASSIVE"});
  for (std::int64_t value = 2; value < 6; ++value) author.write({author.command("a", {value}, 6'000'000)});
  author.write({author.command("b", {6}, 0, Projecting::synchronous)});
  author.write({author.command("b", {7})});
  return author.steps();
}

void Run::operator()(const std::vector<Step>& steps) {
  open();
  for (const Step& step : steps) take(step);
}

void Run::take(const Step& step) {
  std::visit([this](const auto& one) { take(one); }, step);
}

void Run::open() {
  store_ = std::make_unique<Store>(options_for(file_, durability_));
}

void Run::take(const Write& write) {
  progressed_.asked += write.commands.size();
  std::vector<Appended> answers;
  if (write.commands.size() == 1) {
    answers.push_back(std::get<Appended>(append(*store_, write.commands.front())));
  } else {
    store_->log().write([&](AppendTransaction& transaction) {
      for (const Command& command : write.commands) answers.push_back(carry_out(transaction, command));
    });
  }
  progressed_.acknowledged += answers.size();
  answers_.insert(answers_.end(), answers.begin(), answers.end());
}

void Run::take(const Work& work) {
  run_due(*store_);
  sleep(*store_, work.passes);
  run_due(*store_);
}

void Run::take(const MakeAgain& again) {
  const bool finished = store_->rebuild(again.projection);
  REQUIRE(finished);
}

void Run::take(const Checkpoint& checkpoint) {
  connect(file_).execute("PRAGMA wal_checkpoint(" + checkpoint.mode + ")");
}

void Run::take(const Reopen&) {
  store_.reset();
  open();
}

void Run::take(const Look&) {
  const Reading reading = store_->read({.projections = {"totals"}, .consistency = Strong{}, .timeout = 50ms});
  if (!reading.freshness().stale) return;
  REQUIRE(holds(reading.warnings().front(), "the projector has stopped"));
  throw Error(ErrorCode::projection_failed, reading.warnings().front());
}

Expected expect(const std::filesystem::path& file, const std::vector<Step>& steps) {
  Expected expected;
  expected.boundaries.push_back(0);
  for (const Step& step : steps) {
    if (const auto* write = std::get_if<Write>(&step)) {
      expected.commands.insert(expected.commands.end(), write->commands.begin(), write->commands.end());
      expected.boundaries.push_back(expected.commands.size());
    }
  }
  Run run(file, Durability::power_loss);
  run(steps);
  expected.answers = run.answers();
  expected.events = run.store()->log().read_all(Position{}, all_events);
  return expected;
}

Appended carry_out(AppendTransaction& transaction, const Command& command) {
  return std::get<Appended>(transaction.append(Request(command).append));
}

AppendResult append(Store& store, const Command& command) {
  return store.log().append(Request(command).append);
}

std::size_t check_what_is_left(const std::filesystem::path& file, const Expected& expected, const Bounds& bounds) {
  Store store(options_for(file, Durability::power_loss));
  check_verified(store);
  const std::size_t known = known_commands(store, expected);
  REQUIRE(known >= bounds.least);
  REQUIRE(known <= bounds.most);
  // Those that are known must be the first ones: the retries below find out.
  REQUIRE(std::binary_search(expected.boundaries.begin(), expected.boundaries.end(), known));
  const Position head = head_after(expected, known);
  check_events(store, expected, head);
  run_until_idle(store);
  check_tables(store, expected, head);

  retry_all(store, expected, known);
  run_until_idle(store);
  const Position last = head_after(expected, expected.commands.size());
  check_events(store, expected, last);
  check_tables(store, expected, last);
  check_verified(store);
  return known;
}

}  // namespace freshet::faults
