// Fuzz target: a stream of an order as it stands in the log, where anything may stand that some program has
// appended: each line of the input is a type, a blank, and the data of one event. Decoded, folded, decided on.
#include <string>
#include <variant>

#include "base/time_text.hpp"
#include "freshet/decider.hpp"
#include "freshet/error.hpp"
#include "fuzz/fuzz.hpp"
#include "orders/codec.hpp"

namespace freshet::fuzz {
namespace {

using namespace orders;

// An order has few events, and refusing one takes a thousand times as long as reading a byte.
constexpr int events_max = 6;

RecordedEvent recorded(std::string_view line, Version version) {
  const std::size_t blank = std::min(line.find(' '), line.size());
  return {.position = Position{version.value},
          .version = version,
          .stream = {order_category, "1"},
          .type = std::string{line.substr(0, blank)},
          .data = std::string{line.substr(std::min(blank + 1, line.size()))},
          .occurred_at = Timestamp{std::chrono::hours{version.value}}};
}

void check_decoded(const Event& event) {
  const NewEvent encoded = OrderDecider::encode(event);
  const RecordedEvent again{.stream = {order_category, "1"}, .type = encoded.type, .data = encoded.data};
  ensure(OrderDecider::encode(OrderDecider::decode(again)).data == encoded.data,
         "an event is decoded as it was encoded");
}

void check_decisions(const Order& order) {
  const std::initializer_list<Action> actions{Pay{}, Ship{}, Deliver{}, Cancel{}, Refund{}};
  for (const Action& action : actions) {
    const auto decision = OrderDecider::decide({action, std::nullopt}, order);
    if (const auto* events = std::get_if<std::vector<Event>>(&decision)) {
      for (const Event& event : *events) check_decoded(event);
    } else {
      const auto& rejection = std::get<Rejection>(decision);
      ensure_shown(rejection.message);
      const Rejection again = OrderDecider::decode_rejection(OrderDecider::encode_rejection(rejection));
      ensure(again.code == rejection.code && again.message == rejection.message && again.command == rejection.command,
             "a refusal is decoded as it was encoded");
    }
  }
}

// What a projection reads back from its own row; and the same of any text.
void check_items(const Order& order, std::string_view text) {
  ensure(read_items(write_items(order.items)) == order.items, "items are read as they were written");
  try {
    const auto items = read_items(text);
    ensure(read_items(write_items(items)) == items, "items are read as they were written");
  } catch (const Error& error) {
    ensure(error.code() == ErrorCode::corrupt, "damaged items are corrupt data");
    ensure_shown(error.what());
  }
}

void check_rejection(const std::string& text) {
  try {
    const Rejection rejection = OrderDecider::decode_rejection(text);
    ensure(is_utf8(rejection.message), "a refusal that was decoded is UTF-8");
  } catch (const Error& error) {
    ensure(error.code() == ErrorCode::corrupt, "a damaged refusal is corrupt data");
    ensure_shown(error.what());
  }
}

}  // namespace

void check(std::string_view text) {
  Replayed<OrderDecider> replayed;
  Version version;
  for (const std::string_view line : lines_of(text)) {
    if (++version.value > events_max) break;
    const RecordedEvent event = recorded(line, version);
    try {
      check_decoded(OrderDecider::decode(event));
      fold(replayed, event);
      ensure(replayed.version == version, "an order has the version of its last event");
    } catch (const Error& error) {
      ensure(error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format,
             "an event that cannot be read is damaged, or a newer release's");
      ensure(!is_utf8(event.type) || is_utf8(error.what()), "the sentence about a damaged event is UTF-8");
    }
  }
  check_rejection(std::string{text});
  check_decisions(replayed.state);
  check_items(replayed.state, text);
}

}  // namespace freshet::fuzz
