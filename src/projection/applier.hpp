// Applies events to every projection exactly once, whoever brings them and however often: the
// projector from the bus, or an append inside its own transaction.
//
// Rows and progress are written in the transaction that the caller has open: load(), then apply() as
// often as needed, then save(), then the caller commits. After a rollback: forget().
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <set>
#include <stdexcept>
#include <string>

#include "freshet/event.hpp"
#include "projection/catalog.hpp"
#include "projection/progress.hpp"
#include "projection/read_tables.hpp"

namespace freshet::projection {

// A projection threw on an event. The transaction cannot be used any more.
struct ApplyFailure : std::runtime_error {
  ApplyFailure(const Registered& registered, const RecordedEvent& event, const std::string& why);
  std::int64_t projection;
  Position position;
  std::int64_t stream;
  std::string reason;
};

// Runs a projection's rules on one event, in the write transaction that the connection has open. Whatever they throw is
// an ApplyFailure, and so are a transaction that a statement of theirs has undone and a deferred key that they leave
// open, with which nothing could be committed. Trouble of the store itself, as SQLite has reported it, is thrown as it
// is, whatever the rules made of it.
void apply(const Registered& registered, const RecordedEvent& event, ReadTables& tables,
           sqlite::Connection& connection);

// The same in a savepoint of its own, so that a failure undoes this event and nothing before it; it is returned. After
// one that has undone the transaction, nothing of that is left.
[[nodiscard]] std::optional<ApplyFailure> apply_alone(const Registered& registered, const RecordedEvent& event,
                                                      ReadTables& tables, sqlite::Connection& connection);

// What to do with an event besides applying it.
enum class Verdict {
  apply,
  hold,  // Not now.
  bury,  // Never again: it becomes a dead letter.
};
struct Judgement {
  Verdict verdict = Verdict::apply;
  int attempts = 0;  // For a dead letter.
  std::string reason = {};
};
using Judge = std::function<Judgement(std::int64_t projection, std::int64_t stream, Position position)>;

// A delivery that was held somewhere comes again; that is no duplicate where it was taken the first time.
enum class Coming { first, again };

// Told of each event that a projection has taken, or had taken before; the transaction is still open.
enum class Taken { applied, skipped };
using OnTaken = std::function<void(Taken taken, std::string_view projection, const RecordedEvent& event)>;

// What to do about tables that a newer release has made meanwhile, which the rules here would spoil.
enum class Newer {
  refuse,  // Throw `unsupported_format`.
  leave,   // Leave that projection out.
};

class Applier {
 public:
  Applier(sqlite::Connection& connection, const Catalog& catalog, Newer newer, OnTaken on_taken = {});

  // From here on only these are applied to, by their place in the catalog; without it, all of them are.
  void choose(const std::function<bool(std::size_t index)>& chosen);

  // The places of the chosen ones that are left out, because a newer release has made their tables.
  [[nodiscard]] std::vector<std::size_t> left() const;

  // Reads how far each projection is. Cheap when nobody else has changed that since the last save().
  void load(Timestamp now);

  // Applies the event to each projection that has not had it, after any earlier events of its stream
  // that are still missing there. False: it was held somewhere, and has to come again.
  bool apply(const RecordedEvent& event, const Judge& judge, Coming coming = Coming::first);

  // If every projection has had the event, as far as is known since the last load(): counts it as a duplicate, and
  // needs no transaction for that. The count is written by the next save().
  [[nodiscard]] bool skip(const RecordedEvent& event, Coming coming = Coming::first);

  void save();
  void forget();

  [[nodiscard]] bool has_skipped() const;
  // Duplicates that skip() has counted since the last save(). Of any thread.
  [[nodiscard]] std::int64_t skipped(std::int64_t projection) const;

  [[nodiscard]] bool has(std::int64_t projection, Position position) const;

  // Some projection has a dead letter of this stream, and takes no more of its events.
  [[nodiscard]] bool is_dead(std::int64_t stream) const;

  // One projection's rules have changed and its tables are not made again yet; it is left out here.
  [[nodiscard]] bool has_outdated() const;

 private:
  struct State {
    State(sqlite::Connection& connection, Registered of) : registered(std::move(of)), tables(connection, "") {}

    Registered registered;
    ReadTables tables;
    Entry entry;
    Progress progress;
    std::set<std::int64_t> dead_streams;  // Those with a dead letter.
    bool chosen = true;
    bool loaded = false;
    bool active = false;  // It is applied to.
    bool left = false;
    bool changed = false;
    std::atomic<std::int64_t> skipped = 0;
  };

  void load(State& state, const Entry& entry);
  // False: held.
  bool apply(State& state, const RecordedEvent& event, const Judge& judge);
  void bury(State& state, const RecordedEvent& event, int attempts, const std::string& reason);
  [[nodiscard]] std::vector<RecordedEvent> missing_before(const State& state, const RecordedEvent& event);
  void save(State& state);

  sqlite::Connection& connection_;
  const Newer newer_;
  OnTaken on_taken_;
  std::list<State> states_;
  Timestamp now_;
};

}  // namespace freshet::projection
