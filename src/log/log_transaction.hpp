// One write transaction on the log: versions checked, positions given out, events and command ids
// inserted.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "freshet/bus.hpp"
#include "freshet/clock.hpp"
#include "freshet/event_log.hpp"
#include "log/event_rows.hpp"
#include "log/stream_heads.hpp"
#include "log/upcasting.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/tables.hpp"

namespace freshet::log {

// What the rest of the engine does around an append.
struct Hooks {
  // Applies events to the read tables, inside the transaction that appends them.
  std::function<void(std::span<const Message>)> project;
  // Told that the transaction was undone, project() included.
  std::function<void()> undone;
  // Takes what was committed, in position order, before anybody else can commit.
  std::function<void(std::span<const Message>)> committed;
};

// Throws Error `invalid` if the request breaks a bound of event_log.hpp, or an event is in an old form.
void check_bounds(const Append& request, const Upcasting& upcasting);

class LogTransaction final : public AppendTransaction {
 public:
  // Begins. The caller holds the turn to write from here until the end of this object's life.
  LogTransaction(sqlite::Connection& connection, Clock& clock, const Hooks& hooks, const Upcasting& upcasting,
                 Tables& tables, StreamHeads& heads);

  [[nodiscard]] AppendResult append(const Append& request) override;
  // The same for a request whose bounds were checked before the transaction began.
  [[nodiscard]] AppendResult append_checked(const Append& request);
  [[nodiscard]] std::optional<AppendResult> find_command(std::string_view command_id, const StreamId& stream,
                                                         const CommandIdentity& identity) override;
  [[nodiscard]] std::vector<RecordedEvent> read_stream(const StreamId& stream) override;
  bool import_event(const ExportedEvent& exported) override;
  [[nodiscard]] Tables& tables() override;

  // Commits and hands the events on.
  void commit();

 private:
  [[nodiscard]] AppendResult answer(const Append& request);
  // Of the request's stream, which StreamHeads does not know. Nothing: no event was ever recorded for it.
  [[nodiscard]] std::optional<StreamHeads::Head> find_or_make_head(const Append& request);
  void record(const Append& request, std::int64_t stream_number, Version last);
  void insert_events();

  sqlite::Connection& connection_;
  Clock& clock_;
  const Hooks& hooks_;
  const Upcasting& upcasting_;
  Tables& tables_;
  StreamHeads& heads_;
  sqlite::Transaction transaction_;
  Last last_;
  Timestamp now_;  // As the clock showed when the present append began.
  std::vector<Message> messages_;
  // The later ones are recorded, and wait for others to be inserted with. Where streams end says StreamHeads.
  std::size_t inserted_ = 0;
  std::size_t rows_a_statement_ = rows_a_statement;
  bool spoilt_ = false;  // An append failed halfway.
};

}  // namespace freshet::log
