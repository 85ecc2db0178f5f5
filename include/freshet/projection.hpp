// A projection: the rules that turn events into the rows of read tables.
//
// The engine applies every event exactly once to every projection, whatever the bus does: the rows and
// the note that the event was applied are committed together. Order: events of one stream come in
// their order; events of different streams may come in any order. So a row of one stream can be set
// outright, and a sum over streams stays right, but "the latest of all orders" must compare.
//
// Threads: apply() runs on the projector's thread, on an appending thread (Projecting::synchronous) or
// on the caller of a rebuild, never on two at the same time for the same tables. It must depend on the
// event and the tables alone. create() runs on the thread that opens the store, or on one that rebuilds.
// Failure: what create() throws is passed on by the opening or the rebuild, and nothing has changed then.
// Of what apply() throws see there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/event.hpp"
#include "freshet/sql.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// Rules of an application, given to StoreOptions::projections. The store shares it and calls it until it is closed.
class Projection {
 public:
  Projection() = default;
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;
  virtual ~Projection() = default;

  // Not empty, the same for the life of the store: under this name the checkpoint is kept.
  [[nodiscard]] virtual std::string_view name() const = 0;

  // From 1. Raise it when create() or apply() would give other rows; the tables are then made again.
  [[nodiscard]] virtual int schema_version() const = 0;

  // The tables, as they stand in braces in the SQL: all that create() makes, virtual ones included; views may be among
  // them. No two projections share one, and none begins with "app_" or is named as a table of the engine's; case does
  // not count.
  [[nodiscard]] virtual std::vector<std::string> tables() const = 0;

  // Creates the tables, empty, with their indexes, views and triggers, whose names are put in braces as well. After a
  // rebuild an index has another name, and the rest has its own again. It is tried, and undone, when the store opens
  // with a new projection or a raised version; other tables than tables() names are Error `invalid`.
  virtual void create(Tables& tables) const = 0;

  // Writes what `event` means. Whatever it throws is a failure of this event, and so is a deferred foreign key that is
  // open when it returns: it is tried again, and
  // after ProjectorOptions::attempts_max handled as ProjectorOptions::on_failure says. What a statement has met that is
  // no fault of the event's (a full disk, damage) stops the projector, whatever is made of the exception here.
  virtual void apply(const RecordedEvent& event, Tables& tables) const = 0;
};

// What happens after an event has failed attempts_max times.
enum class OnFailure {
  dead_letter,  // It is set aside with its reason, and so are later events of its stream; others go on.
  stop,         // The projector stops; every waiting read is told at once.
};

// A longer pause would be a stop.
inline constexpr Duration retry_backoff_max = std::chrono::hours{24};

// What is done about an event that a projection throws on.
struct ProjectorOptions {
  int attempts_max = 3;                                    // The first one included, which is always made.
  Duration retry_backoff = std::chrono::milliseconds{10};  // Doubles with each attempt, up to retry_backoff_max.
  OnFailure on_failure = OnFailure::dead_letter;
};

// An event that a projection could not apply, or a later one of its stream.
struct DeadLetter {
  std::string projection;
  Position position;
  StreamId stream;
  Version version;
  std::string type;
  int attempts = 0;  // 0: it follows an earlier dead letter of its stream, and was not tried.
  std::string reason;
  Timestamp at;  // Of the last attempt.
};

// Which dead letters; what is not given admits all.
struct DeadLetterChoice {
  std::optional<std::string> projection = std::nullopt;
  std::optional<StreamId> stream = std::nullopt;
  std::optional<Position> position = std::nullopt;
};

// How far a projection is.
struct ProjectionStatus {
  std::string name;
  int schema_version = 0;
  Position position;  // The checkpoint: everything up to here is applied.
  Position head;
  // Events that the read tables lack: those not applied yet, and dead letters. Those applied above the
  // checkpoint are not counted.
  std::int64_t behind_events = 0;
  Duration behind{};  // The age of the oldest event that they lack.
  std::int64_t duplicates_skipped = 0;
  std::int64_t dead_letters = 0;
  // The process that applies events to it, be it this one; nothing if none does, or if that cannot be found out.
  std::optional<std::int64_t> projected_by;
};

}  // namespace freshet
