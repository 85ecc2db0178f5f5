// Three bytes as four letters, and back.
#include "exchange/base64.hpp"

#include <algorithm>
#include <cstdint>

namespace freshet::exchange {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
  return index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0U;
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t index = 0; index < bytes.size(); index += 3) {
    const std::uint32_t group =
        byte_at(bytes, index) << 16U | byte_at(bytes, index + 1) << 8U | byte_at(bytes, index + 2);
    const std::size_t given = std::min<std::size_t>(bytes.size() - index, 3);
    for (std::size_t letter = 0; letter < 4; ++letter) {
      text += letter <= given ? alphabet[group >> (18U - 6U * letter) & 63U] : '=';
    }
  }
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string_view letters = text;
  while (!letters.empty() && letters.back() == '=' && text.size() - letters.size() < 2) letters.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  std::uint32_t bits = 0;
  for (const char letter : letters) {
    const auto value = alphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    group = group << 6U | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(static_cast<unsigned char>(group >> bits & 0xFFU));
  }
  // Bits that are left over must be 0, or two texts would mean the same.
  if (bits > 4 || (group & ((1U << bits) - 1U)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace freshet::exchange
