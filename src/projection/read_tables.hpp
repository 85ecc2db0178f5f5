// The tables a projection writes to, on one connection.
#pragma once

#include <string>
#include <utility>

#include "sqlite/tables.hpp"

namespace freshet::projection {

class ReadTables final : public sqlite::KeptTables {
 public:
  // With a suffix: tables beside those in use.
  ReadTables(sqlite::Connection& connection, const std::string& suffix)
      : KeptTables(connection, suffix, permission(suffix)) {}

  // Why a statement was refused that would have written to a table in use; empty if none was. The rules may have kept
  // it to themselves.
  [[nodiscard]] const std::string& trespass() const { return trespass_; }

 private:
  [[nodiscard]] sqlite::Permission permission(const std::string& suffix) {
    if (suffix.empty()) return sqlite::may_project;
    return [this, asked = sqlite::may_project_beside(suffix)](int action, const char* first, const char* second) {
      std::string refusal = asked(action, first, second);
      if (!refusal.empty()) trespass_ = refusal;
      return refusal;
    };
  }

  std::string trespass_;
};

}  // namespace freshet::projection
