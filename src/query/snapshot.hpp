// A snapshot that remembers what reads look up again and again: none of it can change while it lasts.
#pragma once

#include <optional>
#include <string_view>

#include "log/event_rows.hpp"
#include "projection/catalog.hpp"
#include "sqlite/snapshot.hpp"

namespace freshet::query {

class Snapshot : public sqlite::Snapshot {
 public:
  using sqlite::Snapshot::Snapshot;

  // The log's last position.
  [[nodiscard]] Position head();
  // The stream's number and last event; nothing if no event was ever recorded for it.
  [[nodiscard]] const std::optional<log::StreamEnd>& find_stream(const StreamId& stream);
  // The projection's row; none if it is not registered.
  [[nodiscard]] const projection::Entry* entry(std::string_view projection);
  // Whether any projection has dead letters.
  [[nodiscard]] bool has_dead_letters();

 private:
  std::optional<Position> head_;
  std::optional<bool> has_dead_letters_;
  std::optional<projection::Entries> entries_;
  // The last one that was looked for.
  StreamId stream_;
  std::optional<log::StreamEnd> stream_end_;
};
using Snapshots = sqlite::Snapshots<Snapshot>;

}  // namespace freshet::query
