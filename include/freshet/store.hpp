// The store: one file, its log, its bus, its projector and its read tables, opened together.
//
// Threads: every method may be called from any thread, except as said of Engine::stepped. Several processes may open
// one file. Each projection is projected by one of them (whoever holds its lease, a lock that the system drops when its
// owner dies); others take over when it is gone. A child of fork() opens its own: calls to its parent's are `closed`.
// Nothing else in a process opens the file of an open store: to close it there would drop the locks of the store.
//
// Failure: methods throw Error; `closed` once close() or the destructor has begun, or the file was moved or replaced.
//
// The end: close() or the destructor, on any thread but the store's own. Both wait for calls that are going on, which
// end soon: waits, rebuilds and verifications are cut short. A Reading, Session or Consumer that outlives its store,
// and closing within a callback or the body of EventLog::write(), are a broken program: it stops with a sentence.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freshet/bus.hpp"
#include "freshet/clock.hpp"
#include "freshet/event_log.hpp"
#include "freshet/projection.hpp"
#include "freshet/query.hpp"
#include "freshet/subscription.hpp"
#include "freshet/trace.hpp"
#include "freshet/upcaster.hpp"

namespace [[gnu::visibility("default")]] freshet {

// What opening may do to the file.
enum class OpenMode {
  create,     // Create the file if it is missing.
  existing,   // Error `file_missing` if it is missing.
  read_only,  // As existing, and no appends and no projecting. Works where nothing can be written.
};

// Who moves events from the log to the read tables.
enum class Engine {
  threads,  // A background thread, from opening to closing.
  stepped,  // The caller: by step(), and inside every wait. One thread; needed for a VirtualClock.
  off,      // Nobody here. Another process or a later opening does.
};

// Something that an operator may want to know. `message` is one line.
struct Notice {
  // How much it matters.
  enum class Level { debug, info, warning, error };
  Level level;
  std::string message;
};

// Everything that a store is told.
struct StoreOptions {
  std::filesystem::path file = {};  // To be given. On a local disk: the write-ahead log needs shared memory.
  OpenMode mode = OpenMode::create;
  Upgrade upgrade = Upgrade::copy;  // What to do with a file of an older format.
  Engine engine = Engine::threads;
  // The application's projections; unchanged while the store is open.
  std::vector<std::shared_ptr<const Projection>> projections = {};
  std::vector<Upcaster> upcasters = {};  // How old forms of its events become new ones; see upcaster.hpp.
  KnownForms forms = {};                 // Schema versions of types without upcasters.

  // These change what is promised.
  Durability durability = Durability::power_loss;
  Duration busy_timeout = std::chrono::seconds{5};  // For the turn to write, against other processes; 0 to a day.
  ProjectorOptions projector = {};
  BusOptions bus = {};
  // Time; SystemClock if not given. Shared with the application.
  std::shared_ptr<Clock> clock = nullptr;
  // Called on any of the store's threads; must not call the store. The library itself prints nothing.
  std::function<void(const Notice&)> on_notice = {};
  // Likewise called for whatever happens to an event; see trace.hpp. What they throw goes no further.
  std::function<void(const Trace&)> on_trace = {};
};

// Where a projector dies; see Store::crash_projector.
enum class CrashPoint {
  now,             // At once: what has arrived and is not applied is lost.
  before_offsets,  // On the next batch: its rows are committed, and its offsets and acknowledgements are not.
};

// What log verification found.
struct Verification {
  std::int64_t events = 0;
  std::int64_t streams = 0;
  std::vector<std::string> problems;  // Empty: all is well. At most verify_problems_max are named.
};
inline constexpr std::size_t verify_problems_max = 100;

// A finished backup.
struct Backup {
  Position head;  // The last event in it.
  std::int64_t bytes = 0;
};

// Told now and then during long work: how many events of how many are done. Return false to stop.
using Progress = std::function<bool(std::int64_t done, std::int64_t total)>;

// An open store. Opening and closing it cost some milliseconds; have one a file, for as long as the application runs.
class Store {
 public:
  // Opens the file; waits up to busy_timeout for others who write. Events not projected yet are carried on with.
  explicit Store(StoreOptions options);

  ~Store();  // As close(), without the error.
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const std::filesystem::path& file() const;  // Its absolute name.
  [[nodiscard]] EventLog& log();  // Where commands append and replays read. Valid as long as the store.

  // For consumers of your own beside the projector. Delivery is at least once: what they do has to be idempotent.
  [[nodiscard]] Bus& bus();
  [[nodiscard]] Clock& clock();                  // That of the options, or the system's.
  [[nodiscard]] StoreIdentity identity() const;  // As it stands in the file.

