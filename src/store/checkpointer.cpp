// Most of the log is folded beside the appends, and only its newest part under their turn.
#include "store/checkpointer.hpp"

#include <mutex>
#include <utility>

namespace freshet::store {

Checkpointer::Checkpointer(const sqlite::ConnectionOptions& options, log::Turn& turn,
                           std::function<void(const Error&)> failed)
    : connection_(options), turn_(turn), failed_(std::move(failed)) {
  connection_.leave_checkpoint_to_others();
  // A connection that has read nothing does not know of the write-ahead log.
  static_cast<void>(connection_.integer("PRAGMA schema_version"));
  thread_ = std::thread([this] { run(); });
}

Checkpointer::~Checkpointer() {
  asked_ = Asked::stop;
  asked_.notify_one();
  thread_.join();
}

bool Checkpointer::note(int pages) {
  if (pages < due_) return pages < behind_pages_max;
  pages_ = pages;
  auto idle = Asked::nothing;
  if (asked_.compare_exchange_strong(idle, Asked::checkpoint)) asked_.notify_one();
  return pages < behind_pages_max;
}

void Checkpointer::run() {
  while (true) {
    asked_.wait(Asked::nothing);
    if (asked_ == Asked::stop) return;
    try {
      checkpoint();
    } catch (const Error& error) {
      failed_(error);
      return;
    }
    auto done = Asked::checkpoint;
    asked_.compare_exchange_strong(done, Asked::nothing);
  }
}

// The log starts again from its beginning only once all of it is folded, which appends without a pause would never
// let happen: so the little that they have added meanwhile is folded while they wait.
void Checkpointer::checkpoint() {
  int left = connection_.checkpoint();
  if (left <= retry_pages) {
    const std::lock_guard turn(turn_);
    left = connection_.checkpoint();
  }
  due_ = left == 0 ? sqlite::log_pages_max : pages_ + retry_pages;
}

}  // namespace freshet::store
