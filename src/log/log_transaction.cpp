// Appending inside a write transaction.
#include "log/log_transaction.hpp"
#include "base/deliberate_bug.hpp"

#include <algorithm>
#include <utility>

#include "base/deliberate_bug.hpp"
#include "base/ensure.hpp"
#include "base/time_text.hpp"
#include "base/utf8.hpp"
#include "freshet/error.hpp"
#include "log/commands.hpp"
#include "log/foreign_events.hpp"
#include "log/state_snapshots.hpp"

namespace freshet::log {
namespace {

std::string to_text(std::string_view text) {
  return std::string(text);
}
std::string to_text(std::size_t number) {
  return std::to_string(number);
}

// The message is put together only where it is needed.
template <typename... Parts>
void require(bool condition, const Parts&... message) {
  if (!condition) throw Error(ErrorCode::invalid, (to_text(message) + ...));
}

// A time outside could not be exported, or not be read again.
bool is_writable(Timestamp time) {
  return time >= timestamps_from && time < timestamps_until;
}

void check_stream_part(const std::string& part, std::string_view which) {
  require(!part.empty() && part.size() <= stream_part_bytes_max && is_utf8(part), "a stream's ", which, " is 1 to ",
          stream_part_bytes_max, " bytes of UTF-8");
}

void check_event(const NewEvent& event) {
  require(event.schema_version >= 1, "an event's schema version is 1 or more");
  require(!event.type.empty() && event.type.size() <= event_type_bytes_max && is_utf8(event.type),
          "an event's type is 1 to ", event_type_bytes_max, " bytes of UTF-8");
  require(event.data.size() <= event_data_bytes_max && event.metadata.size() <= event_data_bytes_max,
          "an event's data and metadata are at most ", event_data_bytes_max, " bytes each");
  require(
      !event.content_type.empty() && event.content_type.size() <= content_type_bytes_max && is_utf8(event.content_type),
      "an event's content type is 1 to ", content_type_bytes_max, " bytes of UTF-8");
  require((event.content_type != "application/json" || is_utf8(event.data)) && is_utf8(event.metadata),
          "an event's JSON is UTF-8");
  require(is_writable(event.occurred_at.value_or(Timestamp{})), "an event occurred in the years 1678 to 2261");
}

void check_ids(const Correlation& ids) {
  require(is_correlation_id(ids.correlation_id) && is_correlation_id(ids.causation_id),
          "a correlation or causation id is 1 to ", correlation_id_bytes_max, " bytes of UTF-8");
}

void check_snapshot(const StateSnapshot& snapshot, ExpectedVersion expected) {
  require(!snapshot.name.empty() && snapshot.name.size() <= snapshot_name_bytes_max && is_utf8(snapshot.name),
          "a snapshot's name is 1 to ", snapshot_name_bytes_max, " bytes of UTF-8");
  require(expected.kind() == ExpectedVersion::Kind::exactly && expected.version() > Version{},
          "a snapshot is kept with an append that expects exactly its version, from 1");
}

bool expects_no_stream(ExpectedVersion expected) {
  return expected.admits(Version{}) && !expected.admits(Version{1});
}

}  // namespace

void check_bounds(const Append& request, const Upcasting& upcasting) {
  check_stream_part(request.stream.category, "category");
  check_stream_part(request.stream.id, "id");
  require(request.stream.category.find('/') == std::string::npos, "a stream's category holds no '/'");
  require(!request.events.empty() || request.command_id.has_value(),
          "an append without events needs a command id to be remembered under");
  require(request.events.size() <= append_events_max, "an append takes at most ", append_events_max, " events");
  if (request.command_id) {
    require(!request.command_id->empty() && request.command_id->size() <= command_id_bytes_max &&
                is_utf8(*request.command_id),
            "a command id (idempotency key) is 1 to ", command_id_bytes_max, " bytes of UTF-8");
  }
  if (request.identity) {
    const std::string& name = request.identity->name();
    require(!name.empty() && name.size() <= command_name_bytes_max && is_utf8(name), "a command's name is 1 to ",
            command_name_bytes_max, " bytes of UTF-8");
  }
  require(request.outcome.size() <= outcome_bytes_max && is_utf8(request.outcome), "an outcome is UTF-8 of at most ",
          outcome_bytes_max, " bytes");
  if (request.snapshot) check_snapshot(*request.snapshot, request.expected);
  for (const NewEvent& event : request.events) {
    check_event(event);
    upcasting.check_newest(event);
    if (event.correlation) check_ids(*event.correlation);
  }
  if (request.correlation) check_ids(*request.correlation);
}

LogTransaction::LogTransaction(sqlite::Connection& connection, Clock& clock, const Hooks& hooks,
                               const Upcasting& upcasting, Tables& tables, StreamHeads& heads)
    : connection_(connection),
      clock_(clock),
      hooks_(hooks),
      upcasting_(upcasting),
      tables_(tables),
      heads_(heads),
      transaction_(connection, sqlite::Transaction::Kind::write),
      last_(last_of_log(connection)) {
  heads_.begin(last_.position);
}

AppendResult LogTransaction::append(const Append& request) {
  check_bounds(request, upcasting_);
  return append_checked(request);
}

AppendResult LogTransaction::append_checked(const Append& request) {
  transaction_.check_open();
  now_ = clock_.wall_time();
  require(is_writable(now_), "the clock shows a time outside of the years 1678 to 2261: set it");
  const bool spoilt_before = std::exchange(spoilt_, true);
  AppendResult result = answer(request);
  spoilt_ = spoilt_before;
  return result;
}

AppendResult LogTransaction::answer(const Append& request) {
  const auto known = heads_.find(request.stream);
  std::optional<CommandIdentity> identity;
  if (request.command_id) identity = identity_of(request);
  // Otherwise remember() finds a retry, so that a key which is new is looked for once.
  if (identity && !(known && request.expected.admits(known->version))) {
    if (auto again = find_command(*request.command_id, request.stream, *identity)) return *std::move(again);
  }
  const auto head = known ? known : find_or_make_head(request);
  const Version actual = head ? head->version : Version{};
  if (!request.expected.admits(actual)) return Conflict{actual};

  std::optional<std::int64_t> stream_number;
  if (head) stream_number = head->number;
  Appended appended{.stream = request.stream, .first = {}, .last = {}, .version = actual, .outcome = request.outcome};
  if (!request.events.empty()) {
    if (!stream_number) stream_number = make_stream(connection_, request.stream);
    if (!stream_number) throw Error(ErrorCode::corrupt, "a stream is in the log, and no event of it is");
    const auto events = static_cast<std::int64_t>(request.events.size());
    appended.first = Position{last_.position.value + 1};
    appended.last = Position{last_.position.value + events};
    appended.version = Version{actual.value + events};
  }
  if (identity && !remember(connection_, {.id = *request.command_id,
                                          .stream_number = stream_number,
                                          .answer = appended,
                                          .identity = identity->kept()})) {
    auto first = log::find_command(connection_, *request.command_id);
    if (!deliberately(Bug::key_of_its_stream) || first->answer.stream == request.stream) {
      return answer_again(*std::move(first), request.stream, *identity);
    }
  }
  if (request.snapshot) {
    insert_events();
    keep_snapshot(connection_, *stream_number, *request.snapshot);
  }
  if (!request.events.empty()) {
    record(request, *stream_number, actual);
    heads_.set(request.stream, {*stream_number, appended.version});
    if (request.projecting == Projecting::synchronous) {
      insert_events();
      hooks_.project(std::span(messages_).last(request.events.size()));
    }
  }
  return appended;
}

std::optional<StreamHeads::Head> LogTransaction::find_or_make_head(const Append& request) {
  // Mostly it is right that there is no stream, and then it need not be looked for before it is made.
  if (!request.events.empty() && expects_no_stream(request.expected)) {
    if (const auto made = make_stream(connection_, request.stream)) return StreamHeads::Head{*made, {}};
  }
  const auto end = find_stream_end(connection_, request.stream);
  if (!end) return std::nullopt;
  return StreamHeads::Head{end->number, end->version};
}

void LogTransaction::record(const Append& request, std::int64_t stream_number, Version last) {
  // The system's clock may be set back. The times of recording never go back for that; when something happened is told
  // as the clock tells it, or one wrong time would date all that follows.
  last_.recorded_at = std::max(last_.recorded_at, now_);
  const Position append_end{last_.position.value + static_cast<std::int64_t>(request.events.size())};
  for (const NewEvent& event : request.events) {
    ++last_.position.value;
    ++last.value;
    messages_.push_back({.event = std::make_shared<const RecordedEvent>(RecordedEvent{
                             .position = last_.position,
                             .version = last,
                             .stream = request.stream,
                             .stream_number = stream_number,
                             .type = event.type,
                             .schema_version = event.schema_version,
                             .data = event.data,
                             .content_type = event.content_type,
                             .metadata = event.metadata,
                             .occurred_at = event.occurred_at.value_or(now_),
                             .recorded_at = last_.recorded_at,
                             .correlation = event.correlation ? event.correlation : request.correlation,
                             .append_end = deliberately(Bug::append_end_left_out) ? last_.position : append_end}),
                         .published = std::nullopt});
  }
  if (messages_.size() - inserted_ >= rows_a_statement_) insert_events();
}

void LogTransaction::insert_events() {
  const bool spoilt_before = std::exchange(spoilt_, true);
  insert(connection_, std::span(messages_).subspan(inserted_));
  inserted_ = messages_.size();
  spoilt_ = spoilt_before;
}

std::optional<AppendResult> LogTransaction::find_command(std::string_view command_id, const StreamId& stream,
                                                         const CommandIdentity& identity) {
  auto known = log::find_command(connection_, command_id);
  if (!known) return std::nullopt;
  return answer_again(*std::move(known), stream, identity);
}

std::vector<RecordedEvent> LogTransaction::read_stream(const StreamId& stream) {
  const auto is_of_stream = [&](const Message& message) { return message.event->stream == stream; };
  if (std::ranges::any_of(std::span(messages_).subspan(inserted_), is_of_stream)) insert_events();
  auto events = log::read_stream(connection_, stream, Version{}, all_events);
  for (RecordedEvent& event : events) upcasting_.upcast(event);
  return events;
}

bool LogTransaction::import_event(const ExportedEvent& exported) {
  const RecordedEvent& given = exported.event;
  // The bounds are those of an append that would say the same.
  const NewEvent as_new{given.type,     given.schema_version, given.data,       given.content_type,
                        given.metadata, given.occurred_at,    given.correlation};
  const Upcasting any_form({}, {.of_others = freshet::any_form});  // History holds old ones, and newer ones.
  check_bounds({.stream = given.stream,
                .expected = ExpectedVersion::any(),
                .events = {&as_new, 1},
                .command_id = exported.command_id,
                .outcome = exported.outcome},
               any_form);
  require(is_writable(given.recorded_at), "an event was recorded in the years 1678 to 2261");
  require(given.append_end >= given.position &&
              std::cmp_less(given.append_end.value - given.position.value, append_events_max),
          "an append ends at one of its events, of which there are at most ", append_events_max);
  if (exported.identity) {
    const std::string& name = exported.identity->name;
    require(exported.command_id.has_value(), "a command has an idempotency key, or no identity either");
    require(name.size() <= command_name_bytes_max && is_utf8(name), "a command's name is UTF-8 of at most ",
            command_name_bytes_max, " bytes");
  }
  insert_events();
  if (given.position <= last_.position) {
    check_same(connection_, exported);
    return false;
  }
  transaction_.check_open();
  check_next(connection_, exported, last_);
  const bool spoilt_before = std::exchange(spoilt_, true);
  RecordedEvent event = given;
  event.stream_number = insert_foreign(connection_, exported);
  heads_.set(event.stream, {event.stream_number, event.version});
  last_.position = event.position;
  last_.recorded_at = event.recorded_at;
  upcasting_.upcast_or_leave(event);
  messages_.push_back({.event = std::make_shared<const RecordedEvent>(std::move(event)), .published = std::nullopt});
  inserted_ = messages_.size();
  spoilt_ = spoilt_before;
  return true;
}

Tables& LogTransaction::tables() {
  rows_a_statement_ = 1;  // Its statements may read the log at any time from here on.
  insert_events();
  return tables_;
}

void LogTransaction::commit() {
  // Half of an append may be in it, which a body that swallowed the failure does not know.
  if (spoilt_) throw Error(ErrorCode::invalid, "a transaction in which an append has failed cannot be committed");
  insert_events();
  transaction_.commit();
  heads_.committed(last_.position);
  if (!messages_.empty()) hooks_.committed(messages_);
}

}  // namespace freshet::log