  // Waits as the request asks, up to request.timeout, and then opens a Reading. Where another process projects, it
  // looks every few milliseconds; in a callback of the projector and in the body of EventLog::write() it does not wait.
  // An unknown projection is `invalid`.
  [[nodiscard]] Reading read(const ReadRequest& request);

  // Being told of events, and of changed read tables; see subscription.hpp. Without a callback the news wait for
  // Subscription::take(). A bound that is broken and an unknown projection are `invalid`.
  [[nodiscard]] Subscription<EventBatch> subscribe_to_events(EventsRequest request, OnNews<EventBatch> callback = {},
                                                             Post post = {});
  [[nodiscard]] Subscription<Changes> subscribe_to_changes(ChangesRequest request, OnNews<Changes> callback = {},
                                                           Post post = {});

  // Waits until everything that the log holds now is applied, however long its delays are. False: the projector
  // stopped, `cancelled` said so, or what is lacking is another process's or a newer release's to project. Not for
  // callbacks of the projector and the body of EventLog::write(): the process stops with a sentence.
  bool drain(const std::function<bool()>& cancelled = {});

  // Does one bounded piece of the engine's work, if some is due, and tells subscriptions one batch each. False: nothing
  // was due. Engine::stepped only.
  bool step();
  // When step() will have something to do; nothing if that depends on a later append. Engine::stepped only.
  [[nodiscard]] std::optional<Instant> next_step();

  [[nodiscard]] bool is_projecting() const;  // True while this process projects all that the options name.
  // How far those of the options are, in their order. Reading only, one that the file does not have is left out.
  [[nodiscard]] std::vector<ProjectionStatus> projections();

  // Lets the projector die as if its process had been killed, for demonstrations and for tests of what follows. Nothing
  // is projected until restart_projector(). Not for Engine::off.
  void crash_projector(CrashPoint point);
  void restart_projector();

  // Makes a projection's tables again from the log, in batches, while the old ones answer; then swaps them in one
  // transaction. Events that fail are tried again and handled as StoreOptions::projector says; OnFailure::stop is
  // `projection_failed`. Returns false if `progress` stopped it: nothing has changed then, as after an exception.
  // Blocks for as long as it takes. Throws `busy` if another rebuild of this file goes on past `busy_timeout`.
  bool rebuild(std::string_view projection, const Progress& progress = {});

  // Of the projections of this store, in their order; of each in position order. An unknown projection is `invalid`,
  // here and in the next two.
  [[nodiscard]] std::vector<DeadLetter> dead_letters(const DeadLetterChoice& choice = {});

  // Applies dead letters, those of one stream in their order, each in one transaction with its removal, so once. One
  // that fails stays, with its attempts and reason brought up to date, and so do those behind it; other streams go on.
  // One that is chosen without the first of its stream has to wait for it and stays as it is. Checkpoints do not move.
  // Returns how many were applied; fewer than there were if `progress` stopped it.
  std::int64_t retry_dead_letters(const DeadLetterChoice& choice = {}, const Progress& progress = {});

  // Leaves their effect out for good and lets the stream's later events through; a rebuild by the same rules leaves
  // them out as well, and verify() expects it so. Rules with a raised schema version get every event again. Returns how
  // many they were.
  std::int64_t discard_dead_letters(const DeadLetterChoice& choice);

  // Reads the whole file: positions and versions without gaps, checksums, and read tables equal to a replay of what
  // they have applied. Others may write meanwhile; one moment is verified.
  [[nodiscard]] Verification verify(const Progress& progress = {});

  // Copies the store as it is at one moment into `file`, while others write. The copy is whole in that one file and
  // appears under its name when it is safe on the disk; it has the permissions of the store's file, the store's id, and
  // an epoch of its own, another one each time it is restored. A file that is there already is `io`, or replaced;
  // another backup to it at the same time is `busy`. Nothing: `progress`, told in pages, has stopped it; nothing is
  // left behind then, as after an exception.
  [[nodiscard]] std::optional<Backup> backup(const std::filesystem::path& file,
                                             ExistingFile existing = ExistingFile::refuse,
                                             const Progress& progress = {});

  // Ends the projector, the subscriptions, then the log, and reports what the destructor would swallow. Whoever is in
  // read() or drain() on another thread is woken with `closed`. Once more: waits for the first one.
  void close();

 private:
  friend class Session;  // It counts itself.
  void count_sessions(int change);
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Versions of Freshet and SQLite and how they were built, one a line.
[[nodiscard]] std::string build_description();

}  // namespace freshet
