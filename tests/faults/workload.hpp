// A small life of a store, the same every time: what is done to it, what it should answer, and what must
// be left of it when it was cut short.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine_fixture.hpp"

namespace freshet::faults {

// One append under a command id; without amounts it is a refusal that is remembered.
struct Command {
  std::string id;
  std::string stream;
  std::int64_t version = 0;  // That the stream must have.
  std::vector<std::int64_t> amounts;
  std::size_t padding = 0;  // Bytes of metadata of each event.
  Projecting projecting = Projecting::asynchronous;
};
// Committed together: one or more.
struct Write {
  std::vector<Command> commands;
};
// The projector does all that is due, and time passes.
struct Work {
  Duration passes;
};
struct MakeAgain {
  std::string projection;
};
// The write-ahead log is folded into the file.
struct Checkpoint {
  std::string mode;
};
struct Reopen {};
// A read that asks for everything.
struct Look {};
using Step = std::variant<Write, Work, MakeAgain, Checkpoint, Reopen, Look>;

[[nodiscard]] std::vector<Step> workload();
// Few steps, one of which writes more pages than SQLite leaves in the write-ahead log.
[[nodiscard]] std::vector<Step> large_workload();

// What a whole run has to give.
struct Expected {
  std::vector<Command> commands;  // In order.
  std::vector<Appended> answers;  // Likewise.
  // How many commands each transaction left behind it; 0 to begin with.
  std::vector<std::size_t> boundaries;
  std::vector<RecordedEvent> events;
};

// How many of the commands the store knows.
[[nodiscard]] std::size_t known_commands(Store& store, const Expected& expected);

// How far a run came.
struct Progressed {
  std::size_t asked = 0;  // Commands that were given to the log.
  std::size_t acknowledged = 0;
};

class Run {
 public:
  Run(std::filesystem::path file, Durability durability) : file_(std::move(file)), durability_(durability) {}

  // Opens the store and does the steps. Throws what the store throws; where a read says that the projector
  // has stopped, Error `projection_failed`.
  void operator()(const std::vector<Step>& steps);
  void open();
  void take(const Step& step);

  [[nodiscard]] const Progressed& progressed() const { return progressed_; }
  [[nodiscard]] const std::vector<Appended>& answers() const { return answers_; }
  [[nodiscard]] Store* store() { return store_.get(); }
  void close() { store_.reset(); }

 private:
  void take(const Write& write);
  void take(const Work& work);
  void take(const MakeAgain& again);
  void take(const Checkpoint& checkpoint);
  void take(const Reopen&);
  void take(const Look&);

  std::filesystem::path file_;
  Durability durability_;
  std::unique_ptr<Store> store_;
  Progressed progressed_;
  std::vector<Appended> answers_;
};

// What the steps give when nothing goes wrong.
[[nodiscard]] Expected expect(const std::filesystem::path& file, const std::vector<Step>& steps);

// Appends one command, as run() does.
[[nodiscard]] Appended carry_out(AppendTransaction& transaction, const Command& command);
[[nodiscard]] AppendResult append(Store& store, const Command& command);
[[nodiscard]] StoreOptions options_for(const std::filesystem::path& file, Durability durability);

// The least and the most that may be left, in commands.
struct Bounds {
  std::size_t least = 0;
  std::size_t most = 0;
};

// Opens what is left and holds it against what was expected: whole transactions within the bounds and
// nothing else, read tables that equal the log, the first answers to retries; and in the end, everything.
// Gives the number of commands that were left.
std::size_t check_what_is_left(const std::filesystem::path& file, const Expected& expected, const Bounds& bounds);

}  // namespace freshet::faults
