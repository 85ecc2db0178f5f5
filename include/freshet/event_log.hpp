// The event log: one append-only history, in one SQLite file. The log is the truth; everything else in
// the file can be made again from it.
//
// Every event has a Position in the whole log and a Version in its own stream. Both are handed out
// inside the write transaction, and SQLite admits one writer at a time, so position order is commit
// order: whoever has read up to position p will never find a new event at or below p.
//
// Threads: every method may be called from any thread at any time. Appends that meet are committed
// together by one of their threads and share its fsync; reads run beside them. Other processes may use
// the same file.
//
// Failure: methods throw Error. `busy` means that nothing was recorded and a retry may work. If an
// append throws `io`, `disk_full`, `corrupt` or `not_a_database`, what reached the disk is unknown, and
// from then on every append throws `closed`; so it is after an `io` error of the projector or of a
// rebuild. Open the store again to find out what was recorded.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "freshet/command_identity.hpp"
#include "freshet/correlation.hpp"
#include "freshet/event.hpp"
#include "freshet/expected_version.hpp"
#include "freshet/log_request.hpp"
#include "freshet/snapshot.hpp"
#include "freshet/sql.hpp"
#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// What a finished append survives. Choose by the failure you fear.
enum class Durability {
  process_crash,  // Death of the process. A power cut may remove the newest appends, newest first.
  power_loss,     // Loss of power as well. Every append waits for the disk.
};

// When the read tables learn of an append.
enum class Projecting {
  asynchronous,  // Later, by the bus. The append is as quick as it can be.
  synchronous,   // In the append's own transaction, every projection: no staleness window.
};

inline constexpr std::size_t append_events_max = 1'000;        // More would keep other writers waiting for long.
inline constexpr std::size_t command_id_bytes_max = 255;       // The bound of a stream's parts.
inline constexpr std::size_t outcome_bytes_max = 256 * 1'024;  // A note; it has to fit into an export's line.
// Of append_async(): enough to fill a transaction while another one is on its way to the disk.
inline constexpr std::size_t appends_in_flight_max = 1'024;

// One atomic append to one stream: all events are recorded, side by side, or none is.
struct Append {
  StreamId stream;
  ExpectedVersion expected;
  // Up to append_events_max, oldest first. Borrowed for the duration of the call. It may be empty only where there is a
  // command_id: that records the answer to a command that changed nothing, such as a refusal.
  std::span<const NewEvent> events;
  // Makes a retry safe (an idempotency key): a second append of the same command with the same id, even after a
  // restart, records nothing and returns what the first one returned. Of another command, it is KeyReused.
  std::optional<std::string> command_id = std::nullopt;
  // What a command_id belongs to, beside the stream. Not given: the events, with the times that are given, and the
  // correlation. So give it where a retry may come to other events, or to none, as after a decision on the stream.
  std::optional<CommandIdentity> identity = std::nullopt;
  // The application's own note of the answer, kept with the command_id and given back with it: UTF-8, up to
  // outcome_bytes_max.
  std::string outcome = {};
  Projecting projecting = Projecting::asynchronous;
  // Events without ids of their own get these; see correlation.hpp.
  std::optional<Correlation> correlation = std::nullopt;
  // The state that the append was decided on, at the version that `expected` names with exactly(). It is kept in the
  // same transaction, in place of the stream's last one of this name; see snapshot.hpp.
  std::optional<StateSnapshot> snapshot = std::nullopt;
};

// What an append has recorded, or the first one with its command id.
struct Appended {
  StreamId stream;           // Of the first append with this command_id, if this one was a retry.
  Position first;            // 0 where no events were recorded.
  Position last;             // Inclusive. A read with AtLeastPosition{last} sees the append.
  Version version;           // Of the stream, right after the (first) append.
  bool duplicate = false;    // A retry: the answer is the first one's, and nothing was recorded.
  std::string outcome = {};  // As it was noted under the command id.
};

// Another writer was first. This is daily business, so it is a value and not an Error: read what was
// added, decide again, append again.
struct Conflict {
  Version actual;
};

using AppendResult = std::variant<Appended, Conflict, KeyReused>;  // What can be expected of an append.

// An event with the command that it was appended under: all that another log needs to hold it as this one does.
struct ExportedEvent {
  RecordedEvent event;  // Of one that is imported, stream_number is not looked at.
  std::optional<std::string> command_id = std::nullopt;
  std::string outcome = {};                             // The note kept with the command_id.
  std::optional<KeptIdentity> identity = std::nullopt;  // What the command_id belongs to; format 3 did not keep it.
};

inline constexpr std::string_view application_table_prefix = "app_";  // Of the names of an application's own tables.

