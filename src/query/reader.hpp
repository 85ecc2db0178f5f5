// Reads: wait for the target, then one snapshot with its freshness.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ensure.hpp"
#include "freshet/clock.hpp"
#include "freshet/projection.hpp"
#include "freshet/query.hpp"
#include "query/snapshot.hpp"

namespace freshet::query {

// How a read waits for the projector, wherever that runs.
class Progressing {
 public:
  Progressing() = default;
  Progressing(const Progressing&) = delete;
  Progressing& operator=(const Progressing&) = delete;
  virtual ~Progressing() = default;

  // Counts what was done so far.
  [[nodiscard]] virtual std::uint64_t count() = 0;
  // Returns when something may have been done to these projections after `seen`, or at the deadline.
  virtual void wait(std::uint64_t seen, Instant deadline, std::span<const std::string> projections) = 0;
  // False: the calling thread itself is in the way of what it would wait for.
  [[nodiscard]] virtual bool may_wait() = 0;
  // Whether this store projects it.
  [[nodiscard]] virtual bool is_projecting(std::string_view projection) const = 0;
  // Why nothing will be done any more.
  [[nodiscard]] virtual std::optional<std::string> failure() = 0;
  // Throws `closed` once the store is being closed.
  virtual void check_open() = 0;
};

class Reader {
 public:
  // `rules` are those of this store, in this file, which may not be those that made the rows. All of these outlive the
  // reader.
  Reader(Snapshots& snapshots, Clock& clock, Progressing& progressing,
         std::span<const std::shared_ptr<const Projection>> rules, const std::filesystem::path& store)
      : snapshots_(snapshots), clock_(clock), progressing_(progressing), rules_(rules), store_(store) {}

  [[nodiscard]] Reading read(const ReadRequest& request);

 private:
  // Of those that another store projects: which process that is.
  [[nodiscard]] std::string others(const ReadRequest& request, std::span<const projection::Entry> entries) const;

  Snapshots& snapshots_;
  Clock& clock_;
  Progressing& progressing_;
  std::span<const std::shared_ptr<const Projection>> rules_;
  const std::filesystem::path& store_;
};

}  // namespace freshet::query

namespace freshet {

// A borrowed snapshot, and what is known of it.
class [[gnu::visibility("hidden")]] Reading::State {
 public:
  State(query::Snapshots& snapshots, std::span<const std::shared_ptr<const Projection>> rules)
      : snapshot(snapshots.borrow()), rules_(rules) {
    snapshot->connection().look_again_with([this] { check_tables(); });
  }
  ~State() {
    ensure(!snapshot->connection().has_rows(), "Rows end before the Reading that gave them");
    snapshot->connection().look_again_with({});
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  query::Snapshots::Loan snapshot;
  Freshness freshness;
  std::vector<std::string> warnings;
  bool must_replay = false;
  std::int64_t stream_number = 0;
  bool of_one_stream = false;
  std::vector<projection::Entry> entries;  // Of the request's projections.

 private:
  // Throws `corrupt` where a read table is missing, which no query can help.
  void check_tables() const;

  std::span<const std::shared_ptr<const Projection>> rules_;
};

}  // namespace freshet
