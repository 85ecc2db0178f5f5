// The projector's step: lease, deliveries, one transaction, acknowledgements.
#include "projection/projector.hpp"

#include <algorithm>
#include <mutex>

#include "base/deliberate_bug.hpp"
#include "base/thrown.hpp"
#include "log/event_rows.hpp"
#include "projection/offsets.hpp"

namespace freshet::projection {
namespace {

// The consumer group of the read tables.
constexpr std::string_view group = "projector";

}  // namespace

Projector::Projector(ProjectorContext context)
    : context_(std::move(context)),
      leases_(context_.store, context_.catalog),
      applier_(context_.writer, context_.catalog, Newer::leave, tracer()),
      attempts_(context_.options) {}

bool Projector::step() {
  if (failure() || crashed_) return false;
  try {
    if (crash_point_.load() == CrashPoint::now) {
      die();
      return true;
    }
    return guarded_step();
  } catch (const Error& error) {
    applier_.forget();
    // Another process writes for long; nothing is lost by trying again.
    if (error.code() == ErrorCode::busy) {
      context_.notice(Notice::Level::info, std::string("the projector waits: ") + error.what());
      return false;
    }
    fail(error.what());
  } catch (...) {
    fail(words_of_thrown());
  }
  return false;
}

bool Projector::guarded_step() {
  if (is_to_ask()) take_over();
  if (!projecting_) {
    notice_other_writers();  // Consumers of the application are to hear of them here as well.
    return false;
  }
  const bool rebuilt = rebuild_step();
  release_held_back();
  if (pending_.empty() || lingering_) collect();
  if (pending_.empty()) {
    notice_other_writers();
    commit_offsets_if_due();
    return rebuilt;
  }
  if (lingers()) return rebuilt;
  work();
  return true;
}

bool Projector::is_to_ask() {
  if (!has_begun_) return true;
  if (!leases_.lacks_some()) return false;
  return asked_.exchange(false) || context_.clock.now() >= ask_at_;
}

void Projector::take_over() {
  if (leases_.acquire()) has_begun_ = false;
  ask_at_ = context_.clock.now() + ask_pause;
  if (leases_.lacks_some()) context_.progress.notify();
  if (!has_begun_ && leases_.may_work()) begin();
}

// The offsets are those of all processes that project, each for its own projections. The checkpoints of ours decide:
// what lies below an offset and was not applied here comes again.
void Projector::begin() {
  drop_deliveries();
  applier_.choose([this](std::size_t index) { return leases_.holds(index); });
  committed_offsets_ = load_offsets(context_.connection, group);
  Offsets start = committed_offsets_;
  // A projection may have been away while offsets were committed for the others.
  const Position lowest = lowest_checkpoint();
  if (!deliberately(Bug::offset_before_rows)) {
    for (Position& offset : start) offset = std::min(offset, lowest);
  }
  offsets_committed_at_ = context_.clock.now();
  consumer_ = context_.bus.subscribe({.group = std::string(group),
                                      .committed = std::move(start),
                                      .on_arrival = [&work = context_.work] { work.notify(); }});
  announced_ = {};
  looked_at_.reset();
  notice_other_writers();
  find_outdated();
  has_begun_ = true;
  projecting_ = true;
  trace(Trace::Kind::restarted);
  context_.progress.notify();
}

// Its rules would spoil the new rows. The other projections go on.
void Projector::leave_to_newer() {
  const std::vector<std::size_t> left = applier_.left();
  if (left.empty()) return;
  for (const std::size_t index : left) {
    leases_.leave(index);
    const Registered& registered = context_.catalog[index];
    attempts_.forget_if([&](std::int64_t projection, Position) { return projection == registered.number; });
    context_.notice(Notice::Level::warning, "a newer release made the tables of the projection '" +
                                                std::string(registered.projection->name()) + "', which is left to it");
  }
  applier_.choose([this](std::size_t index) { return leases_.holds(index); });
  context_.progress.notify();
}

Position Projector::lowest_checkpoint() {
  Position lowest = log::last_of_log(context_.connection).position;
  for (std::size_t index = 0; index < context_.catalog.size(); ++index) {
    const Registered& registered = context_.catalog[index];
    const auto entry = find_entry(context_.connection, registered.projection->name());
    if (leases_.holds(index) && entry && !is_outdated(registered, *entry)) lowest = std::min(lowest, entry->checkpoint);
  }
  return lowest;
}

bool Projector::rebuild_step() {
  if (!rebuild_ || context_.clock.now() < next_rebuild_step_) return false;
  try {
    if (rebuild_->step()) {
      next_rebuild_step_ = rebuild_->next_attempt();
      return true;
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unsupported_format) {  // A newer release was faster, and it is left to that.
      rebuild_.reset();
      return false;
    }
    if (error.code() != ErrorCode::busy) {
      rebuild_->abandon();
      throw;
    }
    // The other projections need not wait for whoever is in the way.
    next_rebuild_step_ = std::max(rebuild_->next_attempt(), context_.clock.now() + rebuild_pause);
    context_.notice(Notice::Level::info, std::string("a rebuild waits: ") + error.what());
    return false;
  }
  rebuild_.reset();
  applier_.forget();
  find_outdated();
  context_.progress.notify();
  return true;
}

void Projector::find_outdated() {
  for (std::size_t index = 0; index < context_.catalog.size(); ++index) {
    const Registered& registered = context_.catalog[index];
    const auto entry = find_entry(context_.connection, registered.projection->name());
    // Tables that a newer release has made meanwhile are left to it.
    if (!rebuild_ && leases_.holds(index) && entry && entry->schema_version < registered.projection->schema_version()) {
      rebuild_.emplace(context_.connection, context_.turn, context_.clock, context_.catalog, registered, context_.store,
                       context_.options, context_.read_ahead, Rebuild::Because::outdated);
    }
  }
}

void Projector::collect() {
  if (pending_.empty()) pending_since_ = context_.clock.now();
  for (Delivery& delivery : consumer_->poll(batch_events_max)) {
    announced_ = std::max(announced_, delivery.event->position);
    trace(Trace::Kind::delivered, &delivery);
    if (deliberately(Bug::offset_before_rows)) consumer_->acknowledge(delivery);
    pending_.push_back({std::move(delivery)});
  }
  if (deliberately(Bug::offset_before_rows)) write_offsets();
}

bool Projector::lingers() {
  const Instant now = context_.clock.now();
  const bool may = pending_.size() < linger_events_max && now < pending_since_ + linger_time_max;
  // Set before the look at who waits: whoever begins to wait after that will see it.
  lingering_ = may && context_.turn.is_taken();
  if (const std::uint64_t waits = context_.waits; waits != waits_seen_) {
    waits_seen_ = waits;
    lingers_from_ = now + awaited_time;
  }
  if (now < lingers_from_) lingering_ = false;
  return lingering_;
}

void Projector::notice_other_writers() {
  if (context_.connection.displaced() != nullptr) {
    const std::lock_guard turn(context_.turn);
    context_.connection.check_in_place_and_save_log();
  }
  const auto mark = sqlite::CommitMarks(context_.connection.handle()).current();
  if (mark && mark == looked_at_) return;
  looked_at_ = mark;
  const Position head = log::last_of_log(context_.connection).position;
  if (head <= announced_) return;
  announced_ = head;
  const std::lock_guard turn(context_.turn);
  context_.bus.announce(head);
}

void Projector::work() {
  try {
    skip_duplicates();
    if (!pending_.empty()) apply_batch();
  } catch (const ApplyFailure& failure) {
    applier_.forget();
    note(failure);
  }
  leave_to_newer();
}

// What every projection has had costs no transaction: without it, each append that projects for itself would be
// followed by one for the bus's copy.
void Projector::skip_duplicates() {
  if (crash_point_.load() == CrashPoint::before_offsets) return;
  if (pending_.front().delivery.event->position <= context_.projected_by_appends.load()) {
    const std::lock_guard turn(context_.turn);
    const sqlite::Transaction snapshot(context_.writer, sqlite::Transaction::Kind::read);
    applier_.load(context_.clock.wall_time());
  }
  taken_.clear();
  while (!pending_.empty() && applier_.skip(*pending_.front().delivery.event, pending_.front().coming)) {
    consumer_->acknowledge(pending_.front().delivery);
    pending_.pop_front();
    ++deliveries_since_offsets_;
  }
  tell_taken();
  if (pending_.empty()) commit_offsets_if_due();
}

void Projector::apply_batch() {
  std::vector<Delivery> applied;
  std::vector<Delivery> held;
  {
    const std::lock_guard turn(context_.turn);
    sqlite::Transaction transaction(context_.writer, sqlite::Transaction::Kind::remake);
    taken_.clear();
    applier_.load(context_.clock.wall_time());
    const Instant began = context_.clock.now();
    const Judge judge = [&](std::int64_t projection, std::int64_t stream, Position position) {
      return attempts_.judge(projection, stream, position, began);
    };
    for (const auto& [delivery, coming] : pending_) {
      (applier_.apply(*delivery.event, judge, coming) ? applied : held).push_back(delivery);
      if (context_.clock.now() > began + transaction_time_max) break;
    }
    applier_.save();
    transaction.commit();
  }
  tell_taken();
  if (crash_point_.load() == CrashPoint::before_offsets) {
    die();
    return;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(applied.size() + held.size()));
  for (const Delivery& delivery : applied) consumer_->acknowledge(delivery);
  deliveries_since_offsets_ += static_cast<std::int64_t>(applied.size());
  for (Delivery& delivery : held) held_back_.insert_or_assign(delivery.event->position, std::move(delivery));
  attempts_.forget_if(
      [this](std::int64_t projection, Position position) { return applier_.has(projection, position); });
  if (!deliberately(Bug::waiter_not_woken)) context_.progress.notify();
  commit_offsets_if_due();
}

void Projector::tell_taken() {
  for (Trace& taken : taken_) {
    taken.at = context_.clock.now();
    context_.trace(taken);
  }
}

void Projector::note(const ApplyFailure& failure) {
  const bool last = attempts_.note(failure, context_.clock.now());
  if (last && context_.options.on_failure == OnFailure::stop) {
    fail(failure.what());
    return;
  }
  context_.notice(Notice::Level::warning,
                  std::string(failure.what()) + (last ? "; it is set aside as a dead letter" : "; it is tried again"));
}

void Projector::release_held_back() {
  if (held_back_.empty() || attempts_.next_due().value_or(Instant{}) > context_.clock.now()) return;
  std::vector<Pending> released;
  for (auto& [position, delivery] : held_back_) released.push_back({std::move(delivery), Coming::again});
  pending_.insert(pending_.begin(), released.begin(), released.end());
  held_back_.clear();
}

std::optional<Instant> Projector::next_step() {
  if (failure() || !projecting_) return std::nullopt;
  if (!pending_.empty()) return lingering_ ? pending_since_ + linger_time_max : context_.clock.now();
  auto next = consumer_->next_arrival();
  if (rebuild_) next = std::min(next.value_or(next_rebuild_step_), next_rebuild_step_);
  if (!held_back_.empty()) {
    const Instant due = std::max(attempts_.next_due().value_or(Instant{}), context_.clock.now());
    next = std::min(next.value_or(due), due);
  }
  return next;
}

void Projector::commit_offsets_if_due() {
  if (deliveries_since_offsets_ == 0) return;
  const bool due = deliveries_since_offsets_ >= offsets_deliveries_max ||
                   context_.clock.now() - offsets_committed_at_ >= offsets_age_max;
  if (due) write_offsets();
}

void Projector::write_offsets() {
  deliveries_since_offsets_ = 0;
  offsets_committed_at_ = context_.clock.now();
  const Offsets offsets = consumer_->acknowledged();
  if (offsets == committed_offsets_ && !applier_.has_skipped()) return;
  const std::lock_guard turn(context_.turn);
  sqlite::Transaction transaction(context_.writer, sqlite::Transaction::Kind::remake);
  save_offsets(context_.writer, group, offsets);
  applier_.load(context_.clock.wall_time());
  applier_.save();
  transaction.commit();
  committed_offsets_ = offsets;
  trace(Trace::Kind::offsets_committed);
}

void Projector::step_down() {
  try {
    if (projecting_ && !failure()) write_offsets();
  } catch (const Error& error) {
    // Without them more is delivered again, and skipped as duplicates.
    context_.notice(Notice::Level::debug, std::string("offsets are not committed: ") + error.what());
  }
  drop_memory();
}

void Projector::drop_deliveries() {
  consumer_.reset();
  pending_.clear();
  lingering_ = false;
  held_back_.clear();
  attempts_.clear();
  applier_.forget();
  deliveries_since_offsets_ = 0;
}

void Projector::drop_memory() {
  drop_deliveries();
  rebuild_.reset();
  projecting_ = false;
  has_begun_ = false;
  leases_.release();
}

void Projector::die() {
  drop_memory();
  crash_point_ = std::nullopt;
  crashed_ = true;
  trace(Trace::Kind::crashed);
  context_.progress.notify();
}

void Projector::restart() {
  crashed_ = false;
  context_.work.notify();
}

OnTaken Projector::tracer() {
  if (!context_.trace) return {};
  return [this](Taken taken, std::string_view projection, const RecordedEvent& event) {
    taken_.push_back({.kind = taken == Taken::applied ? Trace::Kind::applied : Trace::Kind::skipped,
                      .at = {},
                      .event = std::make_shared<const RecordedEvent>(event),
                      .projection = std::string(projection)});
  };
}

void Projector::trace(Trace::Kind kind, const Delivery* delivery) const {
  if (!context_.trace) return;
  context_.trace({.kind = kind,
                  .at = context_.clock.now(),
                  .event = delivery == nullptr ? nullptr : delivery->event,
                  .attempt = delivery == nullptr ? 1 : delivery->attempt});
}

// The leases go to whoever may do better: another process, or a newer release.
void Projector::fail(const std::string& reason) {
  drop_memory();
  context_.notice(Notice::Level::error, "the projector has stopped: " + reason);
  *failure_.locked() = reason;
  context_.progress.notify();
}

}  // namespace freshet::projection
