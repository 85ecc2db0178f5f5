// Writing and reading session tokens.
#include "store/session_token.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <charconv>

#include "freshet/session.hpp"

namespace freshet::store {
namespace {

constexpr std::size_t id_digits = 10;
constexpr int check_digits = 6;  // One in 16 million mistyped tokens passes.

std::string check(std::string_view text) {
  auto hash = XXH3_64bits(text.data(), text.size());
  std::string digits;
  for (int digit = 0; digit < check_digits; ++digit, hash >>= 4U) digits += "0123456789abcdef"[hash & 15U];
  return digits;
}

bool is_id(std::string_view text) {
  return text.size() == id_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

SessionToken make_token(const StoreIdentity& identity, Position position) {
  return {identity.id.substr(0, id_digits), identity.epoch.substr(0, id_digits), position};
}

std::string format_token(const SessionToken& token) {
  const std::string text = token.store + '-' + token.epoch + '-' + std::to_string(token.position.value);
  return text + '-' + check(text);
}

std::optional<SessionToken> parse_token(std::string_view text) {
  constexpr std::size_t ids = 2 * (id_digits + 1);
  const std::size_t last = text.rfind('-');
  if (last == std::string_view::npos || last < ids) return std::nullopt;
  SessionToken token{std::string(text.substr(0, id_digits)), std::string(text.substr(id_digits + 1, id_digits)), {}};
  if (!is_id(token.store) || !is_id(token.epoch)) return std::nullopt;
  const auto parsed = std::from_chars(text.data() + ids, text.data() + last, token.position.value);
  if (parsed.ec != std::errc{} || token.position < Position{}) return std::nullopt;
  // One text for one token: signs, leading zeros and whatever else are refused here.
  return format_token(token) == text ? std::optional(std::move(token)) : std::nullopt;
}

}  // namespace freshet::store

namespace freshet {

bool is_session_token(std::string_view text) {
  return store::parse_token(text).has_value();
}

}  // namespace freshet
