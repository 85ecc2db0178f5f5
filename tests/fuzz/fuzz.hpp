// What the fuzz targets share. Each target is one function that takes any bytes, does with them what the
// product does with bytes from outside, and asserts what must hold for every input. libFuzzer makes inputs in
// `tools/fuzz` and `tools/test`; replay.cpp takes those in corpus/, under every compiler.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/ensure.hpp"
#include "base/utf8.hpp"

namespace freshet::fuzz {

// The target: defined in TARGET_fuzz.cpp. Aborts if a promise is broken.
void check(std::string_view text);

// Without the ends of lines; a text that ends in one has an empty line behind it.
inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  return lines;
}

// What a person is shown is one line that a terminal can show.
inline void ensure_shown(std::string_view sentence) {
  ensure(!sentence.empty(), "a refusal says why");
  ensure(is_utf8(sentence), "a refusal is UTF-8");
  ensure(!has_control_character(sentence), "a refusal has no control characters");
}

}  // namespace freshet::fuzz
