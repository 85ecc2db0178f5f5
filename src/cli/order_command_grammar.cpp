// The grammar of the group `order`, write side: place, pay, ship, deliver, cancel, refund, import.
#include <fmt/format.h>

#include <memory>

#include "base/time_text.hpp"
#include "cli/grammar.hpp"
#include "cli/values.hpp"
#include "orders/money.hpp"

namespace freshet::cli {
namespace {

// The bounds of texts are the order domain's, and checked in one place.
std::optional<std::string> any_text(const std::string& text) {
  return text;
}

std::optional<ExpectedVersion> parse_expected(const std::string& text) {
  const auto version = parse_version(text);
  return version ? std::optional{ExpectedVersion::exactly(*version)} : std::nullopt;
}

std::optional<std::string> parse_key(const std::string& text) {
  return text.empty() || text.size() > command_id_bytes_max ? std::nullopt : std::optional{text};
}

// What all of them take, the order apart.
void add_change_options(Command& command, ChangeOrder& change) {
  command.value({.name = "--expect-version",
                 .type = "N",
                 .meaning = "Fail (exit code 4) unless the order is at this version; 0: does not exist (default: any)",
                 .expected = a_number},
                parse_expected, change.options.expected);
  command.value({.name = "--idempotency-key",
                 .type = "K",
                 .meaning = "A retry with the same key gets the first answer again and appends nothing; with other "
                            "arguments, or for another command, a key is refused (default: none)",
                 .expected = fmt::format("a text of 1 to {} bytes", command_id_bytes_max)},
                parse_key, change.options.idempotency_key);
  command.flag("--sync", "Update the read tables in the same transaction as the event", change.options.projecting,
               Projecting::synchronous);
  command.value({.name = "--at", .type = "TIME", .meaning = "When it happened (default: now)", .expected = a_time},
                parse_timestamp, change.at);
  command.flag("--no-drain", "End at once; the read tables follow when the next command runs", change.afterwards,
               Afterwards::leave);
}

void add_order_id(Command& command, ChangeOrder& change) {
  command.value({.name = "ID", .meaning = "The order", .presence = Presence::required}, any_text, change.order_id);
}

// Checks what the command says by itself.
Request checked(ChangeOrder change) {
  if (change.order_id) {
    if (const auto problem = orders::check_order_id(*change.order_id)) throw Misuse(*problem);
  }
  if (const auto problem = orders::check(change.action)) throw Misuse(*problem);
  return change;
}

// "0.00 to 90071992547409.91 EUR"
std::string money_range(const std::string& currency) {
  return fmt::format("{} to {} {}", orders::format_money(0, currency),
                     orders::format_money(orders::amount_minor_max, currency), currency);
}

// A command while its options are read. Items and money wait until the currency is known.
struct PlaceDraft {
  ChangeOrder change;
  orders::Place place{.customer = "", .currency = "EUR", .items = {}};
  std::vector<std::string> items;
  std::string freight = "0";

