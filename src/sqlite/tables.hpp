// Tables through a connection's statements, kept.
#pragma once

#include <string>
#include <utility>

#include "freshet/sql.hpp"
#include "sqlite/connection.hpp"

namespace freshet::sqlite {

class KeptTables : public Tables {
 public:
  // `suffix` is appended to every name in braces; empty for the tables in use.
  KeptTables(Connection& connection, std::string suffix, Permission permission)
      : suffix_(suffix), statements_(connection, std::move(suffix), std::move(permission)) {}

  [[nodiscard]] const std::string& suffix() const { return suffix_; }

  void execute(std::string_view sql, Values values) override {
    Statement& statement = statements_.get(sql);
    statement.bind_all(values.span(), Statement::Texts::borrowed);
    Run run(statement);
    run.finish();
  }

  [[nodiscard]] Rows query(std::string_view sql, Values values) override {
    Statement& statement = statements_.get(sql);
    statement.bind_all(values.span(), Statement::Texts::copied);
    return Rows(statement);
  }

 private:
  std::string suffix_;
  StatementCache statements_;
};

}  // namespace freshet::sqlite
