// Which stream is meant by a text that was read as CATEGORY/ID: the id of an order may look so.
#pragma once

#include <vector>

#include "freshet/event_log.hpp"
#include "orders/codec.hpp"

namespace freshet::cli {

// The one that the log holds, CATEGORY/ID where it holds both; as long as it holds neither, both.
[[nodiscard]] inline std::vector<StreamId> streams_meant(const StreamId& stream, const EventLog& log) {
  if (log.version(stream) != Version{}) return {stream};
  const StreamId order = orders::stream_of(stream.category + '/' + stream.id);
  if (log.version(order) != Version{}) return {order};
  return {stream, order};
}

}  // namespace freshet::cli
