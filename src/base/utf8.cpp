// Judges bytes as UTF-8, by the table of well-formed sequences in the Unicode standard (table 3-7).
#include "base/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace freshet {
namespace {

unsigned byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// The length of a sequence with this first byte; 0 if none begins so.
std::size_t sequence_length(unsigned first) {
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // A continuation, or a longer way to write an ASCII character.
  if (first < 0xE0) return 2;
  if (first < 0xF0) return 3;
  return first < 0xF5 ? 4 : 0;
}

// Of a longer sequence the second byte alone can make it overlong, a surrogate or too large.
bool admits_second(unsigned first, unsigned second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second < 0xC0;
    case 0xED:
      return second >= 0x80 && second < 0xA0;
    case 0xF0:
      return second >= 0x90 && second < 0xC0;
    case 0xF4:
      return second >= 0x80 && second < 0x90;
    default:
      return second >= 0x80 && second < 0xC0;
  }
}

// Where the text goes on after characters of ASCII, which are tested eight at a time: most texts hold no others.
std::size_t skip_ascii(std::string_view text, std::size_t at) {
  std::uint64_t bytes = 0;
  for (; text.size() - at >= sizeof bytes; at += sizeof bytes) {
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    if ((bytes & 0x8080'8080'8080'8080U) != 0) break;
  }
  return at;
}

struct Range {
  char32_t first;
  char32_t last;
};

// As Unicode 15.1 has them: categories Cc, Cf, Zl, Zp and Co, noncharacters, and what else is ignorable by default.
constexpr Range hidden[] = {
    {0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},       {0x034F, 0x034F},   {0x0600, 0x0605},
    {0x061C, 0x061C},   {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},
    {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164},   {0xE000, 0xF8FF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
    {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}, {0xE01F0, 0x10FFFF}};

// Two at the end of every plane.
constexpr bool is_noncharacter(char32_t code) {
  return (code & 0xFFFEU) == 0xFFFEU;
}

}  // namespace

std::optional<Character> first_character(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  const unsigned first = byte_at(text, 0);
  const std::size_t length = sequence_length(first);
  if (length == 0 || length > text.size() || !is_utf8(text.substr(0, length))) return std::nullopt;
  char32_t code = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t next = 1; next < length; ++next) code = (code << 6U) | (byte_at(text, next) & 0x3FU);
  return Character{code, length};
}

bool is_hidden(char32_t code) noexcept {
  const auto after = std::ranges::upper_bound(hidden, code, {}, &Range::first);
  return is_noncharacter(code) || (after != std::begin(hidden) && code <= std::prev(after)->last);
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
    const unsigned first = byte_at(text, at);
    const std::size_t length = sequence_length(first);
    if (length == 0 || length > text.size() - at) return false;
    if (length > 1 && !admits_second(first, byte_at(text, at + 1))) return false;
    for (std::size_t next = 2; next < length; ++next) {
      if ((byte_at(text, at + next) & 0xC0U) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

bool has_control_character(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const unsigned byte = byte_at(text, at);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && at + 1 < text.size() && byte_at(text, at + 1) < 0xA0) return true;
  }
  return false;
}

}  // namespace freshet
