// What happens inside a store, occurrence by occurrence: for timelines, demonstrations and tests.
//
// Threads: values. StoreOptions::on_trace is called on the thread on which it happened.
#pragma once

#include <memory>
#include <string>

#include "freshet/event.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// One occurrence.
struct Trace {
  // In the order in which an event meets them.
  enum class Kind {
    appended,           // The event is committed to the log.
    delivered,          // The bus brought it to the projector.
    applied,            // The rows it means for `projection` are committed.
    skipped,            // `projection` had applied it before: a duplicate.
    offsets_committed,  // The projector's consumer group will not be sent again what it acknowledged.
    crashed,            // The projector has died, with what it held in memory.
    restarted,          // A projector has taken over.
  };
  Kind kind;
  Instant at;                                            // By the store's clock.
  std::shared_ptr<const RecordedEvent> event = nullptr;  // Of the first four kinds.
  std::string projection = {};                           // Of `applied` and `skipped`.
  int attempt = 1;                                       // Of a delivery; above 1 for a duplicate or a redelivery.
  bool synchronous = false;                              // Applied in the transaction that appended it.
};

}  // namespace freshet
