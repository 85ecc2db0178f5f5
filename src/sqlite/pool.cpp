// Lending connections to readers.
#include "sqlite/pool.hpp"

namespace freshet::sqlite {

Pool::Loan Pool::borrow() {
  {
    auto idle = idle_.locked();
    if (!idle->empty()) {
      auto connection = std::move(idle->back());
      idle->pop_back();
      return {*this, std::move(connection)};
    }
  }
  auto connection = std::make_unique<Connection>(options_);
  connection->leave_checkpoint_to_others();
  return {*this, std::move(connection)};
}

void Pool::take_back(std::unique_ptr<Connection> connection) {
  auto idle = idle_.locked();
  if (idle->size() < idle_max) idle->push_back(std::move(connection));
}

}  // namespace freshet::sqlite
