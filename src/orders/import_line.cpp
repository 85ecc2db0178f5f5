// One line of an import: from text to a checked command, and to the key that makes a repetition harmless.
#define XXH_INLINE_ALL  // The hash is used here alone, and needs no library that way.
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base/time_text.hpp"
#include "orders/fields.hpp"
#include "orders/import.hpp"

namespace freshet::orders {
namespace {

using ReadAction = Action (*)(Fields&);

Action read_place(Fields& fields) {
  Place place{fields.text("customer"), fields.text("currency"), fields.items(),
              fields.optional_integer("freight_minor").value_or(0)};
  const auto amount = fields.optional_integer("amount_minor");
  if (amount && fields.problem().empty() && !check(place) && *amount != total_minor(place.items, place.freight_minor)) {
    fields.note("amount_minor is not what items and freight come to");
  }
  return place;
}
Action read_pay(Fields& fields) {
  return Pay{fields.optional_integer("amount_minor")};
}
Action read_ship(Fields& fields) {
  return Ship{fields.optional_text("carrier"), fields.optional_text("tracking")};
}
Action read_deliver(Fields& /*fields*/) {
  return Deliver{};
}
Action read_cancel(Fields& fields) {
  return Cancel{fields.optional_text("reason")};
}
Action read_refund(Fields& fields) {
  return Refund{fields.optional_text("reason")};
}

constexpr std::array<std::pair<std::string_view, ReadAction>, std::variant_size_v<Action>> actions{{
    {"place", read_place},
    {"pay", read_pay},
    {"ship", read_ship},
    {"deliver", read_deliver},
    {"cancel", read_cancel},
    {"refund", read_refund},
}};

ReadAction find_action(std::string_view name) {
  for (const auto& [action, read] : actions) {
    if (action == name) return read;
  }
  return nullptr;
}

// What a line says, as one text that two lines share only if they say the same: each part is preceded by
// its length, so that no text can look like the beginning of the next part.
class Canonical {
 public:
  explicit Canonical(const ImportLine& line) {
    add(line.command.at.value_or(Timestamp{}).time_since_epoch().count());
    add(name(line.command.action));
    add(line.order_id);
    std::visit(*this, line.command.action);
  }

  void operator()(const Place& place) {
    add(place.customer);
    add(place.currency);
    for (const Item& item : place.items) {
      add(item.sku);
      add(item.quantity);
      add(item.unit_price_minor);
    }
    add(place.freight_minor);
  }
  void operator()(const Pay& pay) {
    if (pay.amount_minor) add(*pay.amount_minor);
  }
  void operator()(const Ship& ship) {
    add(ship.carrier);
    add(ship.tracking);
  }
  void operator()(const Deliver& /*deliver*/) {}
  void operator()(const Cancel& cancel) { add(cancel.reason); }
  void operator()(const Refund& refund) { add(refund.reason); }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void add(std::string_view part) {
    text_ += std::to_string(part.size());
    text_ += ':';
    text_ += part;
  }
  void add(std::int64_t number) { add(std::to_string(number)); }

  std::string text_;
};

void append_hexadecimal(std::string& text, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4)
    text += "0123456789abcdef"[(number >> static_cast<unsigned>(shift)) & 15U];
}

}  // namespace

std::variant<ImportLine, std::string> parse_import_line(std::string_view text) {
  Fields fields(std::string{text});
  const auto at = parse_timestamp(fields.text("at"));
  const ReadAction read = find_action(fields.text("command"));
  std::string order_id = fields.text("order");
  if (!fields.problem().empty()) return fields.problem();
  if (!at) return "at is no time such as 2017-10-02T10:56:33Z";
  if (read == nullptr) return "command is none of place, pay, ship, deliver, cancel and refund";
  if (auto problem = check_order_id(order_id)) return *problem;

  ImportLine line{std::move(order_id), {read(fields), at}};
  if (!fields.problem().empty()) return fields.problem();
  if (auto problem = check(line.command.action)) return *problem;
  return line;
}

std::string import_key(const ImportLine& line) {
  const Canonical canonical(line);
  const XXH128_hash_t hash = XXH3_128bits(canonical.text().data(), canonical.text().size());
  std::string key = "import:";
  append_hexadecimal(key, hash.high64);
  append_hexadecimal(key, hash.low64);
  return key;
}

}  // namespace freshet::orders
