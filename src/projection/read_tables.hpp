// The tables a projection writes to, on one connection.
#pragma once

#include <string>
#include <vector>

#include "freshet/sql.hpp"
#include "sqlite/connection.hpp"

namespace freshet::projection {

class ReadTables final : public Tables {
 public:
  // `suffix` is appended to every name in braces; empty for the tables in use.
  ReadTables(sqlite::Connection& connection, std::string suffix) : statements_(connection, std::move(suffix)) {}

  void execute(std::string_view sql, Values values) override {
    sqlite::Statement& statement = statements_.get(sql);
    statement.bind_all({values.begin(), values.size()});
    sqlite::Run run(statement);
    run.finish();
  }

  [[nodiscard]] Rows query(std::string_view sql, Values values) override {
    sqlite::Statement& statement = statements_.get(sql);
    statement.bind_all({values.begin(), values.size()});
    return Rows(statement);
  }

 private:
  sqlite::StatementCache statements_;
};

}  // namespace freshet::projection
