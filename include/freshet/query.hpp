// Reading the read tables: how fresh an answer must be, how long to wait for that, and how fresh it is.
//
// Threads: a Reading belongs to one thread at a time.
// Failure: Store::read throws Error as EventLog says, and `projection_failed` where on_timeout is error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "freshet/sql.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// Whatever the read tables hold, at once.
struct Eventual {};
// The stream's event of this version is in the answer. Only for reads of one stream.
struct AtLeastVersion {
  Version version;
};
// Everything up to this position is in the answer.
struct AtLeastPosition {
  Position position;
};
// Everything is in the answer that was recorded at least this long before the read began; 0 or more. Where the clock
// was set back and the log's newest RecordedEvent::recorded_at lies ahead of it, no age can be told, and it is as
// Strong.
struct MaxStaleness {
  Duration age;
};
// Everything is in the answer that was committed when the read began.
struct Strong {};

// What the read needs. It is turned into a position of the log once, when the read begins, so that the
// target does not move while it is waited for.
using Consistency = std::variant<Eventual, AtLeastVersion, AtLeastPosition, MaxStaleness, Strong>;

// What to do when the target was not reached in time, or cannot be reached any more.
enum class OnTimeout {
  stale,  // Answer with what is there, marked stale, with a warning.
  error,  // Throw Error `stale` on a timeout or on rows of older rules, `projection_failed` on a stopped projector or a
          // dead letter.
  replay,  // Read one stream from the log instead; see replay() in replay.hpp. Reading::must_replay().
};

// A person takes no notice of a wait up to here, and hardly any read needs a longer one.
inline constexpr Duration read_timeout_default = std::chrono::milliseconds{500};

// Longer than any process waits, and far from the end of any clock's range.
inline constexpr Duration read_timeout_max = std::chrono::hours{24 * 365 * 10};

// What is read, how fresh it has to be, and how long that may be waited for.
struct ReadRequest {
  // The names of the projections whose tables the query uses; at least one.
  std::vector<std::string> projections;
  // Freshness is judged for this stream alone. Not given: for the whole log.
  std::optional<StreamId> stream = std::nullopt;
  Consistency consistency = Eventual{};
  // Beside that, everything up to here is in the answer. A Session sets it.
  Position seen = {};
  Duration timeout = read_timeout_default;  // From 0 to read_timeout_max; others are taken for the nearer of these.
  OnTimeout on_timeout = OnTimeout::stale;
};

// Where an answer comes from.
enum class Source {
  read_model,  // The read tables.
  event_log,   // A replay: as fresh as can be.
};

// How fresh an answer is. It is data: keep it, show it, decide on it.
struct Freshness {
  Source source = Source::read_model;
  // The answer lacks something that was asked for; of an Eventual read, something that the log holds. A
  // dead letter among what was asked for makes it stale as well, and so do rows that were made by older rules (a lower
  // schema version than this store's), until they are made again.
  bool stale = false;
  // For the whole log: everything up to `position` is in the answer, and the log's last was `head`.
  Position position;
  Position head;
  // For one stream: the version that the answer shows, and the stream's last one. 0: none.
  Version version;
  Version latest_version;
  // How many events the answer lacks, of the stream or of the log, and how old the oldest of them was, by
  // its recorded_at; 0 where that lies ahead of the clock. Dead letters are lacking until they are retried or
  // discarded.
  std::int64_t behind_events = 0;
  Duration behind{};
  // How long the read waited for what it asked for.
  Duration waited{};
};

// The state of the read tables at one moment, together with its freshness: both come from one read
// transaction, which lives as long as this object. Do not keep it: while it lives, the space of
// newer events in the write-ahead log cannot be used again. It stays valid when its store is closed, and ends before
// its store is destroyed.
class Reading {
 public:
  class State;
  explicit Reading(std::unique_ptr<State> state);  // By Store::read().
  Reading(Reading&&) noexcept;
  Reading& operator=(Reading&&) noexcept;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading();

  // Of this moment; it does not change while the Reading lives.
  [[nodiscard]] const Freshness& freshness() const;

  // One sentence each, for people; empty unless the answer is stale, or its rows were made by a newer release.
  [[nodiscard]] const std::vector<std::string>& warnings() const;

  // The target was not reached, and OnTimeout::replay asks for the log.
  [[nodiscard]] bool must_replay() const;

  // The stream's number, as in RecordedEvent; 0 if the request names no stream or the log has none.
  [[nodiscard]] std::int64_t stream_number() const;

  // The newest event in the answer, 0 if there is none; above Freshness::position where events have overtaken
  // others. A read that has everything up to here does not go back behind this one.
  [[nodiscard]] Position newest() const;

  // Runs one statement that only reads, as Tables::query does: one that would write, or touch the transaction or the
  // connection, is Error `invalid`. A read table that is missing is Error `corrupt`, which says how to make it again.
  [[nodiscard]] Rows query(std::string_view sql, Values values = {});

 private:
  std::unique_ptr<State> state_;
};

}  // namespace freshet
