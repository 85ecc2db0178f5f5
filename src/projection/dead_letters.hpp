// The table of dead letters: events that a projection could not apply, and later ones of their streams.
//
// Who changes them counts up the projection's revision in the same transaction; by that a projector in
// another process learns of it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "freshet/projection.hpp"
#include "sqlite/connection.hpp"

namespace freshet::projection {

// Why an event is set aside that has not failed itself.
inline constexpr const char* follows_a_dead_letter = "an earlier event of its stream is a dead letter";

struct Letter {
  Position position;
  std::int64_t stream = 0;
  int attempts = 0;
  std::string reason = {};
};

// In the caller's write transaction. Does nothing for an event that is discarded.
void insert_dead_letter(sqlite::Connection& connection, std::int64_t projection, const Letter& letter, Timestamp at);

// The streams that take no more events, because one of theirs is a dead letter.
[[nodiscard]] std::set<std::int64_t> load_dead_streams(sqlite::Connection& connection, std::int64_t projection);

// The events whose effect is left out on purpose, or those that wait for an operator.
enum class Letters { discarded, waiting };
[[nodiscard]] std::set<Position> load_letters(sqlite::Connection& connection, std::int64_t projection, Letters which);

// Removes all dead letters but the discarded ones among `kept`.
void delete_dead_letters(sqlite::Connection& connection, std::int64_t projection, const std::set<Position>& kept);

// How many there are; of one stream if it is given.
[[nodiscard]] std::int64_t count_dead_letters(sqlite::Connection& connection, std::int64_t projection,
                                              std::optional<std::int64_t> stream);

// One projection's dead letters in position order; of the choice's fields, its projection is not looked at.
[[nodiscard]] std::vector<DeadLetter> find_dead_letters(sqlite::Connection& connection, std::string_view name,
                                                        std::int64_t projection, const DeadLetterChoice& choice);

// Marks them as left out on purpose, in the caller's write transaction. Returns how many they were.
std::int64_t discard_dead_letters(sqlite::Connection& connection, std::int64_t projection,
                                  const DeadLetterChoice& choice, Timestamp now);

}  // namespace freshet::projection
