// Events and rejections as JSON text, and back.
#include "orders/codec.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "freshet/error.hpp"
#include "orders/fields.hpp"

namespace freshet::orders {
namespace {

// Keeps the order in which fields are set: events then look the same in every row.
using Json = nlohmann::ordered_json;

Json to_json(const std::vector<Item>& items) {
  Json array = Json::array();
  for (const Item& item : items) {
    array.push_back(Json{{"sku", item.sku}, {"quantity", item.quantity}, {"unit_price_minor", item.unit_price_minor}});
  }
  return array;
}

// Texts that were not said are left out.
void set_text(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

struct ToJson {
  Json operator()(const OrderCreated& fact) const {
    return {{"customer", fact.customer},
            {"currency", fact.currency},
            {"items", to_json(fact.items)},
            {"freight_minor", fact.freight_minor},
            {"amount_minor", fact.amount_minor}};
  }
  Json operator()(const OrderPaid& fact) const {
    return {{"amount_minor", fact.amount_minor}, {"currency", fact.currency}};
  }
  Json operator()(const OrderShipped& fact) const {
    Json json = Json::object();
    set_text(json, "carrier", fact.carrier);
    set_text(json, "tracking", fact.tracking);
    return json;
  }
  Json operator()(const OrderDelivered& /*fact*/) const { return Json::object(); }
  Json operator()(const OrderCancelled& fact) const {
    Json json = Json::object();
    set_text(json, "reason", fact.reason);
    return json;
  }
  Json operator()(const OrderRefunded& fact) const {
    Json json{{"amount_minor", fact.amount_minor}, {"currency", fact.currency}};
    set_text(json, "reason", fact.reason);
    return json;
  }
};

// The log takes imports of events that no command was checked for, so sums are protected here as well.
std::int64_t amount(Fields& fields, const char* name) {
  const std::int64_t minor = fields.integer(name);
  if (minor < 0 || minor > amount_minor_max) fields.note(std::string{name} + " is no amount of money");
  return minor;
}

// One reader for each fact. Members are taken in the order in which they are declared.
using ReadFact = Fact (*)(Fields&);
struct FactType {
  const char* name;
  ReadFact read;
};
constexpr std::array<FactType, std::variant_size_v<Fact>> fact_types{{
    {"OrderCreated",
     [](Fields& fields) -> Fact {
       return OrderCreated{fields.text("customer"), fields.text("currency"), fields.items(),
                           amount(fields, "freight_minor"), amount(fields, "amount_minor")};
     }},
    {"OrderPaid",
     [](Fields& fields) -> Fact { return OrderPaid{amount(fields, "amount_minor"), fields.text("currency")}; }},
    {"OrderShipped",
     [](Fields& fields) -> Fact {
       return OrderShipped{fields.optional_text("carrier"), fields.optional_text("tracking")};
     }},
    {"OrderDelivered", [](Fields& /*fields*/) -> Fact { return OrderDelivered{}; }},
    {"OrderCancelled", [](Fields& fields) -> Fact { return OrderCancelled{fields.optional_text("reason")}; }},
    {"OrderRefunded",
     [](Fields& fields) -> Fact {
       return OrderRefunded{amount(fields, "amount_minor"), fields.text("currency"), fields.optional_text("reason")};
     }},
}};

const FactType* find_fact_type(std::string_view name) {
  const auto* found = std::ranges::find(fact_types, name, &FactType::name);
  return found == fact_types.end() ? nullptr : found;
}

std::string describe(const RecordedEvent& event) {
  return "event '" + event.type + "' at position " + std::to_string(event.position.value);
}

}  // namespace

StreamId stream_of(std::string_view order_id) {
  return {order_category, std::string{order_id}};
}

bool is_order_event(const RecordedEvent& event) {
  return event.stream.category == order_category && find_fact_type(event.type) != nullptr;
}

std::string write_items(const std::vector<Item>& items) {
  return to_json(items).dump();
}

std::vector<Item> read_items(std::string_view json) {
  // Fields reads objects; the text is put into one.
  Fields fields("{\"items\":" + std::string{json} + "}");
  auto items = fields.items();
  if (!fields.problem().empty())
    throw Error(ErrorCode::corrupt, "the items of an order are damaged: " + fields.problem());
  return items;
}

NewEvent OrderDecider::encode(const Event& event) {
  return {.type = name(event.fact), .data = std::visit(ToJson{}, event.fact).dump(), .occurred_at = event.at};
}

Event OrderDecider::decode(const RecordedEvent& event) {
  const FactType* type = find_fact_type(event.type);
  if (type == nullptr) throw Error(ErrorCode::corrupt, describe(event) + " is none that an order can have");
  Fields fields(event.data);
  Event decoded{type->read(fields), event.occurred_at};
  if (!fields.problem().empty()) {
    throw Error(ErrorCode::corrupt, describe(event) + " is damaged: " + fields.problem());
  }
  return decoded;
}

std::string OrderDecider::encode_rejection(const Rejection& rejection) {
  const char* code = rejection.code == Rejection::Code::not_found ? "not_found" : "not_allowed";
  return Json{{"code", code}, {"command", rejection.command}, {"message", rejection.message}}.dump();
}

Rejection OrderDecider::decode_rejection(const std::string& text) {
  Fields fields(text);
  const std::string code = fields.text("code");
  Rejection rejection{Rejection::Code::not_allowed, fields.text("command"), fields.text("message")};
  if (!fields.problem().empty()) {
    throw Error(ErrorCode::corrupt, "a recorded refusal is damaged: " + fields.problem());
  }
  if (code == "not_found") rejection.code = Rejection::Code::not_found;
  return rejection;
}

}  // namespace freshet::orders
