// Base64 as RFC 4648 has it: the usual alphabet, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace freshet::exchange {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

// Nothing if the text is none, or not the one that encode_base64() gives.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace freshet::exchange
