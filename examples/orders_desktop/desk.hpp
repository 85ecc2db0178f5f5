// The order desk: what the window wants of the store, done on other threads, so that the window never waits.
// Answers are posted to the window's event loop. There is no word of Qt in it.
//
// Threads: the methods are called by the window's thread. Failure: Problem, posted like any answer.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "freshet/subscription.hpp"
#include "orders/orders.hpp"
#include "worker.hpp"

namespace desktop {

// How an order is looked at after a command.
enum class Look { eventual, version_written, strong, read_your_writes };

using OrderAnswer = freshet::orders::Answer<std::optional<freshet::orders::OrderView>>;
using ListAnswer = freshet::orders::Answer<freshet::orders::Page>;

class Desk {
 public:
  struct Listeners {
    std::function<void(const ListAnswer&)> on_list;      // The list has changed, or its freshness.
    std::function<void(const std::string&)> on_command;  // A sentence on how it went.
    std::function<void(const OrderAnswer&)> on_order;    // What the look after it has shown.
    std::function<void(const std::string&)> on_problem;  // The store is in trouble.
  };

  Desk(std::filesystem::path file, freshet::Post post, Listeners listeners);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // How long events take from now on; the store is opened anew with it.
  void set_delay(freshet::Duration delay);

  // Without an id: for a new order, whose id is made up. After it the order is looked at.
  void execute(std::optional<std::string> order_id, freshet::orders::Action action, freshet::Projecting projecting,
               Look look);

  void look_at(std::string order_id, Look look, freshet::Version version);

 private:
  struct Open;

  void open(freshet::Duration delay);
  // Runs `task` on the worker with the store that is open then; what it throws is a problem.
  void run(Worker& worker, std::function<void(Open&)> task);
  // Likewise, on this thread. Nothing where no store is open.
  void run_now(const std::function<void(Open&)>& task);
  void refresh();
  void tell(std::function<void()> answer);

  const std::filesystem::path file_;
  const freshet::Post post_;
  const Listeners listeners_;
  std::mutex mutex_;
  std::shared_ptr<Open> open_;
  std::atomic<bool> refreshing_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // Ends on the window's thread.
  Worker reads_;
  Worker commands_;
};

}  // namespace desktop
