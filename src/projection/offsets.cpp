// Offsets in and out of their table.
#include "projection/offsets.hpp"

namespace freshet::projection {

Offsets load_offsets(sqlite::Connection& connection, std::string_view group) {
  Offsets offsets;
  sqlite::Run run(connection.statement("SELECT position FROM consumer_offsets WHERE consumer_group = ? "
                                       "ORDER BY partition"),
                  group);
  while (run.next()) offsets.push_back(Position{run.integer(0)});
  return offsets;
}

void save_offsets(sqlite::Connection& connection, std::string_view group, const Offsets& offsets) {
  sqlite::Run(connection.statement("DELETE FROM consumer_offsets WHERE consumer_group = ?"), group).finish();
  std::int64_t partition = 0;
  for (const Position position : offsets) {
    sqlite::Run(connection.statement("INSERT INTO consumer_offsets VALUES (?, ?, ?)"), group, partition++,
                position.value)
        .finish();
  }
}

}  // namespace freshet::projection
