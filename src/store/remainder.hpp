// What read tables lack of the log, and who is to apply it: this store, or another that holds a projection's lease.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "projection/catalog.hpp"
#include "store/engine.hpp"

namespace freshet::store {

enum class Remainder {
  nothing,
  ours,       // Some of it is this store's, or it may be so yet.
  of_others,  // Their lease was refused since this began, or a newer release has made the tables.
};

class RemainderLook {
 public:
  // Looks at what is lacking up to `head`. All of these outlive it.
  RemainderLook(EngineDriver& engine, std::span<const std::shared_ptr<const Projection>> projections, Position head);

  [[nodiscard]] Remainder operator()(sqlite::Connection& connection) const;

 private:
  EngineDriver& engine_;
  std::span<const std::shared_ptr<const Projection>> projections_;
  Position head_;
  std::vector<std::uint64_t> refusals_;  // Of each projection's lease, at the beginning.
};

}  // namespace freshet::store
