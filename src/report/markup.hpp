// Text of a page, element by element: whatever comes from data is escaped here and nowhere else.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::report {

// A number for a drawing, with at most two decimals; the same in every locale.
[[nodiscard]] std::string decimal(double value);

// One without a name is left out.
struct Attribute {
  Attribute(std::string_view attribute_name, std::string_view attribute_value)
      : name(attribute_name), value(attribute_value) {}
  Attribute(std::string_view attribute_name, double number) : name(attribute_name), value(decimal(number)) {}

  std::string_view name;  // Written as it is.
  std::string value;
};
using Attributes = std::initializer_list<Attribute>;

class Markup {
 public:
  // Open an element, to be ended by close().
  Markup& open(std::string_view tag, Attributes attributes = {});
  Markup& close();

  Markup& text(std::string_view data);

  // A whole element that holds nothing but text.
  Markup& element(std::string_view tag, Attributes attributes = {}, std::string_view data = {});

  // Our own style, script or finished markup, written as it is.
  Markup& raw(std::string_view markup);

  // Everything, when each element is closed.
  [[nodiscard]] std::string finish();

 private:
  std::string text_;
  std::vector<std::string> open_;
};

}  // namespace freshet::report
