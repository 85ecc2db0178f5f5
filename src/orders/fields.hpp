// The fields of one JSON object, as commands and events are written.
//
// They are taken one by one. The first that is missing or of the wrong type is remembered as the
// problem, so a reader takes all that it needs and asks once. Fields that nobody takes do not matter,
// whatever they hold: a newer release, or another program, may have more to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "orders/order.hpp"

namespace freshet::orders {

class Fields {
 public:
  // If `json` is no JSON object, that is the problem, and there are no fields.
  explicit Fields(std::string json);
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // Where there is none, an empty text, 0 or no items are returned. Items are moved out.
  [[nodiscard]] std::string text(std::string_view name);
  [[nodiscard]] std::string optional_text(std::string_view name);
  [[nodiscard]] std::int64_t integer(std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view name);
  [[nodiscard]] std::vector<Item> items();

  // The first problem, such as "customer is missing"; empty if there is none.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // Adds what the reader of a value found wrong with it.
  void note(std::string problem);

 private:
  class Reader;
  struct Other {};  // A value of a type that no field has.
  using Value = std::variant<Other, std::string_view, std::int64_t>;

  [[nodiscard]] const Value* find(std::string_view name) const;

  std::string json_;  // Parsed in place: names and texts point into it.
  // In the order of the text. Objects here are small, so a search from the back is quick, and the last of
  // two fields with one name counts, as in most readers of JSON.
  std::vector<std::pair<std::string_view, Value>> values_;
  std::optional<std::vector<Item>> items_;
  std::string items_problem_;
  std::string problem_;
};

}  // namespace freshet::orders
