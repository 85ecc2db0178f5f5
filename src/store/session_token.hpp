// The text of a session token: "STORE-EPOCH-POSITION-CHECK".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "freshet/store.hpp"

namespace freshet::store {

struct SessionToken {
  // Beginnings of the store's id and of its epoch: two stores are told apart by 40 random bits.
  std::string store;
  std::string epoch;
  Position position;
};

[[nodiscard]] SessionToken make_token(const StoreIdentity& identity, Position position);
[[nodiscard]] std::string format_token(const SessionToken& token);
// Nothing: it is none, or was not copied to the letter.
[[nodiscard]] std::optional<SessionToken> parse_token(std::string_view text);

}  // namespace freshet::store
