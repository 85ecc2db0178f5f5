// Most of the log is folded beside the appends, and only its newest part under their turn.
#include "store/checkpointer.hpp"

#include <mutex>
#include <system_error>

namespace freshet::store {

bool Checkpointer::note(int pages) {
  if (pages < due_) return pages < pages_ + behind_pages_max;
  pages_ = pages;
  try {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  auto idle = Asked::nothing;
  if (asked_.compare_exchange_strong(idle, Asked::checkpoint)) asked_.notify_one();
  return true;
}

void Checkpointer::stop() {
  asked_ = Asked::stop;
  asked_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::run() {
  try {
    sqlite::Connection connection(options_);
    connection.leave_checkpoint_to_others();
    // One that has read nothing does not know of the write-ahead log.
    static_cast<void>(connection.integer("PRAGMA schema_version"));
    for (; asked_ != Asked::stop; asked_.wait(Asked::nothing)) {
      checkpoint(connection);
      auto done = Asked::checkpoint;
      asked_.compare_exchange_strong(done, Asked::nothing);
    }
  } catch (const Error& error) {
    failed_(error);
  }
}

// The log starts again from its beginning only once all of it is folded, which appends without a pause would never
// let happen: so the little that they have added meanwhile is folded while they wait.
void Checkpointer::checkpoint(sqlite::Connection& connection) {
  int left = connection.checkpoint();
  if (left <= retry_pages) {
    const std::lock_guard turn(turn_);
    left = connection.checkpoint();
  }
  due_ = left == 0 ? sqlite::log_pages_max : pages_ + retry_pages;
}

}  // namespace freshet::store
