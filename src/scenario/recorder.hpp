// Writes down what happens while a script is played, and makes the timeline and the windows of it.
//
// Threads: any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "freshet/trace.hpp"
#include "scenario/timeline.hpp"

namespace freshet::scenario {

class Recorder {
 public:
  void record(const Trace& trace);

  // `at` of the occurrence is made of `now` later.
  void record(Instant now, Occurrence occurrence);

  // Forgets what was before; times count from the next write.
  void begin(Instant now);

  // How often `listener` was brought this event, with this time; the real one has no name.
  [[nodiscard]] int count_delivery(const std::string& listener, Position position);

  // The timeline and the windows, up to now.
  void fill_in(Report& report);

 private:
  // What is known of one version of an order. The two sides are told of on different threads, so either
  // may come first.
  struct Visibility {
    std::optional<Instant> appended;
    std::optional<Instant> applied;
    bool synchronous = false;
  };
  using OrderVersion = std::pair<std::string, Version>;

  struct State {
    std::multimap<Instant, Occurrence> entries;  // What happened at the same time stays in order.
    std::map<OrderVersion, Visibility> versions;
    std::map<std::pair<std::string, Position>, int> deliveries;
    std::optional<Instant> begun;
    bool crashed = false;
  };

  static void note_visibility(State& state, const Trace& trace);
  [[nodiscard]] static Instant origin(const State& state);

  Guarded<State> state_;
};

// An order's id; of other streams the whole name.
[[nodiscard]] std::string order_id_of(const RecordedEvent& event);

}  // namespace freshet::scenario
