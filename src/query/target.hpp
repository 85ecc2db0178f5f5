// What a read has to see, as positions of the log: captured once, when the read begins, so that it does
// not move away while it is waited for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "freshet/clock.hpp"
#include "freshet/query.hpp"
#include "projection/catalog.hpp"
#include "query/snapshot.hpp"

namespace freshet::query {

class Target {
 public:
  // `request` outlives the target. A MaxStaleness counts back from now.
  Target(Snapshot& snapshot, const ReadRequest& request, const Clock& clock);

  // False: the request takes whatever there is.
  [[nodiscard]] bool asks() const { return asks_; }

  // Whether all of the projections have it, on this snapshot.
  [[nodiscard]] bool is_met(Snapshot& snapshot, std::span<const projection::Entry> entries);

  // The version of the request's stream that has to be seen; nothing if none has.
  [[nodiscard]] std::optional<Version> version() const { return version_; }

  // "version 3 of order/123", "position 17"
  [[nodiscard]] std::string description() const;

  // What is missing in the log itself, as a sentence: "the log itself holds no version 3 yet (its last is
  // 2)". Nothing if nothing is.
  [[nodiscard]] std::optional<std::string> missing_in_log(Snapshot& snapshot) const;

 private:
  void aim_at(Snapshot& snapshot, Position position);
  void aim_at(Snapshot& snapshot, Version version);
  void find_version(Snapshot& snapshot);

  const ReadRequest& request_;
  bool asks_ = true;
  Position position_;                // What was asked for, unless a version was.
  std::string_view why_;             // It and no other.
  std::optional<Position> through_;  // Everything up to here.
  std::optional<Position> event_;    // This event.
  std::optional<Version> version_;   // Of the stream: the event's, or one that the log does not hold yet.
};

// Whether the projection has applied this event.
[[nodiscard]] bool has_applied(sqlite::Connection& connection, const projection::Entry& entry, Position position);

}  // namespace freshet::query
