// The SQL of the log's tables, and the checksum of an event.
#include "log/event_rows.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"

namespace freshet::log {
namespace {

constexpr std::string_view json_content_type = "application/json";

constexpr std::string_view select_of_log =
    "SELECT e.position, e.version, e.stream, e.type, e.schema_version, e.data, e.content_type, e.metadata, "
    "e.occurred_at, e.recorded_at, e.checksum, s.category, s.id FROM events e JOIN streams s ON s.number = e.stream "
    "WHERE e.position ";
constexpr std::string_view above_position = "> ? ORDER BY e.position";
constexpr std::string_view below_position = "< ? ORDER BY e.position DESC";
// The same columns in the same order, but for the stream's name, which is known.
constexpr std::string_view select_of_stream =
    "SELECT position, version, stream, type, schema_version, data, content_type, metadata, occurred_at, recorded_at, "
    "checksum FROM events WHERE stream = (SELECT number FROM streams WHERE category = ? AND id = ?) AND version ";
constexpr std::string_view above_version = "> ? ORDER BY version";
constexpr std::string_view below_version = "< ? ORDER BY version DESC";

template <const std::string_view& select, const std::string_view& where>
constexpr auto joined_letters = [] {
  std::array<char, select.size() + where.size()> letters{};
  std::ranges::copy(where, std::ranges::copy(select, letters.begin()).out);
  return letters;
}();
template <const std::string_view& select, const std::string_view& where>
constexpr std::string_view joined{joined_letters<select, where>.data(), joined_letters<select, where>.size()};

// Room that is made for events before it is known how many there are.
constexpr std::size_t events_expected = 4;

constexpr int columns = 11;  // Of the table.
constexpr std::string_view one_row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

Timestamp timestamp(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

StreamId stream_in(const sqlite::Statement& row) {
  return {std::string(row.text(11)), std::string(row.text(12))};
}

RecordedEvent event_in(const sqlite::Statement& row, Position position, Version version, StreamId stream) {
  return {.position = position,
          .version = version,
          .stream = std::move(stream),
          .stream_number = row.integer(2),
          .type = std::string(row.text(3)),
          .schema_version = static_cast<int>(row.integer(4)),
          .data = std::string(row.text(5)),
          .content_type = std::string(row.is_null(6) ? json_content_type : row.text(6)),
          .metadata = std::string(row.text(7)),
          .occurred_at = timestamp(row.integer(8)),
          .recorded_at = timestamp(row.integer(9))};
}

bool is_intact(const RecordedEvent& event, const sqlite::Statement& row) {
  return checksum(event) == row.integer(10);
}

void check_intact(const RecordedEvent& event, const sqlite::Statement& row) {
  if (is_intact(event, row)) return;
  throw Error(ErrorCode::corrupt,
              "the event at position " + std::to_string(event.position.value) + " is damaged: its checksum differs");
}

// What a checksum is taken of. Most events fit into the buffer, and to hash that at once gives the same as to hash it
// in parts, for a third of the work.
class Fed {
 public:
  void add(const void* bytes, std::size_t size) {
    if (!state_ && size <= buffer_.size() - size_) {
      std::memcpy(buffer_.data() + size_, bytes, size);
      size_ += size;
      return;
    }
    if (!state_) {
      XXH3_64bits_reset(&state_.emplace());
      XXH3_64bits_update(&*state_, buffer_.data(), size_);
    }
    XXH3_64bits_update(&*state_, bytes, size);
  }
  [[nodiscard]] std::uint64_t hash() const {
    return state_ ? XXH3_64bits_digest(&*state_) : XXH3_64bits(buffer_.data(), size_);
  }

 private:
  std::array<char, 1'024> buffer_;
  std::size_t size_ = 0;
  std::optional<XXH3_state_t> state_;
};

// Of a failure the transaction is undone. So SQLite need not be able to undo one statement of several rows (which is
// its default, ABORT), and copies no pages for that.
constexpr std::string_view insert_into = "INSERT OR FAIL INTO events VALUES ";
constexpr std::string_view between_rows = ", ";

template <std::size_t rows>
constexpr auto insert_letters = [] {
  std::array<char, insert_into.size() + rows * one_row.size() + (rows - 1) * between_rows.size()> letters{};
  auto* end = std::ranges::copy(insert_into, letters.begin()).out;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row > 0) end = std::ranges::copy(between_rows, end).out;
    end = std::ranges::copy(one_row, end).out;
  }
  return letters;
}();

template <std::size_t rows>
constexpr std::string_view insert_rows{insert_letters<rows>.data(), insert_letters<rows>.size()};

void bind(sqlite::Statement& statement, std::size_t row, const RecordedEvent& event) {
  int parameter = static_cast<int>(row) * columns;
  statement.bind(++parameter, event.position.value);
  statement.bind(++parameter, event.stream_number);
  statement.bind(++parameter, event.version.value);
  statement.bind(++parameter, std::string_view{event.type});
  statement.bind(++parameter, std::int64_t{event.schema_version});
  if (event.content_type == json_content_type) {
    statement.bind(++parameter, std::string_view{event.data});
    statement.bind_null(++parameter);
  } else {
    statement.bind_blob(++parameter, event.data);
    statement.bind(++parameter, std::string_view{event.content_type});
  }
  if (event.metadata.empty()) {
    statement.bind_null(++parameter);
  } else {
    statement.bind(++parameter, std::string_view{event.metadata});
  }
  statement.bind(++parameter, std::int64_t{event.occurred_at.time_since_epoch().count()});
  statement.bind(++parameter, std::int64_t{event.recorded_at.time_since_epoch().count()});
  statement.bind(++parameter, checksum(event));
}

}  // namespace

