// Where a script is played: a store on a clock of the script's choice, and the listeners beside it.
//
// On a real clock the engine and the listeners run in threads. On a virtual one everything runs on the
// caller's thread, and whatever waits moves the clock; so the same script gives the same run.
//
// Threads: one.
// Failure: Error, as the store says.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/signal.hpp"
#include "freshet/store.hpp"
#include "scenario/listener.hpp"
#include "scenario/recorder.hpp"

namespace freshet::scenario {

// Whose file it is: one that was made for the script is there from the start, however it begins.
enum class FileOrigin { own, given };

struct StageOptions {
  std::filesystem::path file;
  FileOrigin origin = FileOrigin::own;
  ClockKind clock = ClockKind::real;
  double speed = 1;  // Of the real clock.
  Durability durability = Durability::power_loss;
  Duration busy_timeout = std::chrono::seconds{5};
  Upgrade upgrade = Upgrade::copy;
  BusOptions bus = {};
  std::function<void(const Notice&)> on_notice = [](const Notice&) {};
  std::function<bool()> interrupted = [] { return false; };
};

class Stage {
 public:
  Stage(StageOptions options, Recorder& recorder);
  ~Stage() { close(); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // The store, opened if it is not open yet.
  [[nodiscard]] Store& store(OpenMode mode);
  [[nodiscard]] const std::filesystem::path& file() const { return options_.file; }
  [[nodiscard]] Clock& clock() { return *clock_; }
  [[nodiscard]] Recorder& recorder() { return recorder_; }
  [[nodiscard]] const BusOptions& bus() const { return options_.bus; }
  [[nodiscard]] bool is_virtual() const { return options_.clock == ClockKind::virtual_; }
  [[nodiscard]] bool is_interrupted() const { return options_.interrupted(); }

  // An open store is closed and opened again.
  void set_bus(const BusOptions& bus);

  void sleep(Duration duration);

  // On a virtual clock: does what is due by now.
  void settle();

  // Of the projector and of the listeners.
  void crash(CrashPoint point);

  // Brings back what has crashed, after waiting for a crash that was asked for. If nothing has crashed, the
  // store is closed and opened again.
  void restart();

  void listen(const std::string& name, Rule rule);

  // What the listener makes of the order, as soon as it has been brought `deliveries` of its events.
  [[nodiscard]] Listener::Picture ask(const std::string& name, const std::string& order_id, int deliveries);

  // Waits until everything is in the read tables, unless nobody projects.
  void drain();

 private:
  using Condition = std::function<bool()>;

  void make_clock();
  void open(OpenMode mode);
  void close() noexcept;
  void await_projector();
  [[nodiscard]] bool wait_for(const Condition& condition, Duration timeout);
  [[nodiscard]] bool step_listeners();
  [[nodiscard]] std::optional<Instant> next_of_listeners();
  [[nodiscard]] std::optional<Instant> next_step();
  [[nodiscard]] bool has_crashed() const;
  [[nodiscard]] Engine engine() const { return is_virtual() ? Engine::stepped : Engine::threads; }

  StageOptions options_;
  Recorder& recorder_;
  std::shared_ptr<Clock> clock_;
  Signal changed_;
  std::atomic<bool> projector_crashed_ = false;
  bool crash_is_due_ = false;
  std::optional<Store> store_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // Gone before the store, whose bus they use.
};

}  // namespace freshet::scenario
