// What a scripted run has shown: who did what, when, and how long the read model was stale for it.
//
// Plain values: the runner makes them, the renderers (text, JSON, Mermaid, HTML) read them. Times count from
// the first write of the run; what was before it is negative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freshet/types.hpp"

namespace freshet::scenario {

// The participants, in the order of the data flow.
enum class Actor { client, write_side, bus, listener, read_model };

enum class Kind {
  appended,   // By the write side: an event is in the event store.
  succeeded,  // A client has its command's answer.
  refused,    // A client's command was refused, or conflicted.
  read,       // A client has its query's answer.
  delivered,  // The bus handed an event to the listener.
  skipped,    // The listener had it before: a duplicate.
  applied,    // The read model shows the event.
  committed,  // The listener's offsets are committed.
  crashed,
  restarted,
  said,  // By the script, to whoever watches.
};

struct Occurrence {
  Duration at{};
  Actor actor = Actor::client;
  Kind kind = Kind::said;
  std::string client = {};  // Its name; empty for the only one.
  std::string what = {};    // For people: "OrderShipped appended to event store (order 123, version 3)".
  std::string order_id = {};
  Version version;
  int attempt = 1;     // Of a delivery.
  bool stale = false;  // Of a read.
  // Of what a listener of the script's own does: its name. Empty for the real one.
  std::string model = {};
};

// From the moment a version was in the event store to the moment the read model showed it.
struct Window {
  std::string order_id;
  Version version;
  Duration opened{};
  std::optional<Duration> closed = std::nullopt;  // Not given: it was open when the run ended.

  [[nodiscard]] std::optional<Duration> gap() const {
    return closed ? std::optional<Duration>(*closed - opened) : std::nullopt;
  }
};

enum class ClockKind { real, virtual_ };

// An expectation that did not hold.
struct Miss {
  std::string field;
  std::string wanted;
  std::optional<std::string> found;  // Not given: the answer has no such field.
  std::string message;               // "expected status=paid, found status=created"
};

struct Report {
  std::string name;  // Of the demonstration, or of the script's file.
  std::uint64_t seed = 1;
  ClockKind clock = ClockKind::real;
  std::vector<Occurrence> timeline;  // By time.
  std::vector<Window> windows;       // Asynchronous writes only; a synchronous one opens none.
  std::string point;                 // What the run shows, in one sentence; empty if its script does not say.
  bool passed = true;                // Every `expect` of the script held, and nothing failed.
  std::string failure;               // If not: the line and what was wrong.
  int failed_line = 0;
  std::optional<Miss> miss = std::nullopt;  // If it was an `expect`.
};

[[nodiscard]] const char* name(Actor actor) noexcept;      // "write_side"
[[nodiscard]] const char* name(Kind kind) noexcept;        // "appended"
[[nodiscard]] const char* name(ClockKind clock) noexcept;  // "virtual"

}  // namespace freshet::scenario
