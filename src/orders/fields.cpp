// Reads the fields of a JSON object as the parser meets them, in place and without building a tree: events are decoded
// whenever an order is loaded, and a hostile line cannot make a small text into a large structure.
#include "orders/fields.hpp"

#include <rapidjson/reader.h>

#include <limits>
#include <utility>

#include "base/utf8.hpp"

namespace freshet::orders {
namespace {

constexpr int top_depth = 1;    // Inside the object.
constexpr int items_depth = 2;  // Inside its "items".
constexpr int item_depth = 3;   // Inside one of them.
// The parser calls itself for each level, and a line of brackets must not use up the stack.
constexpr int depth_max = 200;

// More than an event or a command has.
constexpr std::size_t fields_expected = 8;

// Of one character.
constexpr std::size_t utf8_bytes_max = 4;

// An item while it is read.
struct PartialItem {
  std::optional<std::string_view> sku;
  std::optional<std::int64_t> quantity;
  std::optional<std::int64_t> unit_price_minor;
};

}  // namespace

// What the parser calls. Returning false ends the parse.
class Fields::Reader final : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Reader> {
 public:
  explicit Reader(Fields& fields) : fields_(fields) {}

  // Of what no field can be, such as null or a fraction.
  bool Default() { return value(Other{}); }
  bool Int(int number) { return Int64(number); }
  bool Uint(unsigned number) { return Int64(number); }
  bool Int64(std::int64_t number) { return value(number); }
  bool Uint64(std::uint64_t number) {
    if (std::in_range<std::int64_t>(number)) return Int64(static_cast<std::int64_t>(number));
    return Default();
  }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    // The parser lets half of a surrogate pair pass where it is written as an escape.
    return is_utf8({text, size}) && value(std::string_view(text, size));
  }

  bool StartObject() {
    if (depth_ == items_depth && in_items_) {
      item_ = {};
    } else if (depth_ > 0) {
      value(Other{});
    }
    return ++depth_ <= depth_max;
  }
  bool Key(const char* name, rapidjson::SizeType size, bool /*copy*/) {
    key_ = {name, size};
    return true;
  }
  bool EndObject(rapidjson::SizeType /*members*/) {
    --depth_;
    if (depth_ == items_depth && in_items_) finish_item();
    return true;
  }

  bool StartArray() {
    if (depth_ == top_depth && key_ == "items") {
      in_items_ = true;
      fields_.items_.emplace();
      fields_.items_problem_.clear();
    } else {
      value(Other{});
    }
    return ++depth_ <= depth_max;
  }
  bool EndArray(rapidjson::SizeType /*elements*/) {
    --depth_;
    if (depth_ == top_depth) in_items_ = false;
    return true;
  }

 private:
  // A value, or the beginning of an object or array in its place.
  bool value(const Value& value) {
    if (depth_ == 0) {
      fields_.note("not a JSON object");
    } else if (depth_ == top_depth) {
      if (key_ == "items") note_items("items is not an array");
      if (fields_.values_.empty()) fields_.values_.reserve(fields_expected);
      fields_.values_.emplace_back(key_, value);
    } else if (depth_ == items_depth && in_items_) {
      note_item("", "is not an object");
    } else if (depth_ == item_depth && in_items_) {
      item_value(value);
    }
    return true;
  }

  void item_value(const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (key_ == "sku") {
      const auto* text = std::get_if<std::string_view>(&value);
      item_.sku = text == nullptr ? std::nullopt : std::optional(*text);
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
    fields_.items_->push_back({std::string(*item_.sku), *item_.quantity, *item_.unit_price_minor});
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
  std::string_view key_;
  PartialItem item_;
};

Fields::Fields(std::string json) : json_(std::move(json)) {
  const std::size_t size = json_.size();
  // Where all is UTF-8, as mostly, the parser need not look at each character again to say what is not.
  const bool is_text = is_utf8(json_);
  // It would look for the rest of a character that the end cuts off.
  if (!is_text) json_.append(utf8_bytes_max - 1, '\0');
  Reader reader(*this);
  rapidjson::InsituStringStream text(json_.data());
  rapidjson::Reader parser;
  constexpr auto in_place = rapidjson::kParseInsituFlag;
  constexpr auto validating = in_place | rapidjson::kParseValidateEncodingFlag;
  const auto result = is_text ? parser.Parse<in_place>(text, reader) : parser.Parse<validating>(text, reader);
  // It takes a zero byte for the end.
  if (!result.IsError() && text.Tell() == size) return;
  values_.clear();
  items_.reset();
  note("no valid JSON: error at byte " + std::to_string((result.IsError() ? result.Offset() : text.Tell()) + 1));
}

const Fields::Value* Fields::find(std::string_view name) const {
  for (auto field = values_.rbegin(); field != values_.rend(); ++field) {
    if (field->first == name) return &field->second;
  }
  return nullptr;
}

void Fields::note(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

std::string Fields::optional_text(std::string_view name) {
  const Value* value = find(name);
  if (value == nullptr) return {};
  const auto* text = std::get_if<std::string_view>(value);
  if (text != nullptr) return std::string{*text};
  note(std::string{name} + " is not a string");
  return {};
}

std::string Fields::text(std::string_view name) {
  if (find(name) == nullptr) note(std::string{name} + " is missing");
  return optional_text(name);
}

std::optional<std::int64_t> Fields::optional_integer(std::string_view name) {
  const Value* value = find(name);
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
