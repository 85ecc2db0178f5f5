// Folds the write-ahead log into the file on a thread of its own, so that no append has to do it.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "freshet/error.hpp"
#include "log/turn.hpp"
#include "sqlite/connection.hpp"

namespace freshet::store {

class Checkpointer {
 public:
  // `failed` is told, on the thread, of a sync that failed.
  Checkpointer(sqlite::ConnectionOptions options, log::Turn& turn, std::function<void(const Error&)> failed)
      : options_(std::move(options)), turn_(turn), failed_(std::move(failed)) {}
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;
  ~Checkpointer() { stop(); }

  // After a commit, under the turn: the log has this many pages. False: the thread does not keep up, and the commit has
  // to do it. The thread begins when it is first needed.
  [[nodiscard]] bool note(int pages);

  // Ends the thread. Nothing is committed any more.
  void stop();

 private:
  // Pages since the thread was last asked, 64 MB. Beyond it appends pay for the space that they take.
  static constexpr int behind_pages_max = 4 * sqlite::log_pages_max;
  // Before another try, where somebody reads an older state of the file.
  static constexpr int retry_pages = sqlite::log_pages_max / 4;

  enum class Asked { nothing, checkpoint, stop };

  void run();
  void checkpoint(sqlite::Connection& connection);

  sqlite::ConnectionOptions options_;
  log::Turn& turn_;
  std::function<void(const Error&)> failed_;
  std::atomic<Asked> asked_ = Asked::nothing;
  std::atomic<int> pages_ = 0;                    // When it was last asked.
  std::atomic<int> due_ = sqlite::log_pages_max;  // Pages at which to ask again.
  std::thread thread_;
};

}  // namespace freshet::store
