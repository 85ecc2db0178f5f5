// Connections for readers, handed out to whoever reads and taken back.
//
// Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/guarded.hpp"
#include "sqlite/connection.hpp"

namespace freshet::sqlite {

class Pool {
 public:
  explicit Pool(ConnectionOptions options) : options_(std::move(options)) {}
  // What was lent is back: whatever reads, such as a Reading, has ended.
  ~Pool();

  // A connection on loan; given back at the end of its life.
  class Loan {
   public:
    Loan(Pool& pool, std::unique_ptr<Connection> connection) : pool_(&pool), connection_(std::move(connection)) {}
    Loan(Loan&&) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() {
      if (connection_) pool_->take_back(std::move(connection_));
    }

    [[nodiscard]] Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  [[nodiscard]] Loan borrow();

 private:
  // More readers at one moment than this open a connection of their own each time.
  static constexpr std::size_t idle_max = 16;

  void take_back(std::unique_ptr<Connection> connection);

  ConnectionOptions options_;
  Guarded<std::vector<std::unique_ptr<Connection>>> idle_;
  std::atomic<int> lent_ = 0;
};

}  // namespace freshet::sqlite
