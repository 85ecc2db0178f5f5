// The swarm: each seed switches some actions and faults off and makes others more likely, because what is
// always a little of everything never becomes extreme in anything.
#pragma once

#include <array>

#include "freshet/bus.hpp"
#include "freshet/projection.hpp"
#include "simulation/dice.hpp"

namespace freshet::simulation {

enum class Action {
  append,
  refuse,
  write,
  step,
  run_due,
  sleep,
  read,
  read_in_session,
  drain,
  crash,
  reopen,
  close,
  crash_projector,
  restart_projector,
  rebuild,
  raise_schema_version,
  retry_dead_letters,
  discard_dead_letters,
  verify,
  open_other,
  close_other,
  set_clock,
  execute,
  back_up,
  restore,
  listen,
  read_log,
  fall_back_to_format_3,
  end_,
};
inline constexpr std::size_t actions = static_cast<std::size_t>(Action::end_);

enum class Log { short_, long_ };  // A long one takes a rebuild more than one batch.

struct Faults {
  std::array<std::uint64_t, actions> weights{};
  // Probabilities.
  double synchronous = 0.0;
  double keyed = 0.0;      // An append has an idempotency key.
  double failing = 0.0;    // A projection throws on an event that it may throw on.
  double meanwhile = 0.0;  // Somebody acts while another one sleeps.
  double duplicate = 0.0;
  double small_memory = 0.0;
  double partial = 0.0;  // A store does not register one of the projections.
  double linked = 0.0;   // A store is opened by another name of its file.
  Duration delay_max{};
  Duration redeliver_after{};
  ProjectorOptions projector;
  Log log = Log::short_;

  [[nodiscard]] Action draw(Dice& dice) const;
};

[[nodiscard]] Faults draw_faults(Dice& dice);
[[nodiscard]] BusOptions draw_bus(const Faults& faults, Dice& dice);

}  // namespace freshet::simulation
