// Lines out of a stream.
#include "base/line_reader.hpp"

#include <limits>

#include "freshet/error.hpp"

namespace freshet {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

std::optional<std::string_view> LineReader::next() {
  lines_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  if (lines_.bad()) throw Error(ErrorCode::io, "cannot read the lines to import");
  auto length = static_cast<std::size_t>(lines_.gcount());
  if (length == 0) return std::nullopt;  // getline() counts the line's end as well.
  ++number_;
  is_too_long_ = lines_.fail();
  if (is_too_long_) {
    lines_.clear();
    lines_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  } else if (!lines_.eof()) {
    --length;
  }
  std::string_view text(buffer_.data(), length);
  if (number_ == 1 && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

}  // namespace freshet
