// Carries out commands: idempotency keys, made-up order ids, and the answer that a caller gets.
#include "orders/orders.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"

namespace freshet::orders {
namespace {

// Two equal ids in a row mean two processes in the same microsecond; ten mean a broken program.
constexpr int id_attempts_max = 10;

// Mixes 64 bits so that each depends on all (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t bits) {
  bits += 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31U);
}

// Such as "3k7m0qz81xw5t": 64 bits in 13 characters that a person can read out, without i, l, o and u.
// From the time and the log's head alone, so that a run on a virtual clock makes up the same ids again.
std::string make_order_id(Timestamp time, Position head, int attempt) {
  auto bits = mixed(static_cast<std::uint64_t>(time.time_since_epoch().count()));
  bits = mixed(bits ^ static_cast<std::uint64_t>(head.value));
  bits = mixed(bits ^ static_cast<std::uint64_t>(attempt));
  std::string id;
  for (int character = 0; character < 13; ++character, bits >>= 5U) {
    id += "0123456789abcdefghjkmnpqrstvwxyz"[bits & 31U];
  }
  return id;
}

// The event of an answer, and so the status that it led to: each event of an order sets the status,
// whatever came before.
Done done(const EventLog& log, const Appended& appended) {
  const auto events = log.read_stream(appended.stream, Version{appended.version.value - 1}, 1);
  if (events.empty()) throw Error(ErrorCode::corrupt, "an event of " + appended.stream.id + " cannot be found");
  Order order;
  OrderDecider::evolve(order, OrderDecider::decode(events.front()));
  return {.order_id = appended.stream.id,
          .version = appended.version,
          .position = appended.last,
          .event = events.front().type,
          .status = order.status,
          .duplicate = appended.duplicate};
}

// The event that a command leads to, and the status after it, in the order of Action's kinds.
struct Effect {
  const char* event;
  Status status;
};
constexpr std::array<Effect, std::variant_size_v<Action>> effects{{
    {"OrderCreated", Status::created},
    {"OrderPaid", Status::paid},
    {"OrderShipped", Status::shipped},
    {"OrderDelivered", Status::delivered},
    {"OrderCancelled", Status::cancelled},
    {"OrderRefunded", Status::refunded},
}};

// The answer to a command that has just been carried out, for which the event need not be read back.
Done just_done(const Appended& appended, const Action& action) {
  const Effect& effect = effects.at(action.index());
  return {.order_id = appended.stream.id,
          .version = appended.version,
          .position = appended.last,
          .event = effect.event,
          .status = effect.status};
}

// The first answer to a key. Of a key of format 3, with which nothing was compared, it may be another command's.
CommandResult answer_again(const EventLog& log, const Appended& first, const std::optional<std::string>& order_id,
                           const Action& action) {
  const KeyReused reused{first.stream, {}};
  if (first.stream.category != order_category || order_id.value_or(first.stream.id) != first.stream.id) return reused;
  Done again = done(log, first);
  if (again.event != effects.at(action.index()).event) return reused;
  return again;
}

// Places an order under an id that no other has.
Outcome<OrderDecider> place_anew(EventLog& log, const Clock& clock, const Command& command, ExecuteOptions options) {
  options.stream_name = ExecuteOptions::StreamName::made_up;
  const bool may_be_new = options.expected.admits(Version{});
  // With this an id that is taken is a conflict; the rules would refuse it, and the refusal be remembered.
  if (may_be_new) options.expected = ExpectedVersion::none();
  for (int attempt = 1;; ++attempt) {
    const auto id = make_order_id(clock.wall_time(), log.head(), attempt);
    auto outcome = freshet::execute<OrderDecider>(log, stream_of(id), command, options);
    if (!std::holds_alternative<Conflict>(outcome) || !may_be_new || attempt == id_attempts_max) return outcome;
  }
}

}  // namespace

CommandResult Orders::execute(const std::optional<std::string>& order_id, const Command& command,
                              const ExecuteOptions& options) {
  ensure(order_id || std::holds_alternative<Place>(command.action), "only a new order goes without an id");
  EventLog& log = this->log();
  auto outcome = order_id ? freshet::execute<OrderDecider>(log, stream_of(*order_id), command, options)
                          : place_anew(log, store_.clock(), command, options);
  if (const auto* conflict = std::get_if<Conflict>(&outcome)) return *conflict;
  if (auto* reused = std::get_if<KeyReused>(&outcome)) return std::move(*reused);
  if (auto* rejected = std::get_if<Rejected<Rejection>>(&outcome)) {
    rejected->rejection.duplicate = rejected->duplicate;
    return std::move(rejected->rejection);
  }
  const auto& appended = std::get<Appended>(outcome);
  if (appended.duplicate) return answer_again(log, appended, order_id, command.action);
  return just_done(appended, command.action);
}

}  // namespace freshet::orders
