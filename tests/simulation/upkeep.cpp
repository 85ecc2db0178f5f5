// What to do next; rebuilds and verification; what is compared after each step; and the end.
#include <filesystem>

#include "base/look.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

using namespace std::chrono_literals;

// More looks or steps than any run needs to come to rest.
constexpr int rounds_max = 200'000;
// A projector that works asks for a lease that it lacks at least this often.
constexpr Duration leases_asked_within = Look::max;

// So many looks of a drain pass before somebody else comes to act.
constexpr int looks_alone = 100;

// In a longer log the tables are compared every so many steps only.
constexpr std::int64_t short_log_events = 500;
constexpr int steps_between_checks = 8;

}  // namespace

void Simulation::run(int steps) {
  open(processes_[0]);
  if (faults_.log == Log::long_) write_long(processes_[0]);
  for (step_ = 1; step_ <= steps; ++step_) {
    act();
    check();
  }
  settle();
}

void Simulation::act() {
  Process& process = any_process();
  switch (faults_.draw(dice_)) {
    case Action::append:
      return append(process, any_draft());
    case Action::refuse:
      return refuse(process);
    case Action::write:
      return write(process);
    case Action::step:
      note("step " + process.name);
      static_cast<void>(process.store->step());
      return;
    case Action::run_due:
      return run_due(process);
    case Action::sleep:
      note("sleep");
      return clock_->move_to(clock_->now() + dice_.duration(dice_.chance(0.1) ? 10s : 40ms));
    case Action::read:
      return read(process);
    case Action::read_in_session:
      return read_in_session(process);
    case Action::drain:
      return drain(process);
    case Action::crash:
      return crash();
    case Action::reopen:
      return reopen(process);
    case Action::close:
      return close_in_the_middle(process);
    case Action::crash_projector:
      return crash_projector(process);
    case Action::restart_projector:
      process.crashed = false;
      return process.store->restart_projector();
    case Action::rebuild:
      return rebuild(process);
    case Action::raise_schema_version:
      return raise_schema_version(process);
    case Action::retry_dead_letters:
      return retry_dead_letters(process);
    case Action::discard_dead_letters:
      return discard_dead_letters(process);
    case Action::verify:
      return verify(process);
    case Action::open_other:
      return open_or_reopen_other();
    case Action::close_other:
      if (processes_[1].store) close(processes_[1]);
      return;
    case Action::set_clock:
      return set_clock(process);
    case Action::execute:
      return execute(process);
    case Action::back_up:
      return back_up(process);
    case Action::restore:
      return restore();
    case Action::listen:
      return listen(process);
    case Action::read_log:
      return read_log(process);
    case Action::fall_back_to_format_3:
      return fall_back_to_format_3();
    case Action::end_:
      break;
  }
  expect("an action is one of its enumerators", false);
}

// By a little, as a time server does, or by much, as a person does.
void Simulation::set_clock(Process& process) {
  const Duration by = dice_.chance(0.5) ? dice_.duration(50ms) - 40ms : dice_.duration(2h) - 1h;
  note("the system's clock is set by " + text(by));
  counters_.count(by < Duration{} ? Rare::clock_set_back : Rare::clock_set_forward);
  clock_->set_wall_time_by(by);
  Reading reading = process.store->read({.projections = {"totals"}});
  const Snapshot snapshot = take_snapshot(reading);
  for (const ProjectionStatus& status : process.store->projections()) {
    const Lag lag = lag_of_log(find(snapshot, status.name), file_.model, clock_->wall_time());
    expect_equal("what is behind in " + status.name, lag.events, status.behind_events);
    expect_equal("how far behind is " + status.name, lag.age, status.behind);
  }
}

