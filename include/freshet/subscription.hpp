// Being told: of events as they enter the log, and of read tables as they change.
//
// A subscription to the log begins above a position. It brings what the log holds already and then what is
// appended, by whichever process, in position order, with no gap and no event twice. A subscription to
// read tables brings how far their projections are: at once, and whenever that has changed; who is slow
// is told the newest state and not every step. An idle subscription costs next to nothing.
//
// News come in one of three ways. A callback alone runs on a thread of the store's, one at a time for all
// subscriptions of a store. A callback with a Post runs wherever the application's event loop runs
// what is posted to it. Without a callback there is a descriptor to poll, and take(). With
// Engine::stepped everything is brought inside Store::step(). Each subscription holds one batch in memory
// at most: what follows waits in the log.
//
// Threads: a callback may use the store, subscribe, and destroy any subscription, its own included. It must not
// close the store from a thread of the store's, and while it waits nobody else on that thread is told.
// A Subscription is used by one thread at a time. With Engine::off the store's clock has to be good for
// any thread, which a VirtualClock is not.
//
// Failure: a callback or a Post that throws ends its subscription, and so does a log that cannot be read;
// Subscription::ended() says why, and StoreOptions::on_notice is told. Closing the store ends all of
// them; what was not brought by then is found above the last EventBatch::through when one subscribes again. Above the
// head is no place to begin: that is Error `invalid`, and `foreign_session` where the epoch says that the place belongs
// to a history that this store does not go on from.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freshet/event.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

namespace subscription {
template <typename News>
class Subscriber;
}  // namespace subscription

// More in one batch would only make a callback long.
inline constexpr std::size_t batch_events_max = 1'000;

// A batch ends with the event that reaches this many bytes of data: large events come in small batches.
inline constexpr std::size_t batch_bytes_max = std::size_t{1} << 20U;

// Which events.
struct EventsRequest {
  Position after = {};  // Exclusive: 0 is from the beginning, EventLog::head() is only what is new.
  // Names the history that `after` is a place in: the EventBatch::epoch that was kept with it. A store that was
  // restored from a backup holds other events there, or none, and this finds that out. Empty: `after` was read from
  // this store just now.
  std::string epoch = {};
  // At most one of these; neither is all events.
  std::optional<StreamId> stream = std::nullopt;
  std::optional<std::string> category = std::nullopt;
  std::size_t events_max = 200;  // In one batch: 1 to batch_events_max.
};

// Events of the log, oldest first; at least one.
struct EventBatch {
  std::vector<RecordedEvent> events;
  // Everything that was asked for up to here has been brought. Kept together with what was made of it,
  // it is where a later subscription goes on: `after`, with the epoch, which names the history that it is a place in.
  Position through;
  std::string epoch = {};
  Position head;  // Of the log when this was read; `through` has reached it when all is caught up.
};

// Which read tables: those of these projections; at least one.
struct ChangesRequest {
  std::vector<std::string> projections;
};

// How far a projection is. Its rows may have changed above `position` as well.
struct Change {
  std::string projection;
  Position position;  // The checkpoint: everything up to here is in the rows.
};

// Those of the projections whose rows, or progress, are others than when news came last; at least one.
struct Changes {
  std::vector<Change> projections;
  Position head;
};

// Told of an EventBatch or of Changes, which are valid during the call.
template <typename News>
using OnNews = std::function<void(const News&)>;

// Hands a closure to the application's event loop, which runs it once, soon, on a thread of its own. It is
// called on a thread of the store's and must not wait for the closure. A closure that runs when its
// subscription has ended does nothing, so a loop may also drop it.
using Post = std::function<void(std::function<void()>)>;

// Tells until it is destroyed. It may outlive the store.
template <typename News>
class Subscription {
 public:
  // By Store::subscribe_to_events() and subscribe_to_changes().
  explicit Subscription(std::shared_ptr<subscription::Subscriber<News>> subscriber);
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // From here on neither callback nor Post runs. Waits for one that is running, unless this is its own
  // thread: hold no lock here that a callback takes.
  ~Subscription();

  // Why nothing more will come; nothing while it goes on.
  [[nodiscard]] std::optional<std::string> ended() const;

  // Only without a callback. To be polled: readable while there is something to take, or the subscription
  // has ended. It belongs to the subscription; do not read or close it.
  [[nodiscard]] int descriptor() const;

  // Only without a callback. What there is, without waiting; nothing if there is nothing yet.
  [[nodiscard]] std::optional<News> take();

 private:
  std::shared_ptr<subscription::Subscriber<News>> subscriber_;
};

}  // namespace freshet
