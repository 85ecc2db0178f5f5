// Texts put together when the program is compiled, so that a library keeps none that it would have to make.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace freshet {

template <const std::string_view&... parts>
constexpr auto joined_letters = [] {
  std::array<char, (parts.size() + ...)> letters{};
  auto* end = letters.data();
  ((end = std::ranges::copy(parts, end).out), ...);
  return letters;
}();

template <const std::string_view&... parts>
constexpr std::string_view joined{joined_letters<parts...>.data(), joined_letters<parts...>.size()};

}  // namespace freshet