// To the end, given up, overtaken by appends, or cut short by a crash.
void Simulation::rebuild(Process& process) {
  enum class Fate { finished, given_up, overtaken, crashed, disturbed };
  const std::string name = process.registered[dice_.below(process.registered.size())];
  const auto fate = dice_.chance(0.3) ? Fate::disturbed : static_cast<Fate>(dice_.below(4));
  note("rebuild " + name + " by " + process.name);
  bool between = false;
  Lease lease = Lease::held;
  std::unique_ptr<tests::TempDir> crashed;
  const auto disturb = [&] {
    if (dice_.chance(0.7)) disturb_rebuild(process, name, lease);
  };
  const auto progress = [&](std::int64_t done, std::int64_t total) {
    if (done >= total) return true;
    between = true;
    if (fate == Fate::overtaken) append(process, any_draft());
    if (fate == Fate::disturbed) disturb();
    if (fate == Fate::crashed) copy_files(*directory_, *(crashed = std::make_unique<tests::TempDir>()));
    return fate != Fate::given_up && fate != Fate::crashed;
  };
  // Events that fail are waited for, and nothing else is told of meanwhile.
  sleeping_ = &process;
  if (fate == Fate::disturbed) disturbance_ = disturb;
  bool finished = false;
  std::optional<Error> refusal;
  try {
    finished = process.store->rebuild(name, progress);
  } catch (const Error& error) {
    refusal = error;
  }
  sleeping_ = nullptr;
  disturbance_ = nullptr;
  if (refusal) {
    note(std::string("  refused: ") + refusal->what());
    check_rebuild_refused(process, name, *refusal);
    return;
  }
  if (crashed) {
    go_on_in(std::move(crashed));
    counters_.count(Rare::crash_in_rebuild);
    return;
  }
  const bool given_up = between && fate == Fate::given_up;
  expect_equal("a rebuild is finished unless it is stopped", !given_up, finished);
  if (finished && name == "totals") file_.built_version = process.schema_version;
  counters_.count(finished ? Rare::rebuild : Rare::rebuild_given_up);
  counters_.count_if(between && fate == Fate::overtaken, Rare::rebuild_overtaken);
}

// What others do while it is filled: the marks and the mends of an operator, a rebuild by another process, and one that
// does not see the lock of the first.
void Simulation::disturb_rebuild(Process& process, std::string_view projection, Lease& lease) {
  Process& other = other_than(process);
  switch (dice_.below(4)) {
    case 0:
      counters_.count(Rare::discarded_in_rebuild);
      return discard_dead_letters(any_process());
    case 1:
      note("  meanwhile dead letters are retried");
      counters_.count(Rare::retried_in_rebuild);
      any_process().store->retry_dead_letters();
      return;
    default:
      break;
  }
  if (!other.store) open(other);
  if (!other.has(projection)) return;
  if (dice_.chance(0.5)) {
    lease = Lease::taken_away;
    std::filesystem::remove(directory_->file().string() + "-rebuild");
  }
  note("  meanwhile a rebuild by " + other.name + (lease == Lease::taken_away ? ", which finds no lease" : ""));
  counters_.count(lease == Lease::taken_away ? Rare::rebuild_without_its_lease : Rare::rebuilds_met);
  try {
    static_cast<void>(other.store->rebuild(projection));
    expect("two rebuilds go on at once only where the lease of one was taken away", lease == Lease::taken_away);
  } catch (const Error& error) {
    note(std::string("  refused: ") + error.what());
    check_rebuild_refused(other, projection, error);
  }
}

// By another one that is going on, or because a newer release made the tables.
void Simulation::check_rebuild_refused(Process& process, std::string_view projection, const Error& error) {
  if (error.code() == ErrorCode::busy) return;
  const bool stops = faults_.projector.on_failure == OnFailure::stop && error.code() == ErrorCode::projection_failed;
  if (stops && projection == "fragile") return;
  expect_equal("why a rebuild is refused", std::string(name(ErrorCode::unsupported_format)),
               std::string(name(error.code())));
  Reading reading = process.store->read({.projections = {"totals"}});
  expect("a rebuild is refused to older releases alone",
         projection == "totals" && process.schema_version < take_snapshot(reading).front().schema_version);
}

void Simulation::drain(Process& process) {
  note("drain " + process.name);
  int looks = 0;
  Process& other = other_than(process);
  const std::int64_t head = file_.model.head();
  sleeping_ = &process;
  const bool drained = process.store->drain([&] {
    expect("a drain comes to an end", ++looks < rounds_max);
    // A rebuild of an older release may be in the way of this one's, and the other process does not stand still.
    if (looks > looks_alone && other.store) static_cast<void>(other.store->step());
    return false;
  });
  sleeping_ = nullptr;
  note(drained ? "  drained" : "  not drained");
  if (!drained) return;
  Reading reading = process.store->read({.projections = {"totals"}});
  const Snapshot snapshot = take_snapshot(reading);
  for (const std::string& name : process.registered) {
    expect("what was in the log is applied after a drain", find(snapshot, name).checkpoint >= head);
  }
  counters_.count(Rare::drained);
}

