// Group commit: of the threads that append at the same time one leads. It takes the turn to write,
// commits what all of them want in one transaction, wakes the others, and hands the lead on. Where the first
// in the queue is an append without a waiting thread, the log's own thread leads.
#include "log/sqlite_event_log.hpp"

#include <memory>
#include <utility>

#include "base/deliberate_bug.hpp"
#include "base/ensure.hpp"
#include "base/thread.hpp"
#include "freshet/error.hpp"
#include "log/commands.hpp"
#include "log/foreign_events.hpp"
#include "log/reading.hpp"
#include "log/state_snapshots.hpp"

namespace freshet::log {

SqliteEventLog::SqliteEventLog(sqlite::Connection* writer, Snapshots& snapshots, Turn& turn, Clock& clock, Gate& gate,
                               const Upcasting& upcasting, Hooks hooks, Engine engine)
    : writer_(writer),
      snapshots_(snapshots),
      turn_(turn),
      clock_(clock),
      gate_(gate),
      upcasting_(upcasting),
      hooks_(std::move(hooks)),
      engine_(engine) {
  if (writer_ != nullptr) tables_.emplace(*writer_, "", sqlite::may_write_own);
}

void SqliteEventLog::check_writable() const {
  if (writer_ == nullptr) throw Error(ErrorCode::read_only, "the store was opened for reading");
  if (!closed_) return;
  const std::string failure = *failure_.locked();
  throw Error(ErrorCode::closed, "the event log is closed" + (failure.empty() ? "" : " after a failure: " + failure) +
                                     ": open the store again");
}

AppendResult SqliteEventLog::append(const Append& request) {
  const Gate::Visit visit(gate_);
  turn_.check_not_held_here();
  check_writable();
  check_bounds(request, upcasting_);
  Blocking own(request);
  // Who is called to lead is the first in the queue, and so in the next group.
  if (join(own) || own.wait() == Call::Reason::lead) {
    lead();
    ensure(own.wait() == Call::Reason::done, "the leader's own append is in its group");
  }
  if (own.error) std::rethrow_exception(own.error);
  return std::move(*own.result);
}

std::future<AppendResult> SqliteEventLog::append_async(const Append& request) {
  const Gate::Visit visit(gate_);
  turn_.check_not_held_here();
  if (engine_ == Engine::stepped) {
    std::promise<AppendResult> answered;
    answered.set_value(append(request));
    return answered.get_future();
  }
  check_writable();
  check_bounds(request, upcasting_);
  auto promised = std::make_unique<Promised>(request, call_);
  auto future = promised->future();
  {
    std::unique_lock lock(mutex_);
    promised_fewer_.wait(lock, [&] { return promised_ < appends_in_flight_max; });
    if (!committer_.joinable()) {
      committer_ = start_thread<std::thread>([this] { lead_for_promises(); });
    }
    ++promised_;
  }
  // Destroys itself when it is finished.
  if (join(*promised.release())) call_.make(Call::Reason::lead);
  return future;
}

void SqliteEventLog::lead_for_promises() {
  while (call_.wait() == Call::Reason::lead) {
    gather();
    lead();
  }
}

// Who was answered just now may be about to ask again, and a moment's patience saves an fsync. Half of the last
// group is waited for and no more, so that it ends when there is less to do.
void SqliteEventLog::gather() {
  std::unique_lock lock(mutex_);
  const Instant deadline = clock_.now() + gather_time_max;
  while (waiting_.size() < last_group_ / 2 && clock_.now() < deadline) clock_.wait_until(gathered_, lock, deadline);
}

void SqliteEventLog::close() {
  closed_ = true;
  std::thread committer;
  {
    std::unique_lock lock(mutex_);
    promised_fewer_.wait(lock, [&] { return promised_ == 0; });
    committer = std::move(committer_);
  }
  if (!committer.joinable()) return;
  call_.make(Call::Reason::done);
  committer.join();
}

bool SqliteEventLog::join(Pending& pending) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(&pending);
  if (waiting_.size() == last_group_ / 2) gathered_.notify_one();
  return !std::exchange(leading_, true);
}

void SqliteEventLog::lead() {
  const std::size_t kept = commit_group();
  const std::lock_guard lock(mutex_);
  promised_ -= kept;
  if (kept > 0) promised_fewer_.notify_all();
  leading_ = !waiting_.empty();
  if (leading_) waiting_.front()->call_to_lead();
}

std::size_t SqliteEventLog::commit_group() {
  Group group;
  {
    // The turn first: while it is waited for, the group grows.
    const std::lock_guard turn(turn_);
    group = take_group();
    run(group);
  }
  std::size_t promised = 0;
  for (Pending* pending : group) {
    if (pending->is_promised()) ++promised;
    pending->finish();
  }
  return promised;
}

SqliteEventLog::Group SqliteEventLog::take_group() {
  const std::lock_guard lock(mutex_);
  ensure(!waiting_.empty(), "the leader's own append is waiting");
  Group group;
  while (!waiting_.empty() && group.size() < group_appends_max) {
    group.push_back(waiting_.front());
    waiting_.pop_front();
  }
  last_group_ = group.size();
  return group;
}

