// The simulation: the whole engine in one thread on virtual time, driven by one seed. Up to two stores are
// open on the file, as two processes would have them; whatever they answer is compared with the model.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freshet/decider.hpp"
#include "freshet/error.hpp"
#include "freshet/store.hpp"
#include "simulation/clock.hpp"
#include "simulation/dice.hpp"
#include "simulation/faults.hpp"
#include "simulation/journal.hpp"
#include "simulation/model.hpp"
#include "simulation/rare_paths.hpp"
#include "simulation/snapshot.hpp"
#include "temp_dir.hpp"

namespace freshet::simulation {

class Simulation {
 public:
  Simulation(std::uint64_t seed, Counters& counters, Journal& journal);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  // Throws a Violation at the first promise that is not kept.
  void run(int steps);

  // The one that is going on, from 1; 0 before the first.
  [[nodiscard]] int step() const { return step_; }

 private:
  // A store as another process would have it, and what is known of it from outside.
  struct Process {
    std::string name;
    std::unique_ptr<Store> store = nullptr;
    int opening = 0;      // Counts all openings of the file.
    bool linked = false;  // By the other name.
    std::vector<std::string> registered = {};

    [[nodiscard]] bool has(std::string_view projection) const;
    [[nodiscard]] std::optional<std::int64_t> version_of_totals() const {
      return has("totals") ? std::optional<std::int64_t>(schema_version) : std::nullopt;
    }
    int schema_version = 0;
    std::size_t messages_max = 0;
    bool crashed = false;
    bool dead = false;  // The process: what its store still does to be destroyed is not seen any more.
    CrashPoint crash_point = CrashPoint::now;  // As last asked for.
    std::optional<Instant> stopped_at = std::nullopt;
    // Since its projector has taken over: where the log stood, and what was handed to its bus and not delivered.
    std::int64_t taken_over_at = 0;
    std::set<std::int64_t> in_memory = {};
  };

  // A writer and reader that keeps a token, as an application's session does.
  struct Session {
    std::string text = {};  // The token as it is handed out; empty: it has none yet.
    int history = 0;        // In which it was handed out.
    std::int64_t token = 0;
    std::int64_t own_last = 0;
    std::map<std::string, std::int64_t> versions = {};
  };

  // A history that a file's goes on from, up to where the next one begins; the last one is its own.
  struct Part {
    int history;
    std::int64_t begins_after;
  };

  // What is known of the file's content, and gone or back again with a backup.
  struct Content {
    ModelLog model;
    std::vector<Part> lineage{{1, 0}};
    std::int64_t built_version = 1;    // Of the rows in use, as far as is known.
    std::set<std::int64_t> failing;    // A projection has failed on these events and has not applied them.
    std::set<std::int64_t> fetched;    // Applied by a synchronous append of a later event of the stream.
    std::set<std::int64_t> discarded;  // Dead letters, for good.
    std::array<std::map<std::int64_t, Instant>, projection_names.size()> applied_at;
  };

  // A subscriber that keeps its place beside what it makes of the events.
  struct Listener {
    std::int64_t through = 0;
    std::string epoch = {};
    int history = 0;
  };

  // An append that is not made yet.
  struct Draft {
    std::string stream;
    std::vector<NewEvent> events;
    Append request;
  };

  // What a read has to show, as the model sees it when the read begins.
  struct Asked {
    std::int64_t through = 0;  // Everything up to here,
    std::int64_t version = 0;  // or this version of the request's stream.
  };

  // The circumstances of a read.
  struct Wait {
    Process& process;
    const ReadRequest& request;
    Asked asked;
    Instant began;
    bool projecting;  // The process is the one that projects, when the read begins.
    int interruptions;
    bool future;  // What it asks for is not in the log yet.
  };

  // life.cpp: opening, closing, crashing, observing.
  void open(Process& process);
  void close(Process& process);
  void reopen(Process& process);
  void close_in_the_middle(Process& process);
  void crash();
  void go_on_in(std::unique_ptr<tests::TempDir> directory);
  void crash_projector(Process& process);
  void open_or_reopen_other();
  void raise_schema_version(Process& process);
  [[nodiscard]] std::vector<std::string> any_projections();
  [[nodiscard]] static bool share_a_lease(const Process& one, const Process& other);
  [[nodiscard]] Process& any_process();
  [[nodiscard]] Process& other_than(const Process& process);
  bool fails(const RecordedEvent& event);
  void observe(Process& process, const Trace& trace);
  void observe_delivery(Process& process, const Trace& trace);
  void observe_applied(const Trace& trace);
  void hear(Process& process, const Notice& notice);
  void meanwhile(Instant waking);