Last last_of_log(sqlite::Connection& connection) {
  sqlite::Run run(connection.statement("SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1"));
  if (!run.next()) return {};
  return {.position = Position{run.integer(0)}, .recorded_at = timestamp(run.integer(1))};
}

// Both name only what the index of streams holds, so that the table of events is not looked at.
std::optional<StreamEnd> find_stream_end(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run run(connection.statement("SELECT e.stream, e.position, e.version FROM streams s CROSS JOIN events e "
                                       "ON e.stream = s.number WHERE s.category = ? AND s.id = ? "
                                       "ORDER BY e.version DESC LIMIT 1"),
                  std::string_view{stream.category}, std::string_view{stream.id});
  if (!run.next()) return std::nullopt;
  return StreamEnd{run.integer(0), Position{run.integer(1)}, Version{run.integer(2)}};
}

StreamEnd end_of_stream(sqlite::Connection& connection, std::int64_t number) {
  sqlite::Run run(connection.statement("SELECT position, version FROM events WHERE stream = ? "
                                       "ORDER BY version DESC LIMIT 1"),
                  number);
  if (!run.next()) return {number, {}, {}};
  return {number, Position{run.integer(0)}, Version{run.integer(1)}};
}

Position position_of(sqlite::Connection& connection, std::int64_t stream, Version version) {
  sqlite::Run run(connection.statement("SELECT position FROM events WHERE stream = ? AND version = ?"), stream,
                  version.value);
  if (run.next()) return Position{run.integer(0)};
  throw Error(ErrorCode::corrupt, "there is no event at version " + std::to_string(version.value) + " of stream " +
                                      std::to_string(stream) + ", where one must be");
}

Version version_at(sqlite::Connection& connection, std::int64_t stream, Position position) {
  if (position < Position{1}) return {};
  const StreamEnd end = end_of_stream(connection, stream);
  if (end.position <= position) return end.version;
  // Both rise together, without gaps in the versions.
  std::int64_t below = 0;
  for (std::int64_t above = end.version.value; above - below > 1;) {
    const std::int64_t middle = below + (above - below) / 2;
    (position_of(connection, stream, Version{middle}) <= position ? below : above) = middle;
  }
  return Version{below};
}

std::optional<std::int64_t> find_stream(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run run(connection.statement("SELECT number FROM streams WHERE category = ? AND id = ?"),
                  std::string_view{stream.category}, std::string_view{stream.id});
  if (!run.next()) return std::nullopt;
  return run.integer(0);
}

std::optional<std::int64_t> make_stream(sqlite::Connection& connection, const StreamId& stream) {
  sqlite::Run(connection.appending("INSERT INTO streams (category, id) VALUES (?, ?) ON CONFLICT DO NOTHING"),
              std::string_view{stream.category}, std::string_view{stream.id})
      .finish();
  if (connection.rows_changed() == 0) return std::nullopt;
  return connection.last_inserted();
}

std::int64_t checksum(const RecordedEvent& event) {
  static_assert(std::endian::native == std::endian::little, "numbers are fed as they lie in memory");
  const std::array numbers{event.position.value,
                           event.version.value,
                           event.stream_number,
                           std::int64_t{event.schema_version},
                           std::int64_t{event.occurred_at.time_since_epoch().count()},
                           std::int64_t{event.recorded_at.time_since_epoch().count()}};
  const std::array<std::string_view, 6> texts{event.stream.category, event.stream.id, event.type,
                                              event.content_type,    event.metadata,  event.data};
  Fed fed;
  fed.add(numbers.data(), sizeof numbers);
  // Each with its length, so that no two events feed the same bytes.
  for (const std::string_view text : texts) {
    const std::uint64_t size = text.size();
    fed.add(&size, sizeof size);
    fed.add(text.data(), text.size());
  }
  return std::bit_cast<std::int64_t>(fed.hash());
}

