// Read transactions that are kept open between reads: beginning one costs more than a small read does. One is
// used again only if nobody has committed since it began, so that a read never sees less for it.
//
// While one is open the space of the write-ahead log cannot be used again. So those that nobody uses are let go
// before this process writes, and now and then in any case.
//
// Threads: any; a Snapshot is one thread's at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.hpp"
#include "projection/catalog.hpp"
#include "sqlite/commit_mark.hpp"
#include "sqlite/pool.hpp"

namespace freshet::query {

// One state of the file, and what was looked up in it already.
class Snapshot {
 public:
  explicit Snapshot(sqlite::Pool& pool);

  [[nodiscard]] sqlite::Connection& connection() { return *connection_; }
  [[nodiscard]] bool is_current() const;

  // The log's last position.
  [[nodiscard]] Position head() const { return head_; }
  // The projection's row; nothing if it is not registered.
  [[nodiscard]] const std::optional<projection::Entry>& entry(const std::string& projection);
  // Whether any projection has dead letters.
  [[nodiscard]] bool has_dead_letters() const { return has_dead_letters_; }

 private:
  sqlite::Pool::Loan connection_;
  std::optional<sqlite::CommitMark> mark_;
  sqlite::Transaction transaction_;
  Position head_;
  bool has_dead_letters_;
  std::map<std::string, std::optional<projection::Entry>> entries_;
};

class Snapshots {
 public:
  enum class Keep { some, none };
  // With Keep::none each is gone when its read is over: for where nobody calls let_go().
  Snapshots(sqlite::Pool& pool, Keep keep) : pool_(pool), keep_(keep) {}

  // Gives the snapshot back at the end of its life.
  struct GiveBack {
    Snapshots* snapshots;
    void operator()(Snapshot* snapshot) const { snapshots->take_back(std::unique_ptr<Snapshot>(snapshot)); }
  };
  using Loan = std::unique_ptr<Snapshot, GiveBack>;

  // The file as it is now.
  [[nodiscard]] Loan borrow();

  // Ends those that nobody uses.
  void let_go();

 private:
  // Threads that read at one moment, for the most part.
  static constexpr std::size_t idle_max = 4;

  void take_back(std::unique_ptr<Snapshot> snapshot);

  sqlite::Pool& pool_;
  Keep keep_;
  Guarded<std::vector<std::unique_ptr<Snapshot>>> idle_;
};

}  // namespace freshet::query