Applied Simulation::look_at_fragile(Process& process) {
  Reading reading = process.store->read({.projections = {"fragile"}});
  return take_snapshot(reading).back();
}

// What is applied leaves the dead letters and joins the rows; no checkpoint moves. Or cut short by a crash between
// two streams.
void Simulation::retry_dead_letters(Process& process) {
  if (!process.has("fragile")) return;
  note("retry dead letters by " + process.name);
  const bool crashes = dice_.chance(0.2);
  std::unique_ptr<tests::TempDir> crashed;
  const Applied before = look_at_fragile(process);
  const std::int64_t retried = process.store->retry_dead_letters({}, [&](std::int64_t done, std::int64_t total) {
    if (crashes && done < total) copy_files(*directory_, *(crashed = std::make_unique<tests::TempDir>()));
    return !crashed;
  });
  if (crashed) {
    go_on_in(std::move(crashed));
    counters_.count(Rare::crash_in_retry);
    return;
  }
  const Applied after = look_at_fragile(process);
  note("  applied " + text(retried));
  expect_equal("a retry leaves as many dead letters fewer as it says",
               static_cast<std::int64_t>(before.dead.size()) - retried, static_cast<std::int64_t>(after.dead.size()));
  expect_equal("a retry moves no checkpoint", before.checkpoint, after.checkpoint);
  expect("a retry applies nothing else", before.above == after.above);
  counters_.count_if(retried > 0, Rare::dead_letter_retried);
}

// All of one stream, which goes on behind them.
void Simulation::discard_dead_letters(Process& process) {
  if (!process.has("fragile")) return;
  const Applied before = look_at_fragile(process);
  const std::string stream = before.dead.empty() ? any_stream() : file_.model.at(before.dead.begin()->first).stream;
  note("discard dead letters of " + stream + " by " + process.name);
  Applied expected = before;
  std::erase_if(expected.dead, [&](const auto& letter) {
    if (file_.model.at(letter.first).stream != stream) return false;
    expected.discarded.insert(letter.first);
    return true;
  });
  const std::int64_t discarded =
      process.store->discard_dead_letters({.projection = "fragile", .stream = id_of(stream)});
  expect_equal("as many dead letters are discarded as the stream has",
               static_cast<std::int64_t>(before.dead.size() - expected.dead.size()), discarded);
  expect("what is discarded stays, left out, and nothing else changes", look_at_fragile(process) == expected);
  file_.discarded = expected.discarded;
  counters_.count_if(discarded > 0, Rare::dead_letter_discarded);
}

void Simulation::verify(Process& process) {
  note("verify by " + process.name);
  const bool calm = std::exchange(calm_, true);
  const Verification found = process.store->verify();
  calm_ = calm;
  if (!found.problems.empty()) throw Violation("verification finds nothing wrong", "no problems", found.problems[0]);
  expect_equal("verification counts the log's events", file_.model.head(), found.events);
  counters_.count(Rare::verified);
}

void Simulation::run_due(Process& process) {
  note("run what is due in " + process.name);
  for (int round = 0;; ++round) {
    expect("what is due comes to an end", round < rounds_max);
    if (process.store->step()) continue;
    const auto next = process.store->next_step();
    if (!next || *next > clock_->now()) return;
  }
}

// After each step: nothing unexpected was heard of, the log holds what was acknowledged, once and nothing else,
// and rows are the fold of what is said to be applied.
void Simulation::check() {
  if (unexpected_) throw Violation("no error is reported", "silence", *unexpected_);
  Process& process = any_process();
  check_log(process);
  if (file_.model.head() < short_log_events || step_ % steps_between_checks == 0) check_moment(process);
}

