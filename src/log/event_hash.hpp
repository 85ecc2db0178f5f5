// The hash that is an event's checksum: of numbers and texts, in their order.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace freshet::log {

// What a checksum is taken of. Most events fit into the buffer, and to hash that at once gives the same as to hash it
// in parts, for a third of the work.
class Fed {
 public:
  void add(const void* bytes, std::size_t size) {
    if (size == 0) return;  // An empty view may show nothing, which memcpy() does not take.
    if (!state_ && size <= buffer_.size() - size_) {
      std::memcpy(buffer_.data() + size_, bytes, size);
      size_ += size;
      return;
    }
    if (!state_) {
      XXH3_64bits_reset(&state_.emplace());
      XXH3_64bits_update(&*state_, buffer_.data(), size_);
    }
    XXH3_64bits_update(&*state_, bytes, size);
  }
  [[nodiscard]] std::uint64_t hash() const {
    return state_ ? XXH3_64bits_digest(&*state_) : XXH3_64bits(buffer_.data(), size_);
  }

 private:
  std::array<char, 1'024> buffer_;
  std::size_t size_ = 0;
  std::optional<XXH3_state_t> state_;
};

template <std::size_t numbers_count, std::size_t texts_count>
[[nodiscard]] std::int64_t hash_of(const std::array<std::int64_t, numbers_count>& numbers,
                                   const std::array<std::string_view, texts_count>& texts) {
  static_assert(std::endian::native == std::endian::little, "numbers are fed as they lie in memory");
  Fed fed;
  fed.add(numbers.data(), sizeof numbers);
  // Each with its length, so that no two events feed the same bytes.
  for (const std::string_view text : texts) {
    const std::uint64_t size = text.size();
    fed.add(&size, sizeof size);
    fed.add(text.data(), text.size());
  }
  return std::bit_cast<std::int64_t>(fed.hash());
}

}  // namespace freshet::log
