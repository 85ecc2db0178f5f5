// The write side of the group `order`: place, pay, ship, deliver, cancel, refund.
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/overloaded.hpp"
#include "orders/money.hpp"

namespace freshet::cli {
namespace {

// Only the first command of all makes a file; a wrong --db must not leave an empty one behind.
OpenMode mode_for(const orders::Action& action) {
  return std::holds_alternative<orders::Place>(action) ? OpenMode::create : OpenMode::existing;
}

Failure missing_order(const std::string& order_id, const std::string& command) {
  Failure failure = not_found_failure(fmt::format("cannot {}: no such order '{}'", command, order_id));
  failure.details = {{"order_id", order_id}, {"command", command}};
  return failure;
}

Failure failure_of(const orders::Rejection& rejection, const ChangeOrder& request) {
  const std::string order_id = request.order_id.value_or("");
  Failure failure = rejection.code == orders::Rejection::Code::not_found
                        ? missing_order(order_id, rejection.command)
                        : Failure{.exit_code = static_cast<int>(Exit::rejected),
                                  .code = "rejected",
                                  .message = rejection.message,
                                  .details = {{"order_id", order_id}, {"command", rejection.command}}};
  if (rejection.duplicate) failure.message += " (as answered before)";
  failure.details["duplicate"] = rejection.duplicate;
  return failure;
}

Failure failure_of(const Conflict& conflict, const ChangeOrder& request) {
  const std::int64_t expected = request.options.expected.version().value;
  const std::int64_t actual = conflict.actual.value;
  const std::string order_id = request.order_id.value_or("");
  const std::string order = !request.order_id ? "a new order"
                            : actual == 0     ? fmt::format("order '{}' does not exist and", order_id)
                                              : fmt::format("order '{}'", order_id);
  Failure failure{
      static_cast<int>(Exit::conflict), "version_conflict",
      fmt::format("{} is at version {}, not at version {}: read it again, then decide anew", order, actual, expected)};
  failure.details = {{"order_id", order_id}, {"expected_version", expected}, {"actual_version", actual}};
  return failure;
}

// What the key was used for: "'pay 7'", say.
std::string first_use(const KeyReused& reused, const ChangeOrder& request) {
  const auto& [stream, command] = reused;
  const std::string name = command.empty() ? "another command" : command;
  if (stream.category != orders::order_category)
    return fmt::format("'{}' on '{}/{}'", name, stream.category, stream.id);
  const bool is_of_order = request.order_id.value_or(stream.id) == stream.id;
  const bool is_of_command = command == orders::name(request.action);
  return fmt::format("'{} {}'{}", name, stream.id, is_of_order && is_of_command ? " with other arguments" : "");
}

Failure failure_of(const KeyReused& reused, const ChangeOrder& request) {
  const std::string key = request.options.idempotency_key.value_or("");
  return {.exit_code = static_cast<int>(Exit::usage),
          .code = "key_reused",
          .message = fmt::format("idempotency key '{}' was used for {}: take a new key for a new command", key,
                                 first_use(reused, request)),
          .details = {{"idempotency_key", key},
                      {"stream", reused.stream.category + '/' + reused.stream.id},
                      {"command", reused.command}}};
}

// Of a payment whose amount cannot be read for want of the order and its currency. So it is not carried out; but a key
// that was used for something else goes before.
Failure failure_without_order(const ChangeOrder& request, Session& session) {
  if (const auto& key = request.options.idempotency_key) {
    const EventLog& log = session.store(OpenMode::existing, Engine::threads).log();
    const auto known = log.find_command(*key, orders::stream_of(*request.order_id),
                                        orders::OrderDecider::identify({request.action, request.at}));
    if (known && std::holds_alternative<KeyReused>(*known)) return failure_of(std::get<KeyReused>(*known), request);
  }
  return missing_order(*request.order_id, "pay");
}

// Sets the amount of a payment from its text, by the currency of the order.
Result fill_in_amount(orders::Orders& orders, const ChangeOrder& request, Session& session, orders::Action& action) {
  if (!request.amount) return std::nullopt;
  const auto order = orders.replay(request.order_id.value()).value;
  if (!order) return failure_without_order(request, session);

  const std::string& currency = order->order.currency;
  const auto amount = orders::parse_money(*request.amount, currency);
  if (!amount) {
    const int digits = orders::minor_digits(currency);
    return usage_failure(fmt::format("bad value '{}' for --amount: {} has {} decimals and amounts up to {}",
                                     *request.amount, currency, digits,
                                     orders::format_money(orders::amount_minor_max, currency)));
  }
  std::get<orders::Pay>(action).amount_minor = amount;
  return std::nullopt;
}

}  // namespace

Result run_request(const ChangeOrder& request, Session& session) {
  orders::Orders orders = session.orders(mode_for(request.action), Engine::threads);
  orders::Command command{.action = request.action, .at = request.at};
  if (auto failure = fill_in_amount(orders, request, session, command.action)) return failure;

  const orders::CommandResult result = orders.execute(request.order_id, command, request.options);
  if (const auto* done = std::get_if<orders::Done>(&result)) {
    session.answer(*done);
    return std::nullopt;
  }
  return std::visit(Overloaded{[](const orders::Done&) -> Result { return std::nullopt; },
                               [&request](const auto& refused) -> Result { return failure_of(refused, request); }},
                    result);
}

}  // namespace freshet::cli
