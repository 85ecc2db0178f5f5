// Group commit: of the threads that append at the same time one leads. It takes the turn to write,
// commits what all of them want in one transaction, and wakes the others.
#include "log/sqlite_event_log.hpp"

#include "base/ensure.hpp"
#include "freshet/error.hpp"

namespace freshet::log {

SqliteEventLog::SqliteEventLog(sqlite::Connection* writer, sqlite::Pool& readers, Turn& turn, Clock& clock, Hooks hooks)
    : writer_(writer), readers_(readers), turn_(turn), clock_(clock), hooks_(std::move(hooks)) {}

void SqliteEventLog::check_writable() const {
  if (writer_ == nullptr) throw Error(ErrorCode::read_only, "the store was opened for reading");
  if (closed_) throw Error(ErrorCode::closed, "the event log is closed: open the store again");
}

AppendResult SqliteEventLog::append(const Append& request) {
  check_writable();
  check_bounds(request);
  Pending own{.request = &request};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&own);
  finished_.wait(lock, [&] { return own.done || !leading_; });
  if (!own.done) {
    leading_ = true;
    while (!own.done) {
      lock.unlock();
      commit_group();
      lock.lock();
    }
    leading_ = false;
    finished_.notify_all();
  }
  lock.unlock();
  if (own.error) std::rethrow_exception(own.error);
  return *own.result;
}

void SqliteEventLog::commit_group() {
  // The turn first: while it is waited for, the group grows.
  const std::lock_guard turn(turn_);
  const Group group = take_group();
  run(group);
  const std::lock_guard lock(mutex_);
  for (Pending* pending : group) pending->done = true;
  finished_.notify_all();
}

SqliteEventLog::Group SqliteEventLog::take_group() {
  const std::lock_guard lock(mutex_);
  ensure(!waiting_.empty(), "the leader's own append is waiting");
  Group group;
  while (!waiting_.empty() && group.size() < group_appends_max) {
    group.push_back(waiting_.front());
    waiting_.pop_front();
  }
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
  LogTransaction transaction(*writer_, clock_, hooks_);
  for (Pending* pending : group) pending->result = transaction.append_checked(*pending->request);
  transaction.commit();
}

void SqliteEventLog::close_if_unknown(const Error& error) {
  if (error.code() == ErrorCode::io || error.code() == ErrorCode::disk_full || error.code() == ErrorCode::corrupt) {
    closed_ = true;
  }
}

void SqliteEventLog::write(const std::function<void(AppendTransaction&)>& body) {
  check_writable();
  const std::lock_guard turn(turn_);
  check_writable();
  try {
    LogTransaction transaction(*writer_, clock_, hooks_);
    body(transaction);
    transaction.commit();
  } catch (const Error& error) {
    hooks_.undone();
    close_if_unknown(error);
    throw;
  } catch (...) {
    hooks_.undone();
    throw;
  }
}

std::optional<Appended> SqliteEventLog::find_command(std::string_view command_id) const {
  return log::find_command(*readers_.borrow(), command_id);
}

Position SqliteEventLog::head() const {
  return last_of_log(*readers_.borrow()).position;
}

Version SqliteEventLog::version(const StreamId& stream) const {
  const auto connection = readers_.borrow();
  const auto number = find_stream(*connection, stream);
  return number ? last_of_stream(*connection, *number).version : Version{};
}

std::vector<RecordedEvent> SqliteEventLog::read_all(Position after, std::size_t events_max) const {
  return log::read_all(*readers_.borrow(), after, events_max);
}

std::vector<RecordedEvent> SqliteEventLog::read_stream(const StreamId& stream, Version after,
                                                       std::size_t events_max) const {
  return log::read_stream(*readers_.borrow(), stream, after, events_max);
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
      return actual != Version{};
    case Kind::exactly:
      return actual == version_;
  }
  ensure(false, "an expectation is one of its kinds");
  return false;
}

}  // namespace freshet
