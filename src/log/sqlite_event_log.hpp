// The event log on SQLite: appends committed in groups, reads beside them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <vector>

#include "freshet/error.hpp"
#include "log/log_transaction.hpp"
#include "log/turn.hpp"
#include "sqlite/pool.hpp"

namespace freshet::log {

class SqliteEventLog final : public EventLog {
 public:
  // All of these outlive the log; `writer` is used only under the turn.
  SqliteEventLog(sqlite::Connection* writer, sqlite::Pool& readers, Turn& turn, Clock& clock, Hooks hooks);

  [[nodiscard]] AppendResult append(const Append& request) override;
  void write(const std::function<void(AppendTransaction&)>& body) override;
  [[nodiscard]] std::optional<Appended> find_command(std::string_view command_id) const override;
  [[nodiscard]] Position head() const override;
  [[nodiscard]] Version version(const StreamId& stream) const override;
  [[nodiscard]] std::vector<RecordedEvent> read_all(Position after, std::size_t events_max) const override;
  [[nodiscard]] std::vector<RecordedEvent> read_stream(const StreamId& stream, Version after,
                                                       std::size_t events_max) const override;

  // Every later append throws `closed`.
  void close() { closed_ = true; }

 private:
  // Appends of one group; more would make the first of them wait for the last.
  static constexpr std::size_t group_appends_max = 1'024;

  // An append whose caller waits.
  struct Pending {
    const Append* request;
    std::optional<AppendResult> result = std::nullopt;
    std::exception_ptr error = nullptr;
    bool done = false;
  };
  using Group = std::vector<Pending*>;

  void commit_group();
  [[nodiscard]] Group take_group();
  void run(const Group& group);
  void transact(const Group& group);
  void check_writable() const;
  // After some failures it is unknown what reached the disk; then nothing more is written.
  void close_if_unknown(const Error& error);

  sqlite::Connection* writer_;
  sqlite::Pool& readers_;
  Turn& turn_;
  Clock& clock_;
  Hooks hooks_;
  std::atomic<bool> closed_ = false;

  std::mutex mutex_;  // Guards the rest.
  std::condition_variable finished_;
  std::deque<Pending*> waiting_;
  bool leading_ = false;
};

}  // namespace freshet::log
