// Reads a stream line by line, with a bound for what a line may take of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string_view>
#include <vector>

namespace freshet {

// How far the end of a line that is too long is looked for. A device, or a file that holds no lines, has none.
inline constexpr std::size_t line_bytes_skipped_max = std::size_t{256} << 20U;

class LineReader {
 public:
  LineReader(std::istream& lines, std::size_t line_bytes_max) : lines_(lines), buffer_(line_bytes_max + 1) {}

  // The next line without its end, and without a byte order mark; valid until the next call. Of a longer one
  // than allowed, its beginning; the rest is skipped by the next call. Nothing at the end, or where such a line
  // has none. Throws Error `io`.
  [[nodiscard]] std::optional<std::string_view> next();

  // Of the line that next() gave last. Numbers count from 1.
  [[nodiscard]] std::int64_t number() const { return number_; }
  [[nodiscard]] bool is_too_long() const { return is_too_long_; }

  // The reading has ended in a line without an end.
  [[nodiscard]] bool is_endless() const { return is_endless_; }

 private:
  void skip_rest();

  std::istream& lines_;
  std::vector<char> buffer_;
  std::int64_t number_ = 0;
  bool is_too_long_ = false;
  bool is_endless_ = false;
};

}  // namespace freshet