EventRows::EventRows(sqlite::Connection& connection, std::int64_t after, std::int64_t until, Direction direction)
    : stream_(nullptr),
      statement_(connection.statement(direction == Direction::backwards ? joined<select_of_log, below_position>
                                                                        : joined<select_of_log, above_position>)),
      run_(statement_, direction == Direction::backwards ? until : after),
      after_(after),
      until_(until),
      direction_(direction),
      last_(direction == Direction::backwards ? until : after) {
  ensure(direction == Direction::forwards || until != no_end, "who reads backwards knows where to begin");
}

EventRows::EventRows(sqlite::Connection& connection, const StreamId& stream, std::int64_t after, std::int64_t until,
                     Direction direction)
    : stream_(&stream),
      statement_(connection.statement(direction == Direction::backwards ? joined<select_of_stream, below_version>
                                                                        : joined<select_of_stream, above_version>)),
      run_(statement_, std::string_view{stream.category}, std::string_view{stream.id},
           direction == Direction::backwards ? until : after),
      after_(after),
      until_(until),
      direction_(direction),
      last_(direction == Direction::backwards ? until : after) {
  ensure(direction == Direction::forwards || until != no_end, "who reads backwards knows where to begin");
}

// Each event is sound by itself; a page that has taken another's place shows in their order, and one that is lost where
// rows end too soon.
bool EventRows::next() {
  const std::int64_t step = direction_ == Direction::backwards ? -1 : 1;
  const std::int64_t end = direction_ == Direction::backwards ? after_ : until_;
  if ((end - last_) * step <= 1) return false;
  if (!statement_.step()) {
    if (end != no_end) fail_without(last_ + step);
    return false;
  }
  const std::int64_t number = statement_.integer(stream_ == nullptr ? 0 : 1);
  if (number - step != last_) fail_without(last_ + step);
  last_ = number;
  return true;
}

std::string_view EventRows::category() const {
  return statement_.text(11);
}

RecordedEvent EventRows::event() const {
  RecordedEvent event =
      stream_ == nullptr ? event_in(statement_, Position{last_}, Version{statement_.integer(1)}, stream_in(statement_))
                         : event_in(statement_, Position{statement_.integer(0)}, Version{last_}, *stream_);
  check_intact(event, statement_);
  return event;
}

void EventRows::fail_without(std::int64_t number) const {
  throw Error(ErrorCode::corrupt, std::string("there is no event at ") +
                                      (stream_ == nullptr ? "position " : "version ") + std::to_string(number) +
                                      ", where one must be");
}

std::vector<RecordedEvent> read_all(sqlite::Connection& connection, Position after, std::size_t events_max) {
  EventRows rows(connection, std::max(after, Position{}).value, EventRows::no_end, Direction::forwards);
  std::vector<RecordedEvent> events;
  while (events.size() < events_max && rows.next()) events.push_back(rows.event());
  return events;
}

std::vector<RecordedEvent> read_versions(sqlite::Connection& connection, const StreamId& stream, Version after,
                                         Version until, std::size_t events_max) {
  EventRows rows(connection, stream, after.value, until.value, Direction::forwards);
  std::vector<RecordedEvent> events;
  while (events.size() < events_max && rows.next()) {
    if (events.empty()) events.reserve(std::min(events_max, events_expected));
    events.push_back(rows.event());
  }
  return events;
}

std::vector<Scanned> scan(sqlite::Connection& connection, Position after, std::size_t events_max) {
  auto& statement = connection.statement(joined<select_of_log, above_position>);
  const sqlite::Run run(statement, after.value);
  std::vector<Scanned> scanned;
  while (scanned.size() < events_max && statement.step()) {
    Scanned& last = scanned.emplace_back(
        event_in(statement, Position{statement.integer(0)}, Version{statement.integer(1)}, stream_in(statement)));
    last.intact = is_intact(last.event, statement);
  }
  return scanned;
}

std::vector<RecordedEvent> read_stream(sqlite::Connection& connection, const StreamId& stream, Version after,
                                       std::size_t events_max) {
  return read_versions(connection, stream, std::max(after, Version{}), Version{EventRows::no_end}, events_max);
}

void insert(sqlite::Connection& connection, const RecordedEvent& event) {
  auto& statement = connection.appending(insert_rows<1>);
  sqlite::Run run(statement);
  bind(statement, 0, event);
  run.finish();
}

void insert(sqlite::Connection& connection, std::span<const Message> messages) {
  for (; messages.size() >= rows_a_statement; messages = messages.subspan(rows_a_statement)) {
    auto& statement = connection.appending(insert_rows<rows_a_statement>);
    sqlite::Run run(statement);
    for (std::size_t row = 0; row < rows_a_statement; ++row) bind(statement, row, *messages[row].event);
    run.finish();
  }
  for (const Message& message : messages) insert(connection, *message.event);
}

}  // namespace freshet::log