  [[nodiscard]] Request request() const {
    orders::Place parsed = place;
    for (const std::string& text : items) {
      const auto item = orders::parse_item(text, place.currency);
      if (!item) {
        throw Misuse(fmt::format(
            "bad value '{}' for --item: expected SKU:QTY:PRICE such as book:1:{}, with a quantity "
            "from 1 to {} and a price of {}",
            text, orders::format_money(4999, place.currency), orders::quantity_max, money_range(place.currency)));
      }
      parsed.items.push_back(*item);
    }
    const auto money = orders::parse_money(freight, place.currency);
    if (!money)
      throw Misuse(
          fmt::format("bad value '{}' for --freight: expected money of {}", freight, money_range(place.currency)));
    parsed.freight_minor = *money;
    ChangeOrder made = change;
    made.action = std::move(parsed);
    return checked(std::move(made));
  }
};

void add_place(Group& group) {
  const auto draft = std::make_shared<PlaceDraft>();
  Command command = group.command("place", "Place a new order",
                                  "order place 123 --customer c9 --item book:1:49.99 --item pen:3:1.20 --freight 3.50",
                                  [draft] { return draft->request(); });
  command.value({.name = "ID", .meaning = "The order's id (default: one is made up)"}, any_text,
                draft->change.order_id);
  command.value({.name = "--customer", .type = "C", .meaning = "Who orders", .presence = Presence::required}, any_text,
                draft->place.customer);
  command.values({.name = "--item",
                  .type = "SKU:QTY:PRICE",
                  .meaning = "What is ordered, how many, and the price of one in major units; once for each item",
                  .presence = Presence::required},
                 draft->items);
  command.value({.name = "--freight", .type = "M", .meaning = "The shipping charge, in major units (default: 0)"},
                any_text, draft->freight);
  command.value({.name = "--currency", .type = "CUR", .meaning = "ISO 4217 (default: EUR)"}, any_text,
                draft->place.currency);
  add_change_options(command, draft->change);
}

void add_pay(Group& group) {
  const auto draft = std::make_shared<ChangeOrder>(ChangeOrder{.order_id = {}, .action = orders::Pay{}});
  Command command = group.command("pay", "Record that an order was paid", "order pay 123 --amount 49.99",
                                  [draft] { return checked(*draft); });
  add_order_id(command, *draft);
  const auto money = [](const std::string& text) { return is_money(text) ? std::optional{text} : std::nullopt; };
  command.value({.name = "--amount",
                 .type = "M",
                 .meaning = "What was paid, in major units (default: the order's amount)",
                 .expected = "money such as 49.99"},
                money, draft->amount);
  add_change_options(command, *draft);
}

void add_ship(Group& group) {
  struct Draft {
    ChangeOrder change;
    orders::Ship ship;
  };
  const auto draft = std::make_shared<Draft>();
  Command command = group.command("ship", "Record that a paid order was shipped",
                                  "order ship 123 --carrier DHL --tracking 00340", [draft] {
                                    draft->change.action = draft->ship;
                                    return checked(draft->change);
                                  });
  add_order_id(command, draft->change);
  command.value({.name = "--carrier", .type = "C", .meaning = "Who carries it (default: not said)"}, any_text,
                draft->ship.carrier);
  command.value({.name = "--tracking", .type = "T", .meaning = "The carrier's number for it (default: not said)"},
                any_text, draft->ship.tracking);
  add_change_options(command, draft->change);
}

void add_deliver(Group& group) {
  const auto draft = std::make_shared<ChangeOrder>(ChangeOrder{.order_id = {}, .action = orders::Deliver{}});
  Command command = group.command("deliver", "Record that a shipped order has arrived",
                                  "order deliver 123 --expect-version 3", [draft] { return checked(*draft); });
  add_order_id(command, *draft);
  add_change_options(command, *draft);
}

template <typename Action>
void add_with_reason(Group& group, const std::string& name, const std::string& meaning, const std::string& example) {
  struct Draft {
    ChangeOrder change;
    std::string reason;
  };
  const auto draft = std::make_shared<Draft>();
  Command command = group.command(name, meaning, example, [draft] {
    draft->change.action = Action{draft->reason};
    return checked(draft->change);
  });
  add_order_id(command, draft->change);
  command.value({.name = "--reason", .type = "R", .meaning = "Why (default: not said)"}, any_text, draft->reason);
  add_change_options(command, draft->change);
}

void add_import(Group& group) {
  const auto draft = std::make_shared<ImportOrders>();
  Command command = group.command("import", "Carry out commands from a file of JSON Lines",
                                  "order import orders.jsonl --on-error stop", [draft] { return *draft; });
  command.value({.name = "FILE",
                 .meaning = "The file; - is standard input",
                 .expected = "a file's name",
                 .presence = Presence::required},
                parse_some_text, draft->file);
  command.value({.name = "--on-error",
                 .type = "skip|stop",
                 .meaning = "What to do about a line that is invalid or rejected: report it and go on, or end there; "
                            "what came before stays (default: skip)",
                 .expected = "skip or stop"},
                parse_on_error, draft->on_error);
  command.flag("--no-drain", "End at once; the read tables follow when the next command runs", draft->afterwards,
               Afterwards::leave);
}

}  // namespace

void add_order_commands(Group& group) {
  add_place(group);
  add_pay(group);
  add_ship(group);
  add_deliver(group);
  add_with_reason<orders::Cancel>(group, "cancel", "Cancel an order that is not shipped yet",
                                  "order cancel 123 --reason 'out of stock'");
  add_with_reason<orders::Refund>(group, "refund", "Give the money of a paid order back",
                                  "order refund 123 --reason 'arrived broken'");
  add_import(group);
}

}  // namespace freshet::cli
