// Lending connections to readers.
#include "sqlite/pool.hpp"

#include "base/ensure.hpp"

namespace freshet::sqlite {

Pool::~Pool() {
  ensure(lent_ == 0, "a Reading ends before its store is destroyed");
}

Pool::Loan Pool::borrow() {
  {
    auto idle = idle_.locked();
    if (!idle->empty()) {
      auto connection = std::move(idle->back());
      idle->pop_back();
      ++lent_;
      return {*this, std::move(connection)};
    }
  }
  auto connection = std::make_unique<Connection>(options_);
  connection->leave_checkpoint_to_others();
  // The first read attaches it to the write-ahead log, which some uses need.
  static_cast<void>(connection->integer("PRAGMA schema_version"));
  ++lent_;
  return {*this, std::move(connection)};
}

void Pool::take_back(std::unique_ptr<Connection> connection) {
  // Whoever has the right to may change the file meanwhile, and a connection that takes it for immutable would not
  // see it.
  if (!connection->is_immutable()) {
    auto idle = idle_.locked();
    if (idle->size() < idle_max) idle->push_back(std::move(connection));
  }
  connection.reset();
  // Last: with nothing lent, the pool may be gone at any moment.
  --lent_;
}

}  // namespace freshet::sqlite
