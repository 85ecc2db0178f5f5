// The store: one file, its log, its bus, its projector and its read tables, opened together.
//
// Threads: every method may be called from any thread, except as said of Engine::stepped. Several
// processes may open one file; one of them projects (whoever holds the lease, a lock that the system
// drops when its owner dies), and the others take over when it is gone.
//
// Failure: methods throw Error.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "freshet/bus.hpp"
#include "freshet/clock.hpp"
#include "freshet/event_log.hpp"
#include "freshet/projection.hpp"
#include "freshet/query.hpp"
#include "freshet/trace.hpp"

namespace freshet {

enum class OpenMode {
  create,     // Create the file if it is missing.
  existing,   // Error `file_missing` if it is missing.
  read_only,  // As existing, and nothing is written: no appends and no projecting.
};

// Who moves events from the log to the read tables.
enum class Engine {
  threads,  // A background thread, from opening to closing.
  stepped,  // The caller: by step(), and inside every wait. One thread; needed for a VirtualClock.
  off,      // Nobody here. Another process or a later opening does.
};

// Something that an operator may want to know. `message` is one line.
struct Notice {
  enum class Level { debug, info, warning, error };
  Level level;
  std::string message;
};

struct StoreOptions {
  std::filesystem::path file;
  OpenMode mode = OpenMode::create;
  Engine engine = Engine::threads;
  // The application's projections; unchanged while the store is open.
  std::vector<std::shared_ptr<const Projection>> projections = {};

  // These change what is promised.
  Durability durability = Durability::power_loss;
  Duration busy_timeout = std::chrono::seconds{5};  // For the turn to write, against other processes.
  ProjectorOptions projector = {};
  BusOptions bus = {};

  // Time; SystemClock if not given. Shared with the application.
  std::shared_ptr<Clock> clock = nullptr;
  // Called on any of the store's threads; must not call the store. The library itself prints nothing.
  std::function<void(const Notice&)> on_notice = {};
  // Likewise called for whatever happens to an event; see trace.hpp.
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

// Told now and then during long work: how many events of how many are done. Return false to stop.
using Progress = std::function<bool(std::int64_t done, std::int64_t total)>;

class Store {
 public:
  // Opens the file. Events that no projector has applied yet are carried on with.
  explicit Store(StoreOptions options);

  // As close(), without the error.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] EventLog& log();

  // For consumers of your own beside the projector. Delivery is at least once: what they do has to be
  // idempotent.
  [[nodiscard]] Bus& bus();

  [[nodiscard]] Clock& clock();

  // Waits as the request asks and then opens a Reading. Blocks up to request.timeout, woken by the
  // projector; where another process projects, it looks every few milliseconds. An unknown
  // projection is `invalid`.
  [[nodiscard]] Reading read(const ReadRequest& request);

  // Waits until everything that the log holds now is applied, however long its delays are. False: the
  // projector stopped, `cancelled` said so, or this process does not project and another one does.
  bool drain(const std::function<bool()>& cancelled = {});

  // Does one bounded piece of the engine's work, if some is due. False: nothing was due. Engine::stepped
  // only.
  bool step();

  // When step() will have something to do; nothing if that depends on a later append. Engine::stepped only.
  [[nodiscard]] std::optional<Instant> next_step();

  // True while this process is the one that projects.
  [[nodiscard]] bool is_projecting() const;

  [[nodiscard]] std::vector<ProjectionStatus> projections();

  // Lets the projector die as if its process had been killed, for demonstrations and for tests of what
  // follows. Nothing is projected until restart_projector(). Not for Engine::off.
  void crash_projector(CrashPoint point);
  void restart_projector();

  // Makes a projection's tables again from the log, in batches, while the old ones answer; then swaps
  // them in one transaction. Returns false if `progress` stopped it: nothing has changed then. Blocks
  // for as long as it takes. Throws `busy` if another rebuild of this file is going on.
  bool rebuild(std::string_view projection, const Progress& progress = {});

  // Reads the whole file: positions and versions without gaps, checksums, and read tables equal to a
  // replay of what they have applied. Others may write meanwhile; one moment is verified.
  [[nodiscard]] Verification verify(const Progress& progress = {});

  // Ends the projector, then the log, and reports what the destructor would swallow. Whoever waits in
  // read() or drain() on another thread is woken with `closed`.
  void close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Versions of Freshet and SQLite and how they were built, one a line.
[[nodiscard]] std::string build_description();

}  // namespace freshet
