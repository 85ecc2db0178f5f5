// One look at each projection's row.
#include "store/remainder.hpp"

namespace freshet::store {

RemainderLook::RemainderLook(EngineDriver& engine, std::span<const std::shared_ptr<const Projection>> projections,
                             Position head)
    : engine_(engine), projections_(projections), head_(head) {
  for (const auto& projection : projections_) refusals_.push_back(engine_.refusals(projection->name()));
  engine_.ask_for_leases();
}

Remainder RemainderLook::operator()(sqlite::Connection& connection) const {
  Remainder remainder = Remainder::nothing;
  for (std::size_t index = 0; index < projections_.size(); ++index) {
    const Projection& projection = *projections_[index];
    const auto applied = projection::applied_through(connection, projections_.subspan(index, 1), head_);
    if (applied == projection::Applied::all) continue;
    // Refused after all of this was in the log, so the holder will see it.
    const bool is_refused =
        !engine_.is_projecting(projection.name()) && engine_.refusals(projection.name()) != refusals_[index];
    if (applied == projection::Applied::lacking && !is_refused) return Remainder::ours;
    remainder = Remainder::of_others;
  }
  return remainder;
}

}  // namespace freshet::store
