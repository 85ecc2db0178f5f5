// A snapshot that remembers what reads look up again and again: none of it can change while it lasts.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>

#include "log/event_rows.hpp"
#include "log/stream_hash.hpp"
#include "projection/catalog.hpp"
#include "sqlite/snapshot.hpp"

namespace freshet::query {

class Snapshot : public sqlite::Snapshot {
 public:
  using sqlite::Snapshot::Snapshot;

  // The log's last position.
  [[nodiscard]] Position head();
  // The stream's number and last event; nothing if no event was ever recorded for it. Valid until the next call.
  [[nodiscard]] const std::optional<log::StreamEnd>& find_stream(const StreamId& stream);
  // The projection's row; none if it is not registered.
  [[nodiscard]] const projection::Entry* entry(std::string_view projection);
  // Whether any projection has dead letters.
  [[nodiscard]] bool has_dead_letters();

 private:
  // Some 500 KB. A snapshot that is read this often between two commits is rare.
  static constexpr std::size_t streams_max = 4'096;

  std::optional<Position> head_;
  std::optional<bool> has_dead_letters_;
  std::optional<projection::Entries> entries_;
  std::unordered_map<StreamId, std::optional<log::StreamEnd>, log::StreamHash> streams_;
};
using Snapshots = sqlite::Snapshots<Snapshot>;

}  // namespace freshet::query
