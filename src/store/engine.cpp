// Driving the projector.
#include "store/engine.hpp"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>

#include "base/ensure.hpp"
#include "base/thread.hpp"
#include "freshet/error.hpp"

namespace freshet::store {
namespace {

// Linux wakes a sleeping thread up to 50 us late, to save power. This one sleeps until deliveries are due.
void wake_in_time() {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1UL);
#endif
}

}  // namespace

void EngineDriver::start(std::unique_ptr<projection::Projector> projector) {
  projector_ = std::move(projector);
  if (engine_ == Engine::threads) thread_ = start_thread<std::thread>([this] { run(); });
}

void EngineDriver::run() {
  wake_in_time();
  Look look;
  while (!stopping_) {
    const std::uint64_t seen = work_.count();
    if (project()) {
      look.reset();
      continue;
    }
    at_rest_();
    Instant deadline = clock_.now() + look.next();
    if (const auto next = projector_->next_step()) deadline = std::min(deadline, *next);
    work_.wait(clock_, seen, deadline);
  }
  projector_->step_down();
}

bool EngineDriver::project() {
  ensure(!is_inside(), "the projector is not driven in a callback of its own");
  inside_ = std::this_thread::get_id();
  const bool worked = projector_->step();
  inside_ = std::thread::id{};
  return worked;
}

bool EngineDriver::may_wait() {
  return !is_inside() && !turn_.is_held_here();
}

void EngineDriver::check_may_wait() {
  ensure(may_wait(), "in a callback of the store, and in the body of write(), nothing is called that waits for it");
}

bool EngineDriver::projects(std::span<const std::string> projections) const {
  if (projections.empty()) return is_projecting();
  return std::ranges::all_of(projections, [this](const std::string& each) { return is_projecting(each); });
}

void EngineDriver::stop() {
  ensure(thread_.get_id() != std::this_thread::get_id(), "a store is not closed or destroyed on a thread of its own");
  ensure(!turn_.is_held_here(), "a store is not closed or destroyed in a callback");
  if (stopping_.exchange(true)) return;
  work_.notify();
  progress_.notify();
  if (thread_.joinable()) {
    thread_.join();
  } else if (projector_) {
    projector_->step_down();
  }
}

void EngineDriver::finish(const std::function<bool()>& done) {
  ensure(stopping_, "finish() follows stop()");
  while (projector_ && !projector_->failure() && !done()) {
    if (project()) continue;
    if (!projector_->is_at_work()) break;
    const Instant soon = clock_.now() + Look::min;
    clock_.sleep_until(std::min(projector_->next_step().value_or(soon), soon));
  }
  if (projector_) projector_->step_down();
}

void EngineDriver::crash(CrashPoint point) {
  ensure(projector_ != nullptr, "only a projector that runs here can crash");
  projector_->crash(point);
  if (point != CrashPoint::now) return;
  hurry();
  while (!is_crashed() && !failure() && !stopping_) {
    const std::uint64_t seen = count();
    if (!is_crashed()) wait(seen, clock_.now() + Look::max, {});
  }
}

void EngineDriver::restart() {
  ensure(projector_ != nullptr, "only a projector that runs here can restart");
  projector_->restart();
}

bool EngineDriver::step() {
  check_open();
  if (is_off()) return false;
  ensure(engine_ == Engine::stepped, "step() is for Engine::stepped");
  return project();
}

std::optional<Instant> EngineDriver::next_step() {
  if (is_off()) return std::nullopt;
  ensure(engine_ == Engine::stepped, "next_step() is for Engine::stepped");
  return projector_->next_step();
}

void EngineDriver::wait(std::uint64_t seen, Instant deadline, std::span<const std::string> projections) {
  // Nobody here tells of what another process applies: all of it where that one projects, and otherwise what its
  // synchronous appends do.
  const Duration look = engine_ == Engine::stepped || projects(projections) ? Look::max : 2 * Look::min;
  deadline = std::min(deadline, clock_.now() + look);
  ++waits_;
  if (projector_ && projector_->is_lingering()) hurry();
  if (engine_ == Engine::stepped) {
    step_until(seen, deadline, projections);
  } else {
    progress_.wait(clock_, seen, deadline);
  }
}

// What the thread would do meanwhile.
void EngineDriver::step_until(std::uint64_t seen, Instant deadline, std::span<const std::string> projections) {
  while (progress_.count() == seen && clock_.now() < deadline) {
    if (project()) continue;
    // It has just told why there will be nothing more. (That the lease was refused it tells as well.)
    if (progress_.count() != seen && projector_->failure()) return;
    Instant until = std::min(deadline, clock_.now() + Look::max);
    if (const auto next = projector_->next_step()) until = std::min(until, *next);
    clock_.sleep_until(until);
    // Where another process projects, nobody here tells of its progress.
    if (!projects(projections)) return;
  }
}

void EngineDriver::wait_for_drain(std::uint64_t seen) {
  if (engine_ != Engine::stepped) {
    wait(seen, clock_.now() + cancel_look, {});
  } else if (!project() && progress_.count() == seen) {
    // All that is drained is in the log already, so there is nothing to look for before the next step.
    clock_.sleep_until(projector_->next_step().value_or(clock_.now() + cancel_look));
  }
}

std::optional<std::string> EngineDriver::failure() {
  return projector_ ? projector_->failure() : std::nullopt;
}

void EngineDriver::check_open() {
  if (stopping_) throw Error(ErrorCode::closed, "the store is closed");
}

}  // namespace freshet::store
