// Who drives the projector: a thread, the caller's steps, or nobody; and how others wait for it.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "base/look.hpp"
#include "base/signal.hpp"
#include "freshet/store.hpp"
#include "projection/projector.hpp"
#include "query/reader.hpp"

namespace freshet::store {

class EngineDriver final : public query::Progressing {
 public:
  // `work` is the signal that the projector gets told of new events by; `progress` the one it tells of
  // what it did. `at_rest` is called by the thread when there was nothing to do.
  EngineDriver(Engine engine, Clock& clock, log::Turn& turn, Signal& work, Signal& progress,
               std::function<void()> at_rest)
      : engine_(engine), clock_(clock), turn_(turn), work_(work), progress_(progress), at_rest_(std::move(at_rest)) {}
  ~EngineDriver() override { stop(); }

  // From here on the projector is driven. Not called with Engine::off.
  void start(std::unique_ptr<projection::Projector> projector);

  // Ends the thread and gives the leases back; waiters get `closed`.
  void stop();

  // On the caller's thread, once stopped: projects on until `done` says so or nothing can be done here.
  void finish(const std::function<bool()>& done);

  // Returns when a crash is in effect that is to be at once.
  void crash(CrashPoint point);
  void restart();
  [[nodiscard]] bool is_crashed() const { return projector_ && projector_->is_crashed(); }

  bool step();
  [[nodiscard]] std::optional<Instant> next_step();
  [[nodiscard]] bool is_projecting() const { return projector_ && projector_->is_projecting(); }
  [[nodiscard]] bool is_projecting(std::string_view projection) const override {
    return projector_ && projector_->is_projecting(projection);
  }
  // How often the lease of this projection was asked for in vain.
  [[nodiscard]] std::uint64_t refusals(std::string_view projection) const {
    return projector_ ? projector_->refusals(projection) : 0;
  }
  // Finds out soon whether what is not projected here is projected by somebody else.
  void ask_for_leases() {
    if (projector_) projector_->ask_for_leases();
    hurry();
  }
  // Duplicates that the projector has not counted in the projection's row yet.
  [[nodiscard]] std::int64_t skipped(std::int64_t projection) const {
    return projector_ ? projector_->skipped(projection) : 0;
  }
  [[nodiscard]] bool is_off() const { return projector_ == nullptr; }
  void hurry() { work_.notify(); }
  [[nodiscard]] const std::atomic<std::uint64_t>& waits() const { return waits_; }

  [[nodiscard]] std::uint64_t count() override { return progress_.count(); }
  void wait(std::uint64_t seen, Instant deadline, std::span<const std::string> projections) override;
  bool may_wait() override;
  // For whoever would wait for what the calling thread itself is in the middle of: the process stops with a sentence.
  void check_may_wait();
  // As wait(); the deadline is when drain() has to ask again whether it was cancelled.
  void wait_for_drain(std::uint64_t seen);
  [[nodiscard]] std::optional<std::string> failure() override;
  void check_open() override;

 private:
  static constexpr Duration cancel_look = std::chrono::milliseconds{20};

  void run();
  [[nodiscard]] bool is_inside() const { return inside_.load() == std::this_thread::get_id(); }
  bool project();
  [[nodiscard]] bool projects(std::span<const std::string> projections) const;
  void step_until(std::uint64_t seen, Instant deadline, std::span<const std::string> projections);

  Engine engine_;
  Clock& clock_;
  log::Turn& turn_;
  Signal& work_;
  Signal& progress_;
  std::function<void()> at_rest_;
  std::unique_ptr<projection::Projector> projector_;
  std::atomic<std::uint64_t> waits_ = 0;  // Calls of wait() so far.
  std::atomic<bool> stopping_ = false;
  std::atomic<std::thread::id> inside_;  // The projector, and with it callbacks of the application.
  std::thread thread_;
};

}  // namespace freshet::store
