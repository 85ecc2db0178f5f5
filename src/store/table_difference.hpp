// How a read table differs from its replay: how much, and where first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/connection.hpp"

namespace freshet::store {

class TableDifference {
 public:
  // Compares the table in the attached database `store` with the one in `main`, the replay.
  TableDifference(sqlite::Connection& connection, const std::string& table);

  [[nodiscard]] bool is_none() const { return surplus_ == 0 && lacking_ == 0 && repeated_ == 0; }

  // "in the row with category 'order', sum is 78, and the replay gives 77 (rows that differ: 1, ...)". Rows
  // are in the order of their key.
  [[nodiscard]] std::string description() const;

 private:
  struct Row {
    bool is_replayed = false;
    std::vector<std::string> values;  // As they stand in SQL.
  };

  [[nodiscard]] std::int64_t count(const std::string& query) const;
  [[nodiscard]] std::string list_columns(const char* format) const;
  [[nodiscard]] std::vector<Row> first_rows() const;
  [[nodiscard]] bool has_same_key(const Row& left, const Row& right) const;
  [[nodiscard]] std::string named(const Row& row) const;
  [[nodiscard]] std::string first_repeated() const;

  struct Column {
    std::string name;
    bool is_key = false;
  };

  sqlite::Connection& connection_;
  std::string read_;
  std::string replay_;
  std::vector<Column> columns_;
  std::int64_t surplus_ = 0;   // Rows that are not in the replay.
  std::int64_t lacking_ = 0;   // Rows of the replay that are not there.
  std::int64_t repeated_ = 0;  // Equal rows more than in the replay.
};

// Of a full-text table: how its index differs, which may belong to the rows of another table. Nothing: it does not, or
// the table is none.
[[nodiscard]] std::optional<std::string> index_difference(sqlite::Connection& connection, const std::string& table);

}  // namespace freshet::store
