// Reads the fields of a JSON object as the parser meets them, without building a tree: events are decoded
// whenever an order is loaded, and a hostile line cannot make a small text into a large structure.
#include "orders/fields.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace freshet::orders {
namespace {

constexpr int top_depth = 1;    // Inside the object.
constexpr int items_depth = 2;  // Inside its "items".
constexpr int item_depth = 3;   // Inside one of them.

// An item while it is read.
struct PartialItem {
  std::optional<std::string> sku;
  std::optional<std::int64_t> quantity;
  std::optional<std::int64_t> unit_price_minor;
};

}  // namespace

// What the parser calls. Returning false would end the parse; only a syntax error does.
class Fields::Reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Reader(Fields& fields) : fields_(fields) {}

  bool null() override { return value(Other{}); }
  bool boolean(bool /*value*/) override { return value(Other{}); }
  bool number_integer(number_integer_t number) override { return value(number); }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) return value(Other{});
    return value(static_cast<std::int64_t>(number));
  }
  bool number_float(number_float_t /*number*/, const string_t& /*text*/) override { return value(Other{}); }
  bool string(string_t& text) override { return value(std::move(text)); }
  bool binary(binary_t& /*bytes*/) override { return value(Other{}); }

  bool start_object(std::size_t /*size*/) override {
    if (depth_ == items_depth && in_items_) {
      item_ = {};
    } else if (depth_ > 0) {
      value(Other{});
    }
    ++depth_;
    return true;
  }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ == items_depth && in_items_) finish_item();
    return true;
  }

  bool start_array(std::size_t /*size*/) override {
    if (depth_ == top_depth && key_ == "items") {
      in_items_ = true;
      fields_.items_.emplace();
      fields_.items_problem_.clear();
    } else {
      value(Other{});
    }
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    if (depth_ == top_depth) in_items_ = false;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    fields_.values_.clear();
    fields_.items_.reset();
    fields_.note("no valid JSON: error at byte " + std::to_string(position));
    return false;
  }

 private:
  // A value, or the beginning of an object or array in its place.
  bool value(Value value) {
    if (depth_ == 0) {
      fields_.note("not a JSON object");
    } else if (depth_ == top_depth) {
      if (key_ == "items") note_items("items is not an array");
      fields_.values_.emplace_back(std::move(key_), std::move(value));
    } else if (depth_ == items_depth && in_items_) {
      note_item("", "is not an object");
    } else if (depth_ == item_depth && in_items_) {
      item_value(std::move(value));
    }
    return true;
  }

  void item_value(Value value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (key_ == "sku") {
      auto* text = std::get_if<std::string>(&value);
      item_.sku = text == nullptr ? std::nullopt : std::optional(std::move(*text));
    } else if (key_ == "quantity") {
      item_.quantity = number == nullptr ? std::nullopt : std::optional(*number);
    } else if (key_ == "unit_price_minor") {
      item_.unit_price_minor = number == nullptr ? std::nullopt : std::optional(*number);
    }
  }

  void finish_item() {
    if (!item_.sku) return note_item("the sku of ", "is missing or not a string");
    if (!item_.quantity) return note_item("the quantity of ", "is missing or not an integer");
    if (!item_.unit_price_minor) return note_item("the unit_price_minor of ", "is missing or not an integer");
    fields_.items_->push_back({std::move(*item_.sku), *item_.quantity, *item_.unit_price_minor});
  }

  // Items are counted up to the first problem, so the next one has the number that a person would give it.
  void note_item(const char* before, const char* after) {
    note_items(before + ("item " + std::to_string(fields_.items_->size() + 1)) + " " + after);
  }

  void note_items(std::string problem) {
    if (fields_.items_problem_.empty()) fields_.items_problem_ = std::move(problem);
  }

  Fields& fields_;
  int depth_ = 0;
  bool in_items_ = false;
  std::string key_;
  PartialItem item_;
};

Fields::Fields(std::string_view json) {
  Reader reader(*this);
  // False after a syntax error, which the reader has noted.
  static_cast<void>(nlohmann::json::sax_parse(json, &reader));
}

Fields::Value* Fields::find(std::string_view name) {
  for (auto field = values_.rbegin(); field != values_.rend(); ++field) {
    if (field->first == name) return &field->second;
  }
  return nullptr;
}

void Fields::note(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

std::string Fields::optional_text(std::string_view name) {
  Value* value = find(name);
  if (value == nullptr) return {};
  auto* text = std::get_if<std::string>(value);
  if (text != nullptr) return std::move(*text);
  note(std::string{name} + " is not a string");
  return {};
}

std::string Fields::text(std::string_view name) {
  if (find(name) == nullptr) note(std::string{name} + " is missing");
  return optional_text(name);
}

std::optional<std::int64_t> Fields::optional_integer(std::string_view name) {
  Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto* number = std::get_if<std::int64_t>(value);
  if (number != nullptr) return *number;
  note(std::string{name} + " is not an integer of 64 bits");
  return std::nullopt;
}

std::int64_t Fields::integer(std::string_view name) {
  if (find(name) == nullptr) note(std::string{name} + " is missing");
  return optional_integer(name).value_or(0);
}

std::vector<Item> Fields::items() {
  if (!items_problem_.empty()) note(items_problem_);
  if (!items_) note("items is missing");
  return std::exchange(items_, std::nullopt).value_or(std::vector<Item>{});
}

}  // namespace freshet::orders
