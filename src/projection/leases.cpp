// One lock file for each projection.
#include "projection/leases.hpp"

#include <algorithm>
#include <string>

#include "base/deliberate_bug.hpp"

namespace freshet::projection {
namespace {

// The number is the projection's in the file, which is short where its name may be anything.
std::string name_of(std::int64_t number, std::int64_t schema_version) {
  return "lease-" + std::to_string(number) + "-" + std::to_string(schema_version);
}

}  // namespace

Leases::Leases(const std::filesystem::path& store, const Catalog& catalog) {
  for (const Registered& registered : catalog) {
    parts_.emplace_back(registered.projection->name(), store,
                        name_of(registered.number, registered.projection->schema_version()));
  }
}

bool Leases::acquire() {
  bool more = false;
  for (Part& part : parts_) {
    if (part.is_held || part.is_left) continue;
    const bool follows = deliberately(Bug::one_lease_for_all) && &part != &parts_.front() && !parts_.front().is_held;
    if (!follows && part.lease.acquire()) {
      part.is_held = more = true;
    } else {
      ++part.refusals;
    }
  }
  return more;
}

void Leases::release() {
  for (Part& part : parts_) {
    part.is_held = false;
    part.lease.release();
  }
}

void Leases::leave(std::size_t index) {
  Part& part = parts_[index];
  part.is_left = true;
  part.is_held = false;
  part.lease.release();
}

bool Leases::lacks_some() const {
  return std::ranges::any_of(parts_, [](const Part& part) { return !part.is_held && !part.is_left; });
}

bool Leases::may_work() const {
  return parts_.empty() || std::ranges::any_of(parts_, [](const Part& part) { return part.is_held.load(); });
}

bool Leases::holds_all() const {
  return std::ranges::all_of(parts_, [](const Part& part) { return part.is_held.load(); });
}

const Leases::Part* Leases::find(std::string_view projection) const {
  const auto found = std::ranges::find(parts_, projection, &Part::name);
  return found == parts_.end() ? nullptr : &*found;
}

bool Leases::holds(std::string_view projection) const {
  const Part* const part = find(projection);
  return part != nullptr && part->is_held;
}

std::uint64_t Leases::refusals(std::string_view projection) const {
  const Part* const part = find(projection);
  return part == nullptr ? 0 : part->refusals.load();
}

std::optional<std::int64_t> holder_of(const std::filesystem::path& store, const Entry& entry,
                                      std::int64_t own_schema_version) {
  return Lease(store, name_of(entry.number, std::max(entry.schema_version, own_schema_version))).holder();
}

}  // namespace freshet::projection
