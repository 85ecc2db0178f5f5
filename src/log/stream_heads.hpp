// Where streams end that were written lately, so that an append need not look it up.
//
// The log only grows, so what is known of it stays right for as long as it ends where it did. Used under the
// turn, inside a write transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "freshet/types.hpp"
#include "log/stream_hash.hpp"

namespace freshet::log {

class StreamHeads {
 public:
  struct Head {
    std::int64_t number = 0;
    Version version;
  };

  // A transaction begins on a log with this last position. Forgets everything unless the last one was committed
  // and ended there; otherwise others have written meanwhile. What the transaction sets is not forgotten in it.
  void begin(Position last) {
    if (last != end_ || heads_.size() >= streams_max) heads_.clear();
    end_.reset();
  }

  // It was committed, and the log ends here now.
  void committed(Position last) { end_ = last; }

  [[nodiscard]] std::optional<Head> find(const StreamId& stream) const {
    const auto found = heads_.find(stream);
    return found == heads_.end() ? std::nullopt : std::optional(found->second);
  }

  void set(const StreamId& stream, Head head) { heads_.insert_or_assign(stream, head); }

 private:
  // Some megabytes. Streams that are written often are known again soon.
  static constexpr std::size_t streams_max = 16'384;

  std::optional<Position> end_;
  std::unordered_map<StreamId, Head, StreamHash> heads_;
};

}  // namespace freshet::log
