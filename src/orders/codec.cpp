// Events and rejections as JSON text, and back.
#include "orders/codec.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <utility>

#include "freshet/error.hpp"
#include "orders/fields.hpp"

namespace freshet::orders {
namespace {

// The text of a JSON value, written part by part: fields stand in the order in which they are set, so that events
// look the same in every row.
class JsonText {
 public:
  JsonText& begin() {
    writer_.StartObject();
    return *this;
  }
  JsonText& end() {
    writer_.EndObject();
    return *this;
  }
  JsonText& set(std::string_view name, std::string_view text) {
    string(name);
    string(text);
    return *this;
  }
  JsonText& set(std::string_view name, std::int64_t number) {
    string(name);
    writer_.Int64(number);
    return *this;
  }
  JsonText& set(std::string_view name, const std::vector<Item>& items) {
    string(name);
    return add(items);
  }
  // Texts that were not said are left out.
  JsonText& set_if_said(std::string_view name, std::string_view text) { return text.empty() ? *this : set(name, text); }
  JsonText& add(const std::vector<Item>& items) {
    writer_.StartArray();
    for (const Item& item : items) {
      begin().set("sku", item.sku).set("quantity", item.quantity).set("unit_price_minor", item.unit_price_minor).end();
    }
    writer_.EndArray();
    return *this;
  }
  [[nodiscard]] std::string text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  void string(std::string_view text) { writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size())); }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

// Sets the fields of a fact.
struct SetFields {
  void operator()(const OrderCreated& fact) const {
    json.set("customer", fact.customer)
        .set("currency", fact.currency)
        .set("items", fact.items)
        .set("freight_minor", fact.freight_minor)
        .set("amount_minor", fact.amount_minor);
  }
  void operator()(const OrderPaid& fact) const {
    json.set("amount_minor", fact.amount_minor).set("currency", fact.currency);
  }
  void operator()(const OrderShipped& fact) const {
    json.set_if_said("carrier", fact.carrier).set_if_said("tracking", fact.tracking);
  }
  void operator()(const OrderDelivered& /*fact*/) const {}
  void operator()(const OrderCancelled& fact) const { json.set_if_said("reason", fact.reason); }
  void operator()(const OrderRefunded& fact) const {
    json.set("amount_minor", fact.amount_minor).set("currency", fact.currency).set_if_said("reason", fact.reason);
  }

  JsonText& json;
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

// Schema versions of all of them: none has changed its form yet.
constexpr int known_form = 1;

// What stands before the items in an object that holds nothing else.
constexpr std::string_view items_field = "{\"items\":";

std::string describe(const RecordedEvent& event) {
  return "event '" + event.type + "' at position " + std::to_string(event.position.value);
}

}  // namespace

StreamId stream_of(std::string_view order_id) {
  return {order_category, std::string{order_id}};
}

bool is_order_event(const RecordedEvent& event) {
  return event.stream.category == order_category;
}

std::string write_items(const std::vector<Item>& items) {
  return JsonText().add(items).text();
}

std::vector<Item> read_items(std::string_view json) {
  // Fields reads objects; the text is put into one.
  std::string object;
  object.reserve(json.size() + items_field.size() + 1);
  object.append(items_field).append(json).append("}");
  Fields fields(std::move(object));
  auto items = fields.items();
  if (!fields.problem().empty())
    throw Error(ErrorCode::corrupt, "the items of an order are damaged: " + fields.problem());
  return items;
}

NewEvent OrderDecider::encode(const Event& event) {
  JsonText json;
  json.begin();
  std::visit(SetFields{json}, event.fact);
  return {.type = name(event.fact), .data = json.end().text(), .occurred_at = event.at};
}

Event OrderDecider::decode(const RecordedEvent& event) {
  const FactType* type = find_fact_type(event.type);
  if (type == nullptr || event.schema_version != known_form) {
    const std::string form = type == nullptr ? "" : " of schema version " + std::to_string(event.schema_version);
    throw Error(ErrorCode::unsupported_format,
                describe(event) + form + " is none that this release knows of an order: use a newer release");
  }
  Fields fields(event.data);
  Event decoded{type->read(fields), event.occurred_at};
  if (!fields.problem().empty()) {
    throw Error(ErrorCode::corrupt, describe(event) + " is damaged: " + fields.problem());
  }
  return decoded;
}

std::string OrderDecider::encode_rejection(const Rejection& rejection) {
  const char* code = rejection.code == Rejection::Code::not_found ? "not_found" : "not_allowed";
  return JsonText()
      .begin()
      .set("code", code)
      .set("command", rejection.command)
      .set("message", rejection.message)
      .end()
      .text();
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
