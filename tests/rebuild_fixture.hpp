// A store with more events than one batch of a rebuild, and rules of several releases.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <utility>

#include "engine_fixture.hpp"

namespace freshet::tests {

// More than fit into one batch of a rebuild, so that it has a middle.
inline constexpr std::size_t many = 2'500;

inline StoreOptions with_rules(const std::filesystem::path& file, int schema_version, BusOptions bus = {}) {
  StoreOptions options = stepped(file, std::move(bus));
  options.projections.front() = std::make_shared<Totals>(schema_version);
  return options;
}

// A store with `many` events of the amount 1, all applied.
inline void fill(const std::filesystem::path& file) {
  Store store(stepped(file));
  append_many(store, "a", many);
  run_until_idle(store);
}

}  // namespace freshet::tests
