// Between major units as text and minor units as integers.
#include "orders/money.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace freshet::orders {
namespace {

struct CurrencyDigits {
  std::string_view currency;
  int digits;
};

// ISO 4217, list one: the currencies in use whose minor unit is not a hundredth.
constexpr std::array currencies{
    CurrencyDigits{"BHD", 3}, CurrencyDigits{"BIF", 0}, CurrencyDigits{"CLF", 4}, CurrencyDigits{"CLP", 0},
    CurrencyDigits{"DJF", 0}, CurrencyDigits{"GNF", 0}, CurrencyDigits{"IQD", 3}, CurrencyDigits{"ISK", 0},
    CurrencyDigits{"JOD", 3}, CurrencyDigits{"JPY", 0}, CurrencyDigits{"KMF", 0}, CurrencyDigits{"KRW", 0},
    CurrencyDigits{"KWD", 3}, CurrencyDigits{"LYD", 3}, CurrencyDigits{"OMR", 3}, CurrencyDigits{"PYG", 0},
    CurrencyDigits{"RWF", 0}, CurrencyDigits{"TND", 3}, CurrencyDigits{"UGX", 0}, CurrencyDigits{"UYI", 0},
    CurrencyDigits{"UYW", 4}, CurrencyDigits{"VND", 0}, CurrencyDigits{"VUV", 0}, CurrencyDigits{"XAF", 0},
    CurrencyDigits{"XOF", 0}, CurrencyDigits{"XPF", 0},
};

// Digits alone, at least one, up to amount_minor_max.
std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
    if (number > amount_minor_max) return std::nullopt;
  }
  return number;
}

}  // namespace

int minor_digits(std::string_view currency) noexcept {
  const auto* found = std::ranges::find(currencies, currency, &CurrencyDigits::currency);
  return found == currencies.end() ? 2 : found->digits;
}

std::optional<std::int64_t> parse_money(std::string_view text, std::string_view currency) {
  const auto digits_max = static_cast<std::size_t>(minor_digits(currency));
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view decimals = text.substr(std::min(point + 1, text.size()));
  if (point == 0 || decimals.size() > digits_max) return std::nullopt;
  if (point < text.size() && decimals.empty()) return std::nullopt;
  // In minor units the decimals are there in full, and the point is not.
  std::string minor{text.substr(0, point)};
  minor += decimals;
  minor.append(digits_max - decimals.size(), '0');
  return parse_digits(minor);
}

std::string format_money(std::int64_t minor, std::string_view currency) {
  const auto digits = static_cast<std::size_t>(minor_digits(currency));
  std::string text = std::to_string(minor);
  const std::string sign = text.front() == '-' ? "-" : "";
  text.erase(0, sign.size());
  if (digits == 0) return sign + text;
  if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
  const std::size_t whole = text.size() - digits;
  return sign + text.substr(0, whole) + '.' + text.substr(whole);
}

std::optional<Item> parse_item(std::string_view text, std::string_view currency) {
  const std::size_t before_price = text.rfind(':');
  if (before_price == std::string_view::npos || before_price == 0) return std::nullopt;
  const std::size_t before_quantity = text.rfind(':', before_price - 1);
  if (before_quantity == std::string_view::npos) return std::nullopt;
  const auto quantity = parse_digits(text.substr(before_quantity + 1, before_price - before_quantity - 1));
  const auto price = parse_money(text.substr(before_price + 1), currency);
  if (!quantity || !price) return std::nullopt;
  return Item{std::string{text.substr(0, before_quantity)}, *quantity, *price};
}

}  // namespace freshet::orders