void Simulation::check_log(Process& process) {
  EventLog& log = process.store->log();
  expect_equal("the log's head", Position{file_.model.head()}, log.head());
  for (const RecordedEvent& event : log.read_all(Position{compared_}, all_events)) {
    expect_equal("positions have no gaps", Position{compared_ + 1}, event.position);
    compare(file_.model, event);
    ++compared_;
  }
  expect_equal("the log holds every acknowledged event", file_.model.head(), compared_);
  const std::string stream = any_stream();
  expect_equal("a stream's version", Version{file_.model.version(stream)}, log.version({"account", stream}));
  check_state(process, stream);
  const Key key = any_key();
  const auto events = key.events();
  const Append request{.stream = {"account", key.stream()},
                       .expected = ExpectedVersion::any(),
                       .events = events,
                       .command_id = key.name()};
  const auto answer = log.find_command(key.name(), request.stream, identity_of(request));
  const auto expected = file_.model.find_command(request, {});
  expect_equal("a command that was carried out is remembered", expected.has_value(), answer.has_value());
  if (expected) compare(*expected, *answer);
}

void Simulation::check_moment(Process& process) {
  const ReadRequest request{.projections = {"totals", "latest", "fragile"}};
  Reading reading = process.store->read(request);
  const Snapshot snapshot = take_snapshot(reading);
  check_tables(reading, snapshot, file_.model);
  check_freshness(reading.freshness(), request, snapshot, file_.model, clock_->wall_time());
  const auto& [totals, latest, fragile] = snapshot;
  counters_.count_if(totals.schema_version > file_.built_version, Rare::background_rebuild);
  file_.built_version = totals.schema_version;
  dead_letters_ = !fragile.dead.empty();
  expect("what was discarded stays so", fragile.discarded == file_.discarded);
  counters_.count_if(!latest.above.empty(), Rare::applied_above_checkpoint);
  for (const auto& [position, attempts] : fragile.dead) {
    counters_.count(attempts > 0 ? Rare::dead_letter : Rare::follower_of_dead_letter);
  }
}

void Simulation::run_until_idle() {
  for (int round = 0;; ++round) {
    expect("what is on its way comes to rest", round < rounds_max);
    bool worked = false;
    std::optional<Instant> next;
    for (Process& process : processes_) {
      if (!process.store) continue;
      worked = process.store->step() || worked;
      const auto due = process.store->next_step();
      if (due) next = std::min(next.value_or(*due), *due);
    }
    if (worked) continue;
    if (!next) return;
    clock_->move_to(*next);
  }
}

void Simulation::rest() {
  // A projector may be dead, or about to die with its next batch.
  for (int life = 0; life < 2; ++life) {
    for (Process& process : processes_) {
      if (process.store) process.store->restart_projector();
    }
    run_until_idle();
    // A projector that lacks a lease asks for it now and then, which is no work that is due.
    clock_->move_to(clock_->now() + leases_asked_within);
  }
  run_until_idle();
}

// Whatever releases and applications are open beside each other: what each of them registers is fresh, unless a newer
// release has made its tables.
void Simulation::check_all_fresh() {
  for (Process& process : processes_) {
    if (!process.store) continue;
    for (const ProjectionStatus& status : process.store->projections()) {
      if (status.name == "totals" && status.schema_version > process.schema_version) continue;
      if (status.name == "totals") {
        expect_equal("in the end the rules of " + status.name, process.schema_version, status.schema_version);
      }
      expect_equal("in the end the checkpoint of " + status.name, Position{file_.model.head()}, status.position);
      expect_equal("in the end what is behind in " + status.name, status.dead_letters, status.behind_events);
    }
  }
}

// The faults stop, and everything has to come to rest.
void Simulation::settle() {
  note("settle");
  calm_ = true;
  for (Process& process : processes_) {
    if (process.store && process.stopped_at) reopen(process);
  }
  rest();
  check();
  check_all_fresh();
  // The newest release takes over.
  for (Process& process : processes_) {
    if (!process.store) continue;
    const bool complete = process.registered.size() == projection_names.size();
    if (!complete || process.stopped_at || process.schema_version < schema_version_) reopen(process);
  }
  rest();
  step_ += steps_between_checks - step_ % steps_between_checks;
  Process& process = processes_[0];
  check();
  check_all_fresh();
  expect("in the end the last rebuild is made", process.store->rebuild("fragile"));
  check();
  const auto freshness = perform(process, {.projections = {"totals", "latest", "fragile"}, .consistency = Strong{}});
  expect("in the end a strong read is fresh", freshness && !freshness->stale);
  expect_equal("in the end a strong read does not wait", Duration{}, freshness->waited);
  compared_ = 0;
  check_log(process);
  verify(process);
}

}  // namespace freshet::simulation
