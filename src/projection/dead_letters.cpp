// The SQL of the dead letters.
#include "projection/dead_letters.hpp"

namespace freshet::projection {
namespace {

// ?1 is the projection's number; ?2 and ?3 name a stream and ?4 a position, or are NULL.
constexpr const char* chosen =
    " WHERE d.projection = ?1 AND d.discarded_at IS NULL AND (?4 IS NULL OR d.position = ?4) AND "
    "(?2 IS NULL OR d.stream = (SELECT number FROM streams WHERE category = ?2 AND id = ?3))";

std::int64_t microseconds(Timestamp time) {
  return time.time_since_epoch().count();
}

// Binds what `chosen` asks for. The choice is borrowed until the statement has run.
struct Parameters {
  explicit Parameters(const DeadLetterChoice& choice) {
    if (choice.stream) {
      category = std::string_view{choice.stream->category};
      id = std::string_view{choice.stream->id};
    }
    if (choice.position) position = choice.position->value;
  }
  Value category = nullptr;
  Value id = nullptr;
  Value position = nullptr;
};

}  // namespace

void insert_dead_letter(sqlite::Connection& connection, std::int64_t projection, const Letter& letter, Timestamp at) {
  sqlite::Run(connection.statement("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING"),
              projection, letter.position.value, letter.stream, std::int64_t{letter.attempts},
              std::string_view{letter.reason}, microseconds(at))
      .finish();
}

std::set<std::int64_t> load_dead_streams(sqlite::Connection& connection, std::int64_t projection) {
  std::set<std::int64_t> streams;
  sqlite::Run run(connection.statement("SELECT DISTINCT stream FROM dead_letters WHERE projection = ? AND "
                                       "discarded_at IS NULL"),
                  projection);
  while (run.next()) streams.insert(run.integer(0));
  return streams;
}

std::set<Position> load_letters(sqlite::Connection& connection, std::int64_t projection, Letters which) {
  std::set<Position> letters;
  sqlite::Run run(connection.statement("SELECT position FROM dead_letters WHERE projection = ? AND "
                                       "(discarded_at IS NOT NULL) = ? ORDER BY position"),
                  projection, std::int64_t{which == Letters::discarded});
  while (run.next()) letters.insert(letters.end(), Position{run.integer(0)});
  return letters;
}

void delete_dead_letters(sqlite::Connection& connection, std::int64_t projection, const std::set<Position>& kept) {
  sqlite::Run(connection.statement("DELETE FROM dead_letters WHERE projection = ? AND discarded_at IS NULL"),
              projection)
      .finish();
  for (const Position position : load_letters(connection, projection, Letters::discarded)) {
    if (kept.contains(position)) continue;
    sqlite::Run(connection.statement("DELETE FROM dead_letters WHERE projection = ? AND position = ?"), projection,
                position.value)
        .finish();
  }
}

std::int64_t count_dead_letters(sqlite::Connection& connection, std::int64_t projection,
                                std::optional<std::int64_t> stream) {
  sqlite::Run run(connection.statement("SELECT count(*) FROM dead_letters WHERE projection = ?1 AND "
                                       "(?2 IS NULL OR stream = ?2) AND discarded_at IS NULL"),
                  projection, stream ? Value{*stream} : Value{nullptr});
  return run.next() ? run.integer(0) : 0;
}

std::vector<DeadLetter> find_dead_letters(sqlite::Connection& connection, std::string_view name,
                                          std::int64_t projection, const DeadLetterChoice& choice) {
  const Parameters parameters(choice);
  sqlite::Run run(
      connection.statement("SELECT d.position, s.category, s.id, e.version, e.type, d.attempts, d.reason, d.at FROM "
                           "dead_letters d JOIN events e ON e.position = d.position JOIN streams s ON "
                           "s.number = d.stream" +
                           std::string(chosen) + " ORDER BY d.position"),
      projection, parameters.category, parameters.id, parameters.position);
  std::vector<DeadLetter> letters;
  while (run.next()) {
    letters.push_back({.projection = std::string(name),
                       .position = Position{run.integer(0)},
                       .stream = {std::string(run.text(1)), std::string(run.text(2))},
                       .version = Version{run.integer(3)},
                       .type = std::string(run.text(4)),
                       .attempts = static_cast<int>(run.integer(5)),
                       .reason = std::string(run.text(6)),
                       .at = Timestamp{Duration{run.integer(7)}}});
  }
  return letters;
}

std::int64_t discard_dead_letters(sqlite::Connection& connection, std::int64_t projection,
                                  const DeadLetterChoice& choice, Timestamp now) {
  const Parameters parameters(choice);
  sqlite::Run(connection.statement("UPDATE dead_letters AS d SET discarded_at = ?5" + std::string(chosen)), projection,
              parameters.category, parameters.id, parameters.position, microseconds(now))
      .finish();
  const std::int64_t discarded = connection.integer("SELECT changes()");
  if (discarded == 0) return 0;
  sqlite::Run(connection.statement("UPDATE projections SET revision = revision + 1 WHERE number = ?"), projection)
      .finish();
  return discarded;
}

}  // namespace freshet::projection
