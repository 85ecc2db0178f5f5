// The tables a projection writes to, on one connection.
#pragma once

#include <string>
#include <utility>

#include "sqlite/tables.hpp"

namespace freshet::projection {

class ReadTables final : public sqlite::KeptTables {
 public:
  ReadTables(sqlite::Connection& connection, std::string suffix)
      : KeptTables(connection, std::move(suffix), sqlite::may_project) {}
};

}  // namespace freshet::projection
