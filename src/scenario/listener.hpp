// A listener of a script's own, beside the real one and on the same bus, with one of three rules for its
// read model. It has no checkpoint and does not look for duplicates: what then goes wrong, or does not, is
// what it is there to show.
//
// It commits its offsets when it leaves, and at no other time. Its rows survive a crash, as a table would.
//
// Threads: join(), leave(), watch() and what else is public from one thread; with Engine::threads the
// deliveries are worked on by a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/guarded.hpp"
#include "base/signal.hpp"
#include "freshet/store.hpp"
#include "scenario/recorder.hpp"

namespace freshet::scenario {

enum class Rule {
  adds,           // amount = amount + x: each delivery counts, so a second one is wrong.
  upserts,        // Sets what the event says, however old that is.
  upserts_newer,  // The same, unless the row has this version or a later one.
};

// What a listener makes of one order.
struct ListenerRow {
  std::string status = "none";
  std::string currency = {};
  std::int64_t amount_minor = 0;
  Version version;
  int deliveries = 0;
};

class Listener {
 public:
  // `changed` is told whenever it has worked on something, or has died.
  Listener(std::string name, Rule rule, Clock& clock, Recorder& recorder, Signal& changed)
      : name_(std::move(name)), rule_(rule), clock_(clock), recorder_(recorder), changed_(changed) {}
  ~Listener() { leave(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  // Subscribes at its committed offsets; at the log's beginning if it has none.
  void join(Bus& bus, Engine engine);

  // Commits its offsets, unless it is dead, and goes.
  void leave();

  // Dies, at once or after the next delivery; then it does nothing until it joins again.
  void crash(CrashPoint point);
  [[nodiscard]] bool is_dead() const { return is_dead_; }

  // Engine::stepped: works on one delivery, if one has arrived.
  bool step();
  [[nodiscard]] std::optional<Instant> next_step();

  [[nodiscard]] ListenerRow row(const std::string& order_id);

  // Takes a picture of the row right after its delivery of this number, which is still to come.
  void watch(const std::string& order_id, int deliveries);
  struct Picture {
    ListenerRow row;
    Instant at;
  };
  [[nodiscard]] std::optional<Picture> picture();

 private:
  struct Watch {
    std::string order_id;
    int deliveries;
  };
  struct Model {
    std::map<std::string, ListenerRow> rows;
    std::optional<Watch> watch;
    std::optional<Picture> picture;
  };

  void run();
  void stop();
  void die();
  void work_on(const Delivery& delivery);
  [[nodiscard]] bool apply(const RecordedEvent& event, ListenerRow& row) const;

  const std::string name_;
  const Rule rule_;
  Clock& clock_;
  Recorder& recorder_;
  Signal& changed_;
  Signal work_;
  Guarded<Model> model_;
  Offsets committed_;
  std::unique_ptr<Consumer> consumer_;  // Of the thread, while there is one.
  std::atomic<bool> dies_now_ = false;
  std::atomic<bool> dies_before_offsets_ = false;
  std::atomic<bool> is_dead_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace freshet::scenario
