// Read transactions that are kept open between reads: beginning one costs more than a small read does. One is
// used again only if nobody has committed since it began, so that a read never sees less for it.
//
// While one is open the space of the write-ahead log cannot be used again. So those that nobody uses are let go
// before this process writes, and as soon as its engine has nothing to do.
//
// Threads: any; a Snapshot is one thread's at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/guarded.hpp"
#include "sqlite/commit_mark.hpp"
#include "sqlite/pool.hpp"

namespace freshet::sqlite {

// One state of the file.
class Snapshot {
 public:
  explicit Snapshot(Pool& pool)
      : connection_(pool.borrow()),
        marks_(connection_->handle()),
        // Before the transaction: if somebody commits in between, this one is not used again.
        mark_(marks_.current()),
        transaction_(*connection_, Transaction::Kind::read) {
    // What is read of a file that nobody can write to any more would be called fresh for ever.
    connection_->check_in_place();
  }

  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] bool is_current() const { return mark_ && mark_ == marks_.current(); }

 private:
  Pool::Loan connection_;
  CommitMarks marks_;
  std::optional<CommitMark> mark_;
  Transaction transaction_;
};

enum class Keep { some, none };

// `Kind` is a Snapshot, or one that remembers what was looked up in it.
template <typename Kind>
class Snapshots {
 public:
  // With Keep::none each is gone when its read is over: for where nobody calls let_go().
  Snapshots(Pool& pool, Keep keep) : pool_(pool), keep_(keep) {}

  // Gives the snapshot back at the end of its life.
  struct GiveBack {
    Snapshots* snapshots;
    void operator()(Kind* snapshot) const { snapshots->take_back(std::unique_ptr<Kind>(snapshot)); }
  };
  using Loan = std::unique_ptr<Kind, GiveBack>;

  // The file as it is now.
  [[nodiscard]] Loan borrow() {
    auto snapshot = take_idle();
    if (snapshot && !snapshot->is_current()) snapshot.reset();
    if (!snapshot) snapshot = std::make_unique<Kind>(pool_);
    return Loan(snapshot.release(), GiveBack{this});
  }

  // Ends those that nobody uses.
  void let_go() {
    std::vector<std::unique_ptr<Kind>> idle;
    idle.swap(*idle_.locked());
  }

 private:
  // Threads that read at one moment, for the most part.
  static constexpr std::size_t idle_max = 4;

  [[nodiscard]] std::unique_ptr<Kind> take_idle() {
    auto idle = idle_.locked();
    if (idle->empty()) return nullptr;
    auto snapshot = std::move(idle->back());
    idle->pop_back();
    return snapshot;
  }

  void take_back(std::unique_ptr<Kind> snapshot) {
    if (keep_ == Keep::none || !snapshot->is_current()) return;
    auto idle = idle_.locked();
    if (idle->size() < idle_max) idle->push_back(std::move(snapshot));
  }

  Pool& pool_;
  Keep keep_;
  Guarded<std::vector<std::unique_ptr<Kind>>> idle_;
};

}  // namespace freshet::sqlite
