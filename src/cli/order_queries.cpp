// The read side of the group `order`: get, list, stats, history.
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/overloaded.hpp"
#include "cli/text.hpp"

namespace freshet::cli {
namespace {

using MaybeOrder = orders::Answer<std::optional<orders::OrderView>>;

orders::Orders orders_to_look_at(Session& session) {
  return session.orders(OpenMode::read_only, Engine::off);
}

// Opens the store for a query of the read tables, which it does not make where they are missing.
Result open_read_tables(const orders::ReadOptions& read, Session& session) {
  if (session.store(OpenMode::read_only, Engine::off).projections().empty()) {
    return not_found_failure("the store has no read tables of orders: the first command on an order makes them");
  }
  if (std::holds_alternative<Eventual>(read.consistency)) return std::nullopt;
  // Who waits projects meanwhile, since perhaps nobody else does; but for who may not write.
  try {
    session.store(OpenMode::existing, Engine::threads);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::read_only && error.code() != ErrorCode::io) throw;
    session.store(OpenMode::read_only, Engine::off);
  }
  return std::nullopt;
}

MaybeOrder read_order(orders::Orders& orders, const GetOrder& request) {
  return std::visit(Overloaded{
                        [&](const orders::ReadOptions& options) { return orders.get(request.order_id, options); },
                        [&](const ReadYourWrites&) { return orders.replay(request.order_id); },
                        [&](Version version) {
                          MaybeOrder answer = orders.as_of(request.order_id, version);
                          // A version that does not exist is not answered with another one.
                          if (answer.value && answer.value->version != version) answer.value.reset();
                          return answer;
                        },
                        [&](Timestamp time) { return orders.as_of(request.order_id, time); },
                    },
                    request.read);
}

// Why there is nothing to show, though the log may hold the order. `dead_letters` are those of the order.
std::string missing_message(const GetOrder& request, const MaybeOrder& answer, std::size_t dead_letters) {
  const std::string& id = request.order_id;
  const std::int64_t latest = answer.freshness.latest_version.value;
  if (latest == 0) return fmt::format("no such order '{}'", id);
  return std::visit(
      Overloaded{
          [&](Version version) {
            return fmt::format("order '{}' has no version {}: its last is {}", id, version.value, latest);
          },
          [&](Timestamp time) {
            return fmt::format("order '{}' did not exist at {}{}", id, format_timestamp(time),
                               answer.warnings.empty() ? "" : ": " + answer.warnings.front());
          },
          [&](const auto&) {
            if (dead_letters > 0) {
              return fmt::format(
                  "the read tables do not show order '{}', which has {} in them: 'projection dead-letters' says why; "
                  "or use --read-your-writes",
                  id, counted(static_cast<std::int64_t>(dead_letters), "dead letter"));
            }
            if (answer.freshness.version.value == latest) {
              return fmt::format(
                  "the read tables leave order '{}' out, since its dead letters were discarded: use "
                  "--read-your-writes",
                  id);
            }
            return fmt::format(
                "the read tables do not show order '{}' yet, and the log has version {} of it: use "
                "--read-your-writes or --min-version {}",
                id, latest, latest);
          },
      },
      request.read);
}

Failure missing_failure(const GetOrder& request, const MaybeOrder& answer, std::size_t dead_letters) {
  Failure failure = not_found_failure(missing_message(request, answer, dead_letters));
  if (request.stale == Stale::refuse && answer.freshness.stale) {
    failure.exit_code = static_cast<int>(Exit::stale);
    failure.code = "stale";
    if (!answer.warnings.empty()) failure.message = fmt::format("{}: {}", failure.message, answer.warnings.front());
  }
  failure.details = {{"order_id", request.order_id},
                     {"latest_version", answer.freshness.latest_version.value},
                     {"freshness", stream_freshness_json(answer.freshness)},
                     {"warnings", answer.warnings}};
  return failure;
}

// Refuses a stale answer where that was asked for; `freshness_json` is of the kind of the query.
Result check_freshness(Stale stale, const Freshness& freshness, const std::vector<std::string>& warnings,
                       nlohmann::ordered_json freshness_json) {
  if (stale == Stale::warn || !freshness.stale) return std::nullopt;
  return Failure{.exit_code = static_cast<int>(Exit::stale),
                 .code = "stale",
                 .message = warnings.empty() ? "the answer is stale" : warnings.front(),
                 .details = {{"freshness", std::move(freshness_json)}, {"warnings", warnings}}};
}

}  // namespace

Result run_request(const GetOrder& request, Session& session) {
  if (const auto* read = std::get_if<orders::ReadOptions>(&request.read)) {
    if (auto failure = open_read_tables(*read, session)) return failure;
  }
  orders::Orders orders = orders_to_look_at(session);
  MaybeOrder answer = read_order(orders, request);
  if (!answer.value) {
    const DeadLetterChoice of_the_order{.stream = orders::stream_of(request.order_id)};
    const auto letters = session.store(OpenMode::read_only, Engine::off).dead_letters(of_the_order);
    return missing_failure(request, answer, letters.size());
  }

  const Freshness& freshness = answer.freshness;
  if (auto refused = check_freshness(request.stale, freshness, answer.warnings, stream_freshness_json(freshness))) {
    return refused;
  }
  session.answer(ShownOrder{std::move(*answer.value), freshness, std::move(answer.warnings)});
  return std::nullopt;
}

Result run_request(const ListOrders& request, Session& session) {
  if (auto failure = open_read_tables(request.read, session)) return failure;
  const ShownPage page = orders_to_look_at(session).list(request.request, request.read);
  auto refused = check_freshness(request.stale, page.freshness, page.warnings, log_freshness_json(page.freshness));
  if (!refused) session.answer(page);
  return refused;
}

Result run_request(const ShowStats& request, Session& session) {
  if (auto failure = open_read_tables(request.read, session)) return failure;
  const ShownStats stats = orders_to_look_at(session).stats(request.read);
  auto refused = check_freshness(request.stale, stats.freshness, stats.warnings, log_freshness_json(stats.freshness));
  if (!refused) session.answer(stats);
  return refused;
}

Result run_request(const ShowHistory& request, Session& session) {
  freshet::Session* const user = session.user_session(OpenMode::read_only, Engine::off);
  const EventLog& log = user == nullptr ? session.store(OpenMode::read_only, Engine::off).log() : user->log();
  auto events = log.read_stream(orders::stream_of(request.order_id), Version{}, all_events);
  if (events.empty()) return not_found_failure(fmt::format("no such order '{}'", request.order_id));
  for (RecordedEvent& event : events) {
    if (!session.answer(HistoryEvent{std::move(event)})) break;
  }
  return std::nullopt;
}

}  // namespace freshet::cli
