// Reading events for an export, and checking and inserting those of an import.
#include "log/foreign_events.hpp"

#include <algorithm>

#include "base/ensure.hpp"
#include "base/time_text.hpp"
#include "freshet/error.hpp"
#include "log/commands.hpp"

namespace freshet::log {
namespace {

// Events in memory at a time.
constexpr std::size_t slice_events_max = 500;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid, why);
}

std::string name(const StreamId& stream) {
  return "'" + stream.category + "/" + stream.id + "'";
}

// The commands that recorded events, in the order of these.
class Commands {
 public:
  explicit Commands(sqlite::Connection& connection)
      // Every column, since the last two are not there in a file of format 3.
      : statement_(connection.statement("SELECT * FROM commands WHERE first > 0 ORDER BY first")),
        run_(statement_),
        has_more_(run_.next()) {}

  // Adds the event's command, if it has one. Positions are asked for in rising order.
  void add_to(ExportedEvent& exported) {
    const std::int64_t position = exported.event.position.value;
    while (has_more_ && run_.integer(4) < position) has_more_ = run_.next();
    if (!has_more_ || run_.integer(3) > position) return;
    exported.command_id = std::string(run_.text(0));
    exported.outcome = std::string(run_.text(6));
    exported.identity = identity_in(statement_, 7);
  }

 private:
  sqlite::Statement& statement_;
  sqlite::Run run_;
  bool has_more_;
};

// The first thing in which two events differ; nothing if they are the same.
const char* difference(const RecordedEvent& held, const RecordedEvent& given) {
  if (held.stream != given.stream) return "stream";
  if (held.version != given.version) return "version";
  if (held.type != given.type) return "type";
  if (held.schema_version != given.schema_version) return "schema version";
  if (held.content_type != given.content_type) return "content type";
  if (held.data != given.data) return "data";
  if (held.metadata != given.metadata) return "metadata";
  if (held.occurred_at != given.occurred_at) return "time of occurrence";
  if (held.recorded_at != given.recorded_at) return "time of recording";
  if (held.correlation != given.correlation) return "correlation";
  if (held.append_end != given.append_end) return "append";
  return nullptr;
}

// One that was recorded under format 3, here or there, tells nothing to compare.
bool is_of_same_command(const KnownCommand& command, const ExportedEvent& exported) {
  return !command.identity || !exported.identity || *command.identity == *exported.identity;
}

// A command's events stand side by side, so one that is known can only go on with the next position.
bool goes_on(const KnownCommand& command, const ExportedEvent& exported) {
  const Appended& answer = command.answer;
  return answer.first > Position{} && answer.stream == exported.event.stream &&
         answer.last.value + 1 == exported.event.position.value && is_of_same_command(command, exported);
}

}  // namespace

void export_events(sqlite::Connection& connection, const std::function<bool(const ExportedEvent&)>& take) {
  Commands commands(connection);
  Position after;
  while (true) {
    auto events = read_all(connection, after, slice_events_max);
    if (events.empty()) return;
    after = events.back().position;
    for (RecordedEvent& event : events) {
      ExportedEvent exported{.event = std::move(event)};
      commands.add_to(exported);
      if (!take(exported)) return;
    }
  }
}

void check_same(sqlite::Connection& connection, const ExportedEvent& exported) {
  const Position position = exported.event.position;
  if (position < Position{1}) refuse("positions count from 1");
  const auto held = read_all(connection, Position{position.value - 1}, 1);
  if (held.empty()) throw Error(ErrorCode::corrupt, "the log has a gap at position " + std::to_string(position.value));
  const std::string other = "the log holds another event at position " + std::to_string(position.value) + ": its ";
  if (const char* differing = difference(held.front(), exported.event)) refuse(other + differing + " differs");
  if (!exported.command_id) return;
  const auto command = find_command(connection, *exported.command_id);
  if (!command || position < command->answer.first || position > command->answer.last) {
    refuse(other + "idempotency key differs");
  }
  if (!is_of_same_command(*command, exported)) refuse(other + "command differs");
}

void check_next(sqlite::Connection& connection, const ExportedEvent& exported, const Last& last) {
  const RecordedEvent& event = exported.event;
  if (event.position.value != last.position.value + 1) {
    refuse("position " + std::to_string(event.position.value) + " does not follow position " +
           std::to_string(last.position.value) + ", the last one of the log");
  }
  const Version actual = find_stream_end(connection, event.stream).value_or(StreamEnd{}).version;
  if (event.version.value != actual.value + 1) {
    refuse("version " + std::to_string(event.version.value) + " of " + name(event.stream) +
           " does not follow version " + std::to_string(actual.value) + ", the last one of the log");
  }
  if (event.recorded_at < last.recorded_at) {
    refuse("it was recorded at " + format_timestamp(event.recorded_at) + ", before the event at position " +
           std::to_string(last.position.value));
  }
  if (!exported.command_id) return;
  const auto command = find_command(connection, *exported.command_id);
  if (command && !goes_on(*command, exported)) {
    refuse("the idempotency key '" + *exported.command_id + "' was used for something else");
  }
}

std::int64_t insert_foreign(sqlite::Connection& connection, const ExportedEvent& exported) {
  RecordedEvent event = exported.event;
  const auto known = find_stream(connection, event.stream);
  event.stream_number = known ? *known : *make_stream(connection, event.stream);
  insert(connection, event);
  if (!exported.command_id) return event.stream_number;
  auto& statement = connection.statement(
      "INSERT INTO commands VALUES (?1, ?2, NULL, ?3, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE "
      "SET last = excluded.last, version = excluded.version");
  sqlite::Run run(statement, std::string_view{*exported.command_id}, event.stream_number, event.position.value,
                  event.version.value, std::string_view{exported.outcome});
  bind_identity(statement, 6, exported.identity);
  run.finish();
  return event.stream_number;
}

}  // namespace freshet::log
