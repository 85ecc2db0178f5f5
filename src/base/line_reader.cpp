// Lines out of a stream.
#include "base/line_reader.hpp"

#include "freshet/error.hpp"

namespace freshet {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

std::optional<std::string_view> LineReader::next() {
  // Only now, so that whoever asks for no other line does not wait for the end of this one.
  if (is_too_long_) skip_rest();
  if (is_endless_) return std::nullopt;
  lines_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  if (lines_.bad()) throw Error(ErrorCode::io, "cannot read the lines");
  auto length = static_cast<std::size_t>(lines_.gcount());
  if (length == 0) return std::nullopt;  // getline() counts the line's end as well.
  ++number_;
  is_too_long_ = lines_.fail();
  if (is_too_long_) {
    lines_.clear();
  } else if (!lines_.eof()) {
    --length;
  }
  std::string_view text(buffer_.data(), length);
  if (number_ == 1 && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

void LineReader::skip_rest() {
  constexpr auto most = static_cast<std::streamsize>(line_bytes_skipped_max);
  lines_.ignore(most, '\n');
  is_endless_ = lines_.gcount() == most;
}

}  // namespace freshet
