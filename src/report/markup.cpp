// Writes elements, and escapes what stands in them.
#include "report/markup.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/ensure.hpp"

namespace freshet::report {
namespace {

// For text and for attributes alike. A control character would make the page unreadable for a strict reader,
// so its replacement stands in for it.
std::string escape(std::string_view data) {
  std::string escaped;
  escaped.reserve(data.size());
  for (const char character : data) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(character);
        const bool is_control = byte == 0x7f || (byte < 0x20 && character != '\n' && character != '\t');
        is_control ? escaped += "\xef\xbf\xbd" : escaped += character;
      }
    }
  }
  return escaped;
}

}  // namespace

std::string decimal(double value) {
  constexpr double hundredths = 100.0;
  const double rounded = std::round(value * hundredths) / hundredths + 0.0;  // Adding 0.0 makes -0.0 a 0.0.
  std::array<char, 64> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), rounded);
  ensure(error == std::errc(), "a number of a drawing fits into 64 characters");
  return {digits.data(), end};
}

Markup& Markup::open(std::string_view tag, Attributes attributes) {
  text_.append("<").append(tag);
  for (const Attribute& attribute : attributes) {
    if (attribute.name.empty()) continue;
    text_.append(" ").append(attribute.name).append("=\"").append(escape(attribute.value)).append("\"");
  }
  text_ += '>';
  open_.emplace_back(tag);
  return *this;
}

Markup& Markup::close() {
  ensure(!open_.empty(), "an element is closed that was opened");
  text_.append("</").append(open_.back()).append(">\n");
  open_.pop_back();
  return *this;
}

Markup& Markup::text(std::string_view data) {
  text_ += escape(data);
  return *this;
}

Markup& Markup::element(std::string_view tag, Attributes attributes, std::string_view data) {
  return open(tag, attributes).text(data).close();
}

Markup& Markup::raw(std::string_view markup) {
  text_ += markup;
  return *this;
}

std::string Markup::finish() {
  ensure(open_.empty(), "every element is closed when the page ends");
  return std::exchange(text_, {});
}

}  // namespace freshet::report
