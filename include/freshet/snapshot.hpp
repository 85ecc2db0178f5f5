// Snapshots: a stream's state as it was at one of its versions, kept so that a replay costs by what is new since.
//
// A decider asks for them with three members more:
//
//   static constexpr SnapshotPolicy snapshots{.name = "task", .schema = 1, .every = 100};
//   static std::string encode_state(const State&);  // To JSON, say.
//   static State decode_state(std::string_view);
//
// execute() then keeps one whenever it had to fold `every` events or more, in the transaction of its append; replay()
// and execute() begin with it. A replay writes nothing. A decider without them looks nothing up.
//
// They can be thrown away at any time. One of another schema, one that is damaged or that the log does not bear out,
// and one that decode_state() throws on is passed by: all events are folded then, and the next one takes its place.
//
// But a snapshot is what the code of its day has made of the events. Raise `schema` with every change of what
// evolve(), decode(), encode_state() or an upcaster makes of the same events; nothing else tells old states from new.
//
// Threads: values.
// Failure: none of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// When a decider's states are kept, and which of them it can still read.
struct SnapshotPolicy {
  std::string_view name;     // Of the state: two deciders may fold one stream. Not empty.
  int schema = 1;            // Of the state's form and meaning, from 1.
  std::int64_t every = 100;  // Events. A replay folds these and some more at most.
};

// A larger state is not kept.
inline constexpr std::size_t snapshot_bytes_max = std::size_t{8} << 20U;
inline constexpr std::size_t snapshot_name_bytes_max = 255;

// A state to be kept, as Append::snapshot.
struct StateSnapshot {
  std::string name;  // UTF-8, not empty.
  int schema = 1;
  std::string state;  // Any bytes.
};

// A state that was kept.
struct KeptSnapshot {
  Version version;
  Position position;  // Of the event with that version.
  std::string state;
};

}  // namespace freshet
