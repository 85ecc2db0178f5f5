// Which projections a process projects: those whose lease it holds. There is one for each projection and schema
// version, so that releases and applications with different rules each make what only they can.
//
// Threads: one at a time, except as said.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/lease.hpp"
#include "projection/catalog.hpp"

namespace freshet::projection {

class Leases {
 public:
  // Nothing is touched before acquire(). `catalog` outlives this.
  Leases(const std::filesystem::path& store, const Catalog& catalog);

  // Asks for those that are lacking, and does not wait. True: there is one more than before.
  bool acquire();
  void release();
  // A newer release has made the tables: what it asks for is another lease, and this one is of no more use.
  void leave(std::size_t index);

  [[nodiscard]] bool lacks_some() const;
  [[nodiscard]] bool holds(std::size_t index) const { return parts_[index].is_held; }
  // Without projections nobody else can be in the way.
  [[nodiscard]] bool may_work() const;

  // Of any thread:
  [[nodiscard]] bool holds_all() const;
  [[nodiscard]] bool holds(std::string_view projection) const;
  // How often this one was asked for in vain.
  [[nodiscard]] std::uint64_t refusals(std::string_view projection) const;

 private:
  struct Part {
    Part(std::string_view projection, const std::filesystem::path& store, const std::string& kind)
        : name(projection), lease(store, kind) {}

    std::string_view name;
    Lease lease;
    std::atomic<bool> is_held = false;
    std::atomic<std::uint64_t> refusals = 0;
    bool is_left = false;  // To a newer release, for good.
  };
  [[nodiscard]] const Part* find(std::string_view projection) const;

  std::deque<Part> parts_;  // In the catalog's order.
};

// The process that projects these rows, be it this one; nothing if none does, or if that cannot be found out.
[[nodiscard]] std::optional<std::int64_t> holder_of(const std::filesystem::path& store, const Entry& entry,
                                                    std::int64_t own_schema_version);

}  // namespace freshet::projection
