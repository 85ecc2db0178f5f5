// The grammar of the group `order`, read side: get, list, stats, history.
#include <fmt/format.h>

#include <memory>

#include "base/time_text.hpp"
#include "base/utf8.hpp"
#include "cli/grammar.hpp"
#include "cli/values.hpp"

namespace freshet::cli {
namespace {

constexpr const char* freshness = "Freshness, one of these (default: whatever the read tables hold)";

std::optional<std::string> some_text(const std::string& text) {
  return is_utf8(text) ? parse_some_text(text) : std::nullopt;
}

void add_order_id(Command& command, std::string& order_id) {
  const auto id = [](const std::string& text) {
    if (const auto problem = orders::check_order_id(text)) throw Misuse(*problem);
    return std::optional{text};
  };
  command.value({.name = "ID", .meaning = "The order", .presence = Presence::required}, id, order_id);
}

std::optional<Consistency> parse_min_version(const std::string& text) {
  const auto version = parse_version(text);
  return version ? std::optional<Consistency>{AtLeastVersion{*version}} : std::nullopt;
}

std::optional<Consistency> parse_min_position(const std::string& text) {
  const auto count = parse_count(text, 0);
  return count ? std::optional<Consistency>{AtLeastPosition{Position{*count}}} : std::nullopt;
}

std::optional<Consistency> parse_max_staleness(const std::string& text) {
  const auto age = parse_duration(text);
  return age ? std::optional<Consistency>{MaxStaleness{*age}} : std::nullopt;
}

// What every query takes. Returns the names of those that exclude each other.
std::vector<std::string> add_read_options(Command& command, orders::ReadOptions& read, Stale& stale) {
  command.value({.name = "--min-position",
                 .type = "P",
                 .meaning = "Wait until everything up to this position is in the answer",
                 .expected = a_number,
                 .section = freshness},
                parse_min_position, read.consistency);
  command.value({.name = "--max-staleness",
                 .type = "DUR",
                 .meaning = "Wait until the answer is no older than this",
                 .expected = a_duration,
                 .section = freshness},
                parse_max_staleness, read.consistency);
  command.flag("--strong", "Wait until everything that is committed by now is in the answer", read.consistency,
               Consistency{Strong{}}, freshness);
  command.value({.name = "--timeout",
                 .type = "DUR",
                 .meaning = fmt::format("How long to wait at most; the answer is then stale, with a warning "
                                        "(default: {})",
                                        format_duration(read_timeout_default)),
                 .expected = a_duration},
                parse_duration, read.timeout);
  command.flag("--require-fresh", "Fail (exit code 6) instead of giving a stale answer", stale, Stale::refuse);
  return {"--min-position", "--max-staleness", "--strong"};
}

std::optional<OrderRead> parse_replay(const std::string& text) {
  const auto moment = parse_as_of(text);
  if (!moment) return std::nullopt;
  return std::visit([](auto when) { return OrderRead{when}; }, *moment);
}

void add_get(Group& group) {
  struct Draft {
    GetOrder get;
    orders::ReadOptions read;
    std::optional<OrderRead> replay;
  };
  const auto draft = std::make_shared<Draft>();
  Command command = group.command("get", "Show an order", "order get 123 --min-version 3 --timeout 1s", [draft] {
    GetOrder get = draft->get;
    get.read = draft->replay.value_or(OrderRead{draft->read});
    return get;
  });
  add_order_id(command, draft->get.order_id);
  command.value({.name = "--min-version",
                 .type = "N",
                 .meaning = "Wait until the order's version N is in the answer",
                 .expected = a_number,
                 .section = freshness},
                parse_min_version, draft->read.consistency);
  auto exclusive = add_read_options(command, draft->read, draft->get.stale);
  command.flag("--read-your-writes", "Replay the order's events from the log; the read tables are not used",
               draft->replay, OrderRead{ReadYourWrites{}}, freshness);
  command.value({.name = "--as-of",
                 .type = "VERSION|TIME",
                 .meaning = "The order as it was at a version, or at a time by when its events happened (--at), up to "
                            "the first that happened later; by replay",
                 .expected = fmt::format("a version, or {}", a_time),
                 .section = freshness},
                parse_replay, draft->replay);
  exclusive.insert(exclusive.end(), {"--min-version", "--read-your-writes", "--as-of"});
  command.exclude_each_other(exclusive);
}

void add_list(Group& group) {
  const auto draft = std::make_shared<ListOrders>();
  orders::ListRequest& request = draft->request;
  Command command =
      group.command("list", "List orders", "order list --status paid --limit 20", [draft] { return *draft; });
  const std::string statuses = "created, paid, shipped, delivered, cancelled or refunded";
  const auto status = [](const std::string& text) {
    const auto parsed = orders::parse_status(text);
    return parsed == orders::Status::none ? std::nullopt : parsed;
  };
  const auto limit = [](const std::string& text) { return parse_size(text, 1, orders::list_limit_max); };
  command.value({.name = "--status",
                 .type = "created|paid|shipped|delivered|cancelled|refunded",
                 .meaning = fmt::format("Only orders that are {} (default: all)", statuses),
                 .expected = statuses},
                status, request.status);
  command.value({.name = "--customer",
                 .type = "C",
                 .meaning = "Only orders of this customer (default: all)",
                 .expected = "a customer's id, in UTF-8"},
                some_text, request.customer);
  command.value({.name = "--limit",
                 .type = "N",
                 .meaning = fmt::format("How many orders at most (default: {})", request.limit),
                 .expected = fmt::format("a whole number from 1 to {}", orders::list_limit_max)},
                limit, request.limit);
  command.value({.name = "--after",
                 .type = "CURSOR",
                 .meaning = "Go on where a page ended, as its \"next\" says (default: from the start)",
                 .expected = "a cursor"},
                some_text, request.after);
  command.exclude_each_other(add_read_options(command, draft->read, draft->stale));
}

void add_stats(Group& group) {
  const auto draft = std::make_shared<ShowStats>();
  Command command =
      group.command("stats", "Count orders and revenue by status, currency and day (of when it happened, UTC)",
                    "order stats --strong", [draft] { return *draft; });
  command.exclude_each_other(add_read_options(command, draft->read, draft->stale));
}

void add_history(Group& group) {
  const auto draft = std::make_shared<ShowHistory>();
  Command command =
      group.command("history", "Show an order's events, from the log", "order history 123", [draft] { return *draft; });
  add_order_id(command, draft->order_id);
}

}  // namespace

void add_order_queries(Group& group) {
  add_get(group);
  add_list(group);
  add_stats(group);
  add_history(group);
}

}  // namespace freshet::cli