  // writing.cpp
  [[nodiscard]] std::string any_stream();
  [[nodiscard]] ExpectedVersion any_expectation(const std::string& stream);
  [[nodiscard]] Draft any_draft();
  // A key, and whether it comes with what is its own, so that it comes with the same again.
  struct Key {
    std::int64_t number;
    bool comes_with_its_own;
    [[nodiscard]] std::string name() const { return "key " + std::to_string(number); }
    [[nodiscard]] std::string stream() const { return std::string(1, static_cast<char>('a' + number % 6)); }
    [[nodiscard]] std::vector<NewEvent> events() const;
  };
  [[nodiscard]] Key any_key(std::int64_t number_max = 29);
  void append(Process& process, Draft draft);
  void refuse(Process& process);
  void write(Process& process);
  void write_long(Process& process);
  void acknowledge(Process& process, const Append& request, const AppendResult& result, const Said& said = {});
  void check_synchronous(Process& process, const Appended& appended);

  // deciding.cpp
  template <int schema>
  void execute_as(Process& process);
  void execute(Process& process);
  void check_rejection(Process& process, const Append& request, const Said& said,
                       const Rejected<std::string>& rejected);
  void check_state(Process& process, const std::string& stream);

  // reading.cpp
  [[nodiscard]] Consistency any_consistency(const std::optional<StreamId>& stream);
  void read(Process& process);
  void read_in_session(Process& process);
  [[nodiscard]] std::optional<Freshness> perform(Process& process, const ReadRequest& request);
  [[nodiscard]] Asked resolve(const ReadRequest& request) const;
  [[nodiscard]] bool is_met(const ReadRequest& request, const Asked& asked, const Snapshot& snapshot) const;
  void check_answer(Reading& reading, const Wait& wait);
  void check_error(const Error& error, const Wait& wait);
  void check_ending(const Wait& wait, bool met);
  [[nodiscard]] std::optional<Instant> met_at(const Wait& wait) const;
  void check_replay(const ReadRequest& request);
  void count_read(const Freshness& freshness, const ReadRequest& request);

  // log_reading.cpp
  [[nodiscard]] LogRequest any_log_request();
  void read_log(Process& process);

  // restoring.cpp: backups put in the file's place, beside those who keep a place in it.
  void back_up(Process& process);
  void restore();
  void listen(Process& process);
  void go_on(Process& process, Listener& listener);
  void resume(Process& process, Session& session);
  void hand_out(Process& process, Session& session);
  [[nodiscard]] int history() const { return file_.lineage.back().history; }
  [[nodiscard]] bool is_shared(int history, std::int64_t position) const;

  // upgrading.cpp
  void fall_back_to_format_3();
  [[nodiscard]] std::unique_ptr<tests::TempDir> killed_in_upgrade(const tests::TempDir& directory, Upgrade upgrade);

  // upkeep.cpp: rebuilds, verification, what is checked after each step, and the end.
  void act();
  void set_clock(Process& process);
  void rebuild(Process& process);
  enum class Lease { held, taken_away };
  void disturb_rebuild(Process& process, std::string_view projection, Lease& lease);
  void check_rebuild_refused(Process& process, std::string_view projection, const Error& error);
  void drain(Process& process);
  void retry_dead_letters(Process& process);
  void discard_dead_letters(Process& process);
  [[nodiscard]] static Applied look_at_fragile(Process& process);
  void verify(Process& process);
  void run_due(Process& process);
  void check();
  void check_log(Process& process);
  void check_moment(Process& process);
  void run_until_idle();
  void rest();
  void check_all_fresh();
  void settle();

  void note(const std::string& line);

  Dice dice_;
  Counters& counters_;
  Journal& journal_;
  Faults faults_;
  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  std::unique_ptr<tests::TempDir> directory_ = std::make_unique<tests::TempDir>();
  std::array<Process, 2> processes_{Process{.name = "first"}, Process{.name = "second"}};
  Content file_;
  std::optional<Content> backup_;  // What the last backup holds.
  std::unique_ptr<tests::TempDir> backup_directory_;
  std::array<Session, 3> sessions_;
  std::array<Listener, 2> listeners_;
  int step_ = 0;
  bool calm_ = false;  // The faults have stopped.
  int openings_ = 0;
  int histories_ = 1;
  int schema_version_ = 1;             // Of the newest release.
  const Process* holder_ = nullptr;    // Who took the lease last.
  const Process* sleeping_ = nullptr;  // Who waits in a read or a drain.
  int interruptions_ = 0;
  std::function<void()> disturbance_;  // Of what goes on while somebody sleeps.
  std::int64_t compared_ = 0;          // Up to here the log was compared with the model.
  bool dead_letters_ = false;          // There are some, as far as is known.
  std::optional<std::string> unexpected_;
  std::vector<std::int64_t> applied_synchronously_;
};

}  // namespace freshet::simulation