void SqliteEventLog::run(const Group& group) {
  try {
    transact(group);
    return;
  } catch (const Error& error) {
    hooks_.undone();
    close_if_unknown(error);
    // Busy, all of them have waited for the turn of another process, and each of them would once more.
    if (group.size() == 1 || closed_ || error.code() == ErrorCode::busy) {
      // A copy for each thread, which shares it with no other.
      for (Pending* pending : group) pending->error = std::make_exception_ptr(Error(error.code(), error.what()));
      return;
    }
  } catch (...) {
    hooks_.undone();
    if (group.size() == 1) {
      group.front()->error = std::current_exception();
      return;
    }
  }
  // One of them spoilt it for all (a projection that throws, say): each for itself then.
  for (Pending* pending : group) run({pending});
}

void SqliteEventLog::transact(const Group& group) {
  check_writable();
  LogTransaction transaction(*writer_, clock_, hooks_, upcasting_, *tables_, heads_);
  for (Pending* pending : group) pending->result = transaction.append_checked(pending->request());
  transaction.commit();
}

void SqliteEventLog::close_if_unknown(const Error& error) {
  const ErrorCode code = error.code();
  // Not a database any more: its first page is damaged.
  if (code == ErrorCode::io || code == ErrorCode::disk_full || code == ErrorCode::corrupt ||
      code == ErrorCode::not_a_database) {
    end_with(error);
  }
}

void SqliteEventLog::end_with(const Error& error) {
  if (auto failure = failure_.locked(); failure->empty()) *failure = error.what();
  closed_ = true;
}

void SqliteEventLog::write(const std::function<void(AppendTransaction&)>& body) {
  const Gate::Visit visit(gate_);
  check_writable();
  const std::lock_guard turn(turn_);
  check_writable();
  try {
    LogTransaction transaction(*writer_, clock_, hooks_, upcasting_, *tables_, heads_);
    try {
      body(transaction);
    } catch (...) {
      writer_->rethrow_trouble();
      throw;
    }
    transaction.commit();
  } catch (const sqlite::Failure& failure) {
    hooks_.undone();
    close_if_unknown(failure);
    throw;
  } catch (...) {
    hooks_.undone();  // What the body itself has thrown says nothing about the file.
    throw;
  }
}

void SqliteEventLog::export_events(const std::function<bool(const ExportedEvent&)>& take) const {
  const Gate::Visit visit(gate_);
  log::export_events(snapshots_.borrow()->connection(), take);
}

std::optional<AppendResult> SqliteEventLog::find_command(std::string_view command_id, const StreamId& stream,
                                                         const CommandIdentity& identity) const {
  const Gate::Visit visit(gate_);
  auto known = log::find_command(snapshots_.borrow()->connection(), command_id);
  if (!known) return std::nullopt;
  return answer_again(*std::move(known), stream, identity);
}

Position SqliteEventLog::head() const {
  const Gate::Visit visit(gate_);
  return last_of_log(snapshots_.borrow()->connection()).position;
}

Version SqliteEventLog::version(const StreamId& stream) const {
  const Gate::Visit visit(gate_);
  return find_stream_end(snapshots_.borrow()->connection(), stream).value_or(StreamEnd{}).version;
}

std::vector<RecordedEvent> SqliteEventLog::read(const LogRequest& request) const {
  const Gate::Visit visit(gate_);
  auto events = log::read(snapshots_.borrow()->connection(), request).events;
  if (request.form == EventForm::recorded) return events;
  for (RecordedEvent& event : events) upcasting_.upcast(event);
  return events;
}

std::vector<RecordedEvent> SqliteEventLog::read_for_bus(Position after, std::size_t events_max) const {
  auto events = log::read_all(snapshots_.borrow()->connection(), after, events_max);
  for (RecordedEvent& event : events) upcasting_.upcast_or_leave(event);
  return events;
}

std::vector<RecordedEvent> SqliteEventLog::read_stream(const StreamId& stream, Version after,
                                                       std::size_t events_max) const {
  const Gate::Visit visit(gate_);
  auto events = log::read_stream(snapshots_.borrow()->connection(), stream, after, events_max);
  for (RecordedEvent& event : events) upcasting_.upcast(event);
  return events;
}

std::optional<KeptSnapshot> SqliteEventLog::find_snapshot(const StreamId& stream, std::string_view name,
                                                          int schema) const {
  const Gate::Visit visit(gate_);
  return log::find_snapshot(snapshots_.borrow()->connection(), stream, name, schema);
}

}  // namespace freshet::log

namespace freshet {

bool ExpectedVersion::admits(Version actual) const {
  switch (kind_) {
    case Kind::any:
      return true;
    case Kind::none:
      return actual == Version{};
    case Kind::exists:
      return actual != Version{} || deliberately(Bug::exists_admits_all);
    case Kind::exactly:
      return actual == version_;
  }
  ensure(false, "an expectation is one of its kinds");
  return false;
}

}  // namespace freshet
