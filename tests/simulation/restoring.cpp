// Backups that are put in the file's place, and what is worth then what others have kept: places and tokens.
#include "freshet/session.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

// More steps than it takes to be told of any log here.
constexpr int steps_max = 1'000;

// Whether the call throws, and if it does, with this code.
bool throws(ErrorCode code, const auto& call) {
  try {
    call();
    return false;
  } catch (const Error& error) {
    expect_equal("why what was kept is refused", std::string(name(code)), std::string(name(error.code())));
    return true;
  }
}

}  // namespace

void Simulation::back_up(Process& process) {
  note("back up by " + process.name);
  if (!backup_directory_) backup_directory_ = std::make_unique<tests::TempDir>();
  const auto made = process.store->backup(backup_directory_->file(), ExistingFile::replace);
  expect("a backup that nobody stops is made", made.has_value());
  expect_equal("the head of a backup", Position{file_.model.head()}, made->head);
  backup_ = file_;
}

// Whoever had the file open is dead. What was recorded since the backup is gone, and others get its positions.
void Simulation::restore() {
  if (!backup_) return;
  note("restore the backup");
  counters_.count(backup_->lineage.back().history == history() ? Rare::restored : Rare::restored_again);
  auto next = std::make_unique<tests::TempDir>();
  copy_files(*backup_directory_, *next);
  file_ = *backup_;
  file_.lineage.push_back({++histories_, file_.model.head()});
  compared_ = 0;
  go_on_in(std::move(next));
}

// A position that was told of in a history is the same event in the present one.
bool Simulation::is_shared(int history, std::int64_t position) const {
  for (std::size_t index = 0; index < file_.lineage.size(); ++index) {
    if (file_.lineage[index].history != history) continue;
    const bool last = index + 1 == file_.lineage.size();
    return position <= (last ? file_.model.head() : file_.lineage[index + 1].begins_after);
  }
  return false;
}

// A subscriber goes on from where it was, or is told that this is nowhere and begins anew.
void Simulation::listen(Process& process) {
  Listener& listener = listeners_[dice_.below(listeners_.size())];
  note("listen above " + text(listener.through) + " by " + process.name);
  const bool shared = listener.history == 0 || is_shared(listener.history, listener.through);
  const bool refused = throws(ErrorCode::foreign_session, [&] { go_on(process, listener); });
  expect_equal("a place is refused if it is one of a history that is lost", !shared, refused);
  if (listener.history != 0 && listener.history != history()) {
    counters_.count(refused ? Rare::place_of_lost_history : Rare::place_kept);
  }
  if (refused) {
    listener = {};
    return;
  }
  if (listener.through > 0) {
    expect("above the head is no place to go on from", throws(ErrorCode::invalid, [&] {
             static_cast<void>(process.store->subscribe_to_events({.after = Position{file_.model.head() + 1}}));
           }));
  }
  expect_equal("a subscriber is told up to the head", file_.model.head(), listener.through);
}

void Simulation::go_on(Process& process, Listener& listener) {
  std::optional<std::string> wrong;
  const auto subscription = process.store->subscribe_to_events(
      {.after = Position{listener.through}, .epoch = listener.epoch}, [&](const EventBatch& batch) {
        // What a callback throws ends the subscription, and goes no further.
        try {
          for (const RecordedEvent& event : batch.events) {
            expect_equal("a subscriber is told of each event, in order", Position{++listener.through}, event.position);
            compare(file_.model, event);
          }
          expect_equal("how far a subscriber was told", Position{listener.through}, batch.through);
        } catch (const Violation& violation) {
          wrong = std::string(violation.what()) + ": " + violation.expected() + ", and not " + violation.found();
        }
        listener.epoch = batch.epoch;
        listener.history = history();
      });
  for (int step = 0; step < steps_max && listener.through < file_.model.head() && !wrong; ++step) {
    process.store->step();
  }
  if (wrong) throw Violation("what a subscriber is told", "as the log has it", *wrong);
}

// A session goes on with the token that it had, or is told that what it saw is gone, and begins anew.
void Simulation::resume(Process& process, Session& session) {
  const bool same = session.history == history();
  if (session.text.empty()) {
    // Nothing was handed out that could be refused, but what it saw may be gone all the same.
    if (!same) session = {.history = history()};
    return;
  }
  const bool refused = throws(ErrorCode::foreign_session, [&] {
    const freshet::Session resumed(*process.store, session.text);
    expect_equal("a session goes on from where it was", Position{session.token}, resumed.seen());
  });
  expect_equal("a token is refused if it is one of another history", !same, refused);
  counters_.count_if(refused, Rare::token_of_lost_history);
  if (refused) session = {};
}

void Simulation::hand_out(Process& process, Session& session) {
  freshet::Session handed(*process.store);
  handed.note(Position{session.token});
  session.text = handed.token();
  session.history = history();
}

}  // namespace freshet::simulation
