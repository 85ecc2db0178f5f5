// Drawing a seed's faults.
#include "simulation/faults.hpp"

#include <numeric>

namespace freshet::simulation {
namespace {

using namespace std::chrono_literals;

// How often each action is taken where it is neither switched off nor skewed; in the order of Action.
constexpr std::array<std::uint64_t, actions> usual = {12, 1, 2, 12, 4, 6, 10, 4, 1, 2, 2, 1, 4, 4,
                                                      2,  1, 2, 1,  1, 3, 2,  1, 4, 1, 1, 3, 3, 1};

double some(double off, double max, Dice& dice) {
  return dice.chance(off) ? 0.0 : max * static_cast<double>(dice.number(100)) / 100.0;
}

}  // namespace

Action Faults::draw(Dice& dice) const {
  std::uint64_t left = dice.below(std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}));
  std::size_t index = 0;
  for (; left >= weights[index]; ++index) left -= weights[index];
  return static_cast<Action>(index);
}

Faults draw_faults(Dice& dice) {
  Faults faults;
  for (std::size_t index = 0; index < actions; ++index) {
    const std::uint64_t skew = dice.chance(0.2) ? 4 : 1;
    faults.weights[index] = dice.chance(0.25) ? 0 : usual[index] * skew;
  }
  // Without these nothing happens at all.
  for (const Action action : {Action::append, Action::step}) {
    auto& weight = faults.weights[static_cast<std::size_t>(action)];
    weight = std::max<std::uint64_t>(weight, 6);
  }
  faults.synchronous = some(0.3, 0.8, dice);
  faults.keyed = some(0.2, 0.8, dice);
  faults.failing = some(0.4, 1.0, dice);
  faults.meanwhile = some(0.3, 1.0, dice);
  faults.duplicate = some(0.4, 0.6, dice);
  faults.partial = some(0.5, 0.8, dice);
  faults.linked = some(0.5, 0.8, dice);
  faults.small_memory = dice.chance(0.3) ? 0.9 : 0.0;
  faults.delay_max = dice.chance(0.15) ? 0ms : dice.chance(0.1) ? 5s : 50ms;
  faults.redeliver_after = dice.chance(0.5) ? 5ms : 30s;
  faults.projector = {.attempts_max = static_cast<int>(dice.below(3)) + 1,
                      .retry_backoff = dice.chance(0.5) ? 3ms : 40ms,
                      .on_failure = dice.chance(0.1) ? OnFailure::stop : OnFailure::dead_letter};
  faults.log = dice.chance(0.06) ? Log::long_ : Log::short_;
  return faults;
}

BusOptions draw_bus(const Faults& faults, Dice& dice) {
  const Duration mean = dice.duration(faults.delay_max);
  BusOptions bus{.delay = FixedDelay{mean}, .seed = dice.seed()};
  switch (dice.below(4)) {
    case 0:
      bus.delay = UniformDelay{mean / 4, mean};
      break;
    case 1:
      bus.delay = ExponentialDelay{mean};
      break;
    case 2:
      bus.delay = NormalDelay{mean, mean};
      break;
    default:
      break;
  }
  bus.duplicate_probability = faults.duplicate;
  bus.redeliver_after = faults.redeliver_after;
  bus.partitions = static_cast<int>(dice.below(8)) + 1;
  bus.messages_max = dice.chance(faults.small_memory) ? dice.below(8) + 1 : 1'000;
  return bus;
}

}  // namespace freshet::simulation
