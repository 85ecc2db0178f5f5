// Compares tables with SQL, and words the first difference.
#include "store/table_difference.hpp"

#include <algorithm>

#include "sqlite/loose_tables.hpp"

namespace freshet::store {
namespace {

using sqlite::quoted;

// A long text is shown by its beginning.
constexpr std::size_t value_bytes_max = 80;

std::string shortened(const std::string& value) {
  if (value.size() <= value_bytes_max) return value;
  std::size_t end = value_bytes_max;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
  return value.substr(0, end) + "...";
}

}  // namespace

TableDifference::TableDifference(sqlite::Connection& connection, const std::string& table)
    : connection_(connection),
      read_("SELECT * FROM store." + quoted(table)),
      replay_("SELECT * FROM main." + quoted(table)) {
  surplus_ = count(read_ + " EXCEPT " + replay_);
  lacking_ = count(replay_ + " EXCEPT " + read_);
  // EXCEPT takes equal rows for one.
  repeated_ = count(read_) - count(replay_) - surplus_ + lacking_;
  if (is_none()) return;
  sqlite::Run run(connection_.statement("SELECT name, pk FROM pragma_table_info(?, 'main')"), std::string_view{table});
  while (run.next()) columns_.push_back({std::string(run.text(0)), run.integer(1) > 0});
  // Without a key a row is known by all of its columns.
  if (std::ranges::none_of(columns_, &Column::is_key)) {
    for (Column& column : columns_) column.is_key = true;
  }
}

std::int64_t TableDifference::count(const std::string& query) const {
  return connection_.integer("SELECT count(*) FROM (" + query + ")");
}

// The columns with commas between; `format` has a % where the name goes.
std::string TableDifference::list_columns(const char* format) const {
  std::string list;
  for (const Column& column : columns_) {
    for (const char* letter = format; *letter != 0; ++letter) {
      list += *letter == '%' ? quoted(column.name) : std::string(1, *letter);
    }
    list += ", ";
  }
  return list;
}

// The first row, by key, that is on one side alone, and the one after it.
std::vector<TableDifference::Row> TableDifference::first_rows() const {
  std::string order;
  for (const Column& column : columns_) {
    if (column.is_key) order += quoted(column.name) + ", ";
  }
  const std::string only_read = "SELECT 0 AS side, * FROM (" + read_ + " EXCEPT " + replay_ + ")";
  const std::string only_replay = "SELECT 1 AS side, * FROM (" + replay_ + " EXCEPT " + read_ + ")";
  sqlite::Run run(connection_.statement("SELECT " + list_columns("quote(%)") + "side FROM (" + only_read +
                                        " UNION ALL " + only_replay + ") ORDER BY " + order + "side LIMIT 2"));
  std::vector<Row> rows;
  while (run.next()) {
    Row row{.is_replayed = run.integer(static_cast<int>(columns_.size())) == 1, .values = {}};
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      row.values.emplace_back(run.text(static_cast<int>(column)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

bool TableDifference::has_same_key(const Row& left, const Row& right) const {
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (columns_[column].is_key && left.values[column] != right.values[column]) return false;
  }
  return true;
}

// "category 'order', day 3"
std::string TableDifference::named(const Row& row) const {
  std::string name;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (!columns_[column].is_key) continue;
    name += (name.empty() ? "" : ", ") + columns_[column].name + " " + shortened(row.values[column]);
  }
  return name;
}

std::string TableDifference::first_repeated() const {
  const std::string columns = list_columns("%") + "count(*) AS times";
  const std::string counted = " GROUP BY " + list_columns("%");
  const auto grouped = [&](const std::string& query) {
    return "SELECT " + columns + " FROM (" + query + ")" + counted.substr(0, counted.size() - 2);
  };
  sqlite::Run run(connection_.statement("SELECT " + list_columns("quote(%)") + "times FROM (" + grouped(read_) +
                                        " EXCEPT " + grouped(replay_) + ") LIMIT 1"));
  if (!run.next()) return "equal rows are not as many";
  Row row;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    row.values.emplace_back(run.text(static_cast<int>(column)));
  }
  return "the row with " + named(row) + " is there " + std::string(run.text(static_cast<int>(columns_.size()))) +
         " times, which is not as often as in the replay";
}

std::string TableDifference::description() const {
  const std::vector<Row> rows = first_rows();
  if (rows.empty()) return first_repeated();
  const std::string counts = " (rows that are not in the replay: " + std::to_string(surplus_) +
                             ", rows of the replay that are not there: " + std::to_string(lacking_) + ")";
  const Row& first = rows.front();
  if (rows.size() < 2 || !has_same_key(first, rows[1]) || first.is_replayed == rows[1].is_replayed) {
    return "the row with " + named(first) + (first.is_replayed ? " is missing" : " is not in the replay") + counts;
  }
  std::string differing;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (first.values[column] == rows[1].values[column]) continue;
    differing += ", " + columns_[column].name + " is " + shortened(first.values[column]) + ", and the replay gives " +
                 shortened(rows[1].values[column]);
  }
  return "in the row with " + named(first) + differing + counts;
}

std::optional<std::string> index_difference(sqlite::Connection& connection, const std::string& table) {
  const auto has_module = [&](std::string_view module) {
    sqlite::Run run(connection.statement("SELECT 1 FROM main.sqlite_master WHERE name = ?1 COLLATE NOCASE AND "
                                         "replace(sql, ' ', '') LIKE 'createvirtualtable%using' || ?2 || '(%'"),
                    std::string_view{table}, module);
    return run.next();
  };
  const bool is_fts5 = has_module("fts5");
  if (!is_fts5 && !has_module("fts4") && !has_module("fts3")) return std::nullopt;
  const auto terms_of = [&](const std::string& schema) {
    const std::string names = schema + ", " + quoted(table);
    connection.execute("CREATE VIRTUAL TABLE temp.terms_of_" + schema + " USING " +
                       (is_fts5 ? "fts5vocab(" + names + ", instance)" : "fts4aux(" + names + ")"));
    return "SELECT * FROM temp.terms_of_" + schema;
  };
  const std::string read = terms_of("store");
  const std::string replay = terms_of("main");
  const auto rows = [&](const std::string& query) {
    return connection.integer("SELECT count(*) FROM (" + query + ")");
  };
  const std::int64_t surplus = rows(read + " EXCEPT " + replay);
  const std::int64_t lacking = rows(replay + " EXCEPT " + read);
  connection.execute("DROP TABLE temp.terms_of_store; DROP TABLE temp.terms_of_main");
  if (surplus == 0 && lacking == 0) return std::nullopt;
  return "its full-text index has " + std::to_string(surplus) +
         " places of words that are not in the replay, and lacks " + std::to_string(lacking) + " of them";
}

}  // namespace freshet::store
