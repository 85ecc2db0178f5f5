// The application's own tables in the store's file: whatever it likes, but under names that are its own.
#pragma once

#include <string>

#include "sqlite/tables.hpp"

namespace freshet::sqlite {

class ApplicationTables final : public Tables {
 public:
  // One on a connection, for as long as that lives: SQLite asks it about every statement.
  explicit ApplicationTables(Connection& connection);
  ApplicationTables(const ApplicationTables&) = delete;
  ApplicationTables& operator=(const ApplicationTables&) = delete;
  ~ApplicationTables() override;

  void execute(std::string_view sql, Values values) override;
  [[nodiscard]] Rows query(std::string_view sql, Values values) override;

 private:
  static int authorize(void* self, int action, const char* first, const char* second, const char* database,
                       const char* trigger);
  template <typename Body>
  auto guarded(const Body& body);

  Connection& connection_;
  KeptTables tables_;
  bool guarding_ = false;  // The statement at hand is the application's.
  std::string refused_;    // The name that it may not write to.
};

}  // namespace freshet::sqlite
