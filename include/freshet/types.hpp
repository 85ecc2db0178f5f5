// The few plain values that every part of Freshet speaks in.
//
// Threads: values; each is as safe as an int.
// Failure: none.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace [[gnu::visibility("default")]] freshet {

// Place of an event in the whole log: from 1, without gaps. 0 is "before the first event", which is
// where an empty checkpoint stands. Positions are handed out inside the write transaction, so their
// order is the order of commits.
struct Position {
  std::int64_t value = 0;
  friend constexpr auto operator<=>(Position, Position) = default;
};

// Place of an event in its own stream: from 1, without gaps. 0 is "no such stream".
struct Version {
  std::int64_t value = 0;
  friend constexpr auto operator<=>(Version, Version) = default;
};

// Names a stream: the kind of thing (`order`) and which one (`123`). Both parts are UTF-8, are not
// empty, and hold at most stream_part_bytes_max bytes; a category holds no '/'.
struct StreamId {
  std::string category;
  std::string id;
  friend auto operator<=>(const StreamId&, const StreamId&) = default;
};

// A key of an index page must stay small beside its page of 4 KiB.
inline constexpr std::size_t stream_part_bytes_max = 255;

// Which file this is, wherever it lies, and which of its histories: a restored backup has another epoch.
struct StoreIdentity {
  std::string id;
  std::string epoch;
};

// Wall-clock time, UTC, in microseconds. What is stored and shown.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// A monotonic time of a Clock: good for waiting and for measuring, meaningless in another process.
using Instant = std::chrono::steady_clock::time_point;

// A span of time: delays, timeouts, ages.
using Duration = std::chrono::microseconds;

// What to do with a file of an older format that is to be written; reading leaves it as it is. Carrying it over to this
// release's format is one transaction: whoever is killed meanwhile leaves the file as it was. Other processes that
// write wait for it, up to their busy timeout.
enum class Upgrade {
  copy,     // Carry it over, after a copy FILE.format-N, N being its format, is complete beside it and on the disk. One
            // that is there already is never replaced: unless it is that very copy, opening is Error `io`.
  no_copy,  // Carry it over. Releases that know the older format alone cannot open it from then on.
  never,    // Error `unsupported_format`.
};

// What to do where a file is to be written and there is one already.
enum class ExistingFile { refuse, replace };

}  // namespace freshet
