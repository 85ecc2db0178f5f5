// A to-do list in one file: rules, a read table, a command, and a read that sees it.
#include <freshet/freshet.hpp>
#include <iostream>

// The rules, as pure functions. A task is added once and finished once.
struct Tasks {
  enum class State { none, open, finished };
  enum class Command { add, finish };
  using Event = std::string;  // Its type says it all.
  using Rejection = std::string;

  static State initial() { return State::none; }
  static void evolve(State& task, const Event& event) {
    if (event == "TaskAdded") task = State::open;
    if (event == "TaskFinished") task = State::finished;
  }
  static std::variant<std::vector<Event>, Rejection> decide(Command command, State task) {
    if (command == Command::add && task == State::none) return std::vector<Event>{"TaskAdded"};
    if (command == Command::finish && task == State::open) return std::vector<Event>{"TaskFinished"};
    return Rejection{command == Command::add ? "the task is there already" : "the task is not open"};
  }
  static freshet::CommandIdentity identify(Command command) {
    return freshet::CommandIdentity(command == Command::add ? "add" : "finish");
  }
  static freshet::NewEvent encode(const Event& event) { return {.type = event, .data = "{}"}; }
  static Event decode(const freshet::RecordedEvent& event) { return event.type; }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }
};

// A read table: how many tasks are open. A sum, and right whatever is delivered twice.
struct OpenTasks final : freshet::Projection {
  std::string_view name() const override { return "open_tasks"; }
  int schema_version() const override { return 1; }
  std::vector<std::string> tables() const override { return {"open_tasks"}; }
  void create(freshet::Tables& tables) const override {
    tables.execute("CREATE TABLE {open_tasks} (count INTEGER NOT NULL) STRICT");
    tables.execute("INSERT INTO {open_tasks} VALUES (0)");
  }
  // Every event comes here, also those of other streams, and of types that are added later.
  void apply(const freshet::RecordedEvent& event, freshet::Tables& tables) const override {
    if (event.type == "TaskAdded") tables.execute("UPDATE {open_tasks} SET count = count + 1");
    if (event.type == "TaskFinished") tables.execute("UPDATE {open_tasks} SET count = count - 1");
  }
};

int main(int argument_count, char** arguments) {
  freshet::Store store(
      {.file = argument_count > 1 ? arguments[1] : "tasks.db", .projections = {std::make_shared<OpenTasks>()}});
  const auto outcome = freshet::execute<Tasks>(store.log(), {"task", "write"}, Tasks::Command::add, {});
  const auto* rejected = std::get_if<freshet::Rejected<Tasks::Rejection>>(&outcome);
  if (rejected != nullptr) return std::cout << rejected->rejection << '\n', 3;
  const auto* added = std::get_if<freshet::Appended>(&outcome);
  if (added == nullptr) return std::cout << "somebody else was quicker each time: try again\n", 4;

  auto reading = store.read({.projections = {"open_tasks"}, .consistency = freshet::AtLeastPosition{added->last}});
  auto rows = reading.query("SELECT count FROM {open_tasks}");
  if (rows.next()) std::cout << rows.integer(0) << " open, " << (reading.freshness().stale ? "stale" : "fresh") << '\n';
}
