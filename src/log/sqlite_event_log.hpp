// The event log on SQLite: appends committed in groups, reads beside them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/gate.hpp"
#include "base/guarded.hpp"
#include "freshet/error.hpp"
#include "freshet/store.hpp"
#include "log/log_transaction.hpp"
#include "log/pending.hpp"
#include "log/turn.hpp"
#include "sqlite/failure.hpp"
#include "sqlite/snapshot.hpp"

namespace freshet::log {

using Snapshots = sqlite::Snapshots<sqlite::Snapshot>;

class SqliteEventLog final : public EventLog {
 public:
  // All of these outlive the log; `writer` is used only under the turn. With Engine::stepped no thread is
  // started.
  SqliteEventLog(sqlite::Connection* writer, Snapshots& snapshots, Turn& turn, Clock& clock, Gate& gate,
                 const Upcasting& upcasting, Hooks hooks, Engine engine);
  ~SqliteEventLog() override { close(); }

  [[nodiscard]] AppendResult append(const Append& request) override;
  [[nodiscard]] std::future<AppendResult> append_async(const Append& request) override;
  void write(const std::function<void(AppendTransaction&)>& body) override;
  void export_events(const std::function<bool(const ExportedEvent&)>& take) const override;
  [[nodiscard]] std::optional<AppendResult> find_command(std::string_view command_id, const StreamId& stream,
                                                         const CommandIdentity& identity) const override;
  [[nodiscard]] Position head() const override;
  [[nodiscard]] Version version(const StreamId& stream) const override;
  [[nodiscard]] std::vector<RecordedEvent> read(const LogRequest& request) const override;
  [[nodiscard]] std::vector<RecordedEvent> read_stream(const StreamId& stream, Version after,
                                                       std::size_t events_max) const override;
  [[nodiscard]] std::optional<KeptSnapshot> find_snapshot(const StreamId& stream, std::string_view name,
                                                          int schema) const override;

  // Every later append throws `closed`. Those that are waiting are answered before it returns.
  void close();

  // For the bus, which goes on reading while the store is being closed. An event that cannot be upcast comes as it was
  // written, so that it fails where it is applied, and alone.
  [[nodiscard]] std::vector<RecordedEvent> read_for_bus(Position after, std::size_t events_max) const;

  // Does so if `failure`, of any connection to the file, leaves it unknown what reached the disk, or whether it is the
  // file that has the name. After a failed sync the system may forget what it still had to write, and call the next
  // sync a success.
  void close_after(const sqlite::Failure& failure) {
    if (failure.code() == ErrorCode::io || failure.code() == ErrorCode::closed) end_with(failure);
  }

 private:
  // Appends of one group; more would make the first of them wait for the last.
  static constexpr std::size_t group_appends_max = 1'024;

  // Of the order of an fsync: what it can save.
  static constexpr Duration gather_time_max = std::chrono::microseconds{200};

  using Group = std::vector<Pending*>;

  // True: nobody leads, so whoever joined has to see to it.
  [[nodiscard]] bool join(Pending& pending);
  void lead();
  // How many of the group were promised.
  [[nodiscard]] std::size_t commit_group();
  [[nodiscard]] Group take_group();
  void run(const Group& group);
  void transact(const Group& group);
  void lead_for_promises();
  void gather();
  void check_writable() const;
  // After some failures it is unknown what reached the disk; then nothing more is written.
  void close_if_unknown(const Error& error);
  // From here on appends are refused; the first error is the one that they name.
  void end_with(const Error& error);

  sqlite::Connection* writer_;
  Snapshots& snapshots_;
  Turn& turn_;
  Clock& clock_;
  Gate& gate_;
  const Upcasting& upcasting_;
  Hooks hooks_;
  StreamHeads heads_;                         // Used only under the turn.
  std::optional<sqlite::KeptTables> tables_;  // The application's own; none when reading only.
  mutable Guarded<std::string> failure_;      // Why it is closed, if not by close().
  std::atomic<bool> closed_ = false;

  const Engine engine_;

  std::mutex mutex_;  // Guards the rest.
  std::deque<Pending*> waiting_;
  std::size_t last_group_ = 0;
  std::condition_variable gathered_;
  bool leading_ = false;  // Somebody commits, or was called to.
  std::size_t promised_ = 0;
  std::condition_variable promised_fewer_;
  Call call_;  // Of the thread below, to lead.
  std::thread committer_;
};

}  // namespace freshet::log