// Where several appends become one transaction; lives only inside EventLog::write(). Reads see what
// was appended before in the same transaction.
class AppendTransaction {
 public:
  AppendTransaction() = default;
  AppendTransaction(const AppendTransaction&) = delete;
  AppendTransaction& operator=(const AppendTransaction&) = delete;
  virtual ~AppendTransaction() = default;

  // A Conflict records nothing and leaves the transaction usable; so does Error `invalid`. After any other
  // exception write() fails, even if the body goes on.
  [[nodiscard]] virtual AppendResult append(const Append& request) = 0;
  // As EventLog::find_command(), and all of one stream in version order.
  [[nodiscard]] virtual std::optional<AppendResult> find_command(std::string_view command_id, const StreamId& stream,
                                                                 const CommandIdentity& identity) = 0;
  [[nodiscard]] virtual std::vector<RecordedEvent> read_stream(const StreamId& stream) = 0;

  // Records an event of another log as it was recorded there: at its position, with its version, its times
  // and its command id. False: this log holds it already, and nothing changes. Error `invalid` says why it
  // cannot be: it breaks a bound, does not follow what the log holds, or contradicts it.
  virtual bool import_event(const ExportedEvent& exported) = 0;

  // The application's own tables: settings, drafts, whatever is not made from events. What is written here is committed
  // with the appends or undone with them. Make the tables here too, with CREATE TABLE IF NOT EXISTS; their names, and
  // those of views, begin with application_table_prefix, and writing to any other, of the log or of a projection, is
  // Error `invalid`. Every table can be read, and Reading::query() reads these as well. Valid as long as the
  // transaction.
  [[nodiscard]] virtual Tables& tables() = 0;
};

// The log of a store, see Store::log(); it ends with its store.
class EventLog {
 public:
  EventLog() = default;
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  virtual ~EventLog() = default;

  // Returns once the events are as safe as the store's Durability promises; blocks for one fsync or
  // two, and up to the busy timeout while another process writes. A broken bound is Error `invalid`.
  [[nodiscard]] virtual AppendResult append(const Append& request) = 0;

  // As append(), without waiting for it: the future has the result, or the Error, once the events are safe. The
  // request is copied. What one thread asks for is recorded in that order; what meets is committed together by
  // a thread of the log's own. Blocks while appends_in_flight_max are not finished. With Engine::stepped it is
  // append(), and the future is ready.
  [[nodiscard]] virtual std::future<AppendResult> append_async(const Append& request) = 0;

  // Runs `body`, once and on this thread, in one write transaction and commits it; blocks as append(). An exception
  // from `body` undoes all of it and is passed on. Nobody else can write meanwhile: keep it short. Writing in it
  // otherwise than through the transaction is a broken program and stops the process. For imports, and for the
  // application's own tables.
  virtual void write(const std::function<void(AppendTransaction&)>& body) = 0;

  // Hands all events that are committed when the call begins to `take`, in position order, until it returns
  // false. What was answered to commands without events is not among them. While it runs, the space of newer
  // events in the write-ahead log cannot be used again.
  virtual void export_events(const std::function<bool(const ExportedEvent&)>& take) const = 0;

  // What an append of the command is answered, if this id is known: the first answer again, or KeyReused.
  [[nodiscard]] virtual std::optional<AppendResult> find_command(std::string_view command_id, const StreamId& stream,
                                                                 const CommandIdentity& identity) const = 0;

  // The last committed position; 0 in an empty log.
  [[nodiscard]] virtual Position head() const = 0;

  // The stream's last version; 0 if there is no such stream.
  [[nodiscard]] virtual Version version(const StreamId& stream) const = 0;

  // The events that the request asks for, in its direction. Empty: there was none when the call began. Time and memory
  // go by what is found: a category that is rare in a long log costs by its streams, not by the log. For more than fits
  // into memory there is EventRange.
  [[nodiscard]] virtual std::vector<RecordedEvent> read(const LogRequest& request) const = 0;

  // Up to `events_max` events above `after`, in position order.
  [[nodiscard]] std::vector<RecordedEvent> read_all(Position after, std::size_t events_max) const {
    return read({.after = after, .events_max = events_max});
  }

  // Up to `events_max` events of one stream above version `after`, in version order.
  [[nodiscard]] virtual std::vector<RecordedEvent> read_stream(const StreamId& stream, Version after,
                                                               std::size_t events_max) const = 0;

  // The stream's snapshot of this name and schema. Nothing: there is none, it is damaged, or the log has no such
  // version.
  [[nodiscard]] virtual std::optional<KeptSnapshot> find_snapshot(const StreamId& stream, std::string_view name,
                                                                  int schema) const = 0;
};

}  // namespace freshet
