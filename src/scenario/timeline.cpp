// Names of what stands in a timeline.
#include "scenario/timeline.hpp"

#include "base/ensure.hpp"

namespace freshet::scenario {

const char* name(Actor actor) noexcept {
  switch (actor) {
    case Actor::client:
      return "client";
    case Actor::write_side:
      return "write_side";
    case Actor::bus:
      return "bus";
    case Actor::listener:
      return "listener";
    case Actor::read_model:
      return "read_model";
  }
  ensure(false, "every actor has a name");
  return "";
}

const char* name(Kind kind) noexcept {
  switch (kind) {
    case Kind::appended:
      return "appended";
    case Kind::succeeded:
      return "succeeded";
    case Kind::refused:
      return "refused";
    case Kind::read:
      return "read";
    case Kind::delivered:
      return "delivered";
    case Kind::skipped:
      return "skipped";
    case Kind::applied:
      return "applied";
    case Kind::committed:
      return "committed";
    case Kind::crashed:
      return "crashed";
    case Kind::restarted:
      return "restarted";
    case Kind::said:
      return "said";
  }
  ensure(false, "every kind of occurrence has a name");
  return "";
}

const char* name(ClockKind clock) noexcept {
  return clock == ClockKind::real ? "real" : "virtual";
}

}  // namespace freshet::scenario
