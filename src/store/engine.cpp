// Driving the projector.
#include "store/engine.hpp"

#include <algorithm>

#include "base/ensure.hpp"
#include "freshet/error.hpp"

namespace freshet::store {

void EngineDriver::start(std::unique_ptr<projection::Projector> projector) {
  projector_ = std::move(projector);
  if (engine_ == Engine::threads) thread_ = std::thread([this] { run(); });
}

void EngineDriver::run() {
  Duration look = look_min;
  while (!stopping_) {
    const std::uint64_t seen = work_.count();
    if (projector_->step()) {
      look = look_min;
      continue;
    }
    Instant deadline = clock_.now() + look;
    if (const auto next = projector_->next_step()) deadline = std::min(deadline, *next);
    look = std::min(look * 2, look_max);
    work_.wait(clock_, seen, deadline);
  }
  projector_->step_down();
}

void EngineDriver::stop() {
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
    if (projector_->step()) continue;
    if (!projector_->is_projecting()) break;
    const Instant soon = clock_.now() + look_min;
    clock_.sleep_until(std::min(projector_->next_step().value_or(soon), soon));
  }
  if (projector_) projector_->step_down();
}

void EngineDriver::crash(CrashPoint point) {
  ensure(projector_ != nullptr, "only a projector that runs here can crash");
  projector_->crash(point);
  if (point != CrashPoint::now) return;
  hurry();
  while (!is_crashed() && !failure()) {
    const std::uint64_t seen = count();
    if (!is_crashed()) wait(seen, clock_.now() + look_max);
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
  return projector_->step();
}

std::optional<Instant> EngineDriver::next_step() {
  if (is_off()) return std::nullopt;
  ensure(engine_ == Engine::stepped, "next_step() is for Engine::stepped");
  return projector_->next_step();
}

void EngineDriver::wait(std::uint64_t seen, Instant deadline) {
  if (engine_ == Engine::stepped) {
    if (projector_->step()) return;
    Instant until = deadline;
    if (const auto next = projector_->next_step()) until = std::min(until, *next);
    if (!is_projecting()) until = std::min(until, clock_.now() + look_max);
    clock_.sleep_until(until);
    return;
  }
  // Where another process projects, nobody here tells of its progress.
  if (!is_projecting()) deadline = std::min(deadline, clock_.now() + 2 * look_min);
  progress_.wait(clock_, seen, deadline);
}

std::optional<std::string> EngineDriver::failure() {
  return projector_ ? projector_->failure() : std::nullopt;
}

void EngineDriver::check_open() {
  if (stopping_) throw Error(ErrorCode::closed, "the store is closed");
}

}  // namespace freshet::store
