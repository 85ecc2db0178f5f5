// The order desk: what the window wants of the store, done on other threads, so that the window never waits.
// Answers are posted to the window's event loop. There is no word of Qt in it.
//
// Threads: the methods are called by the window's thread. Failure: a sentence, posted like any answer.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
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

// What is placed for a customer here: one book.
[[nodiscard]] freshet::orders::Place an_order(const std::string& customer);

using OrderAnswer = freshet::orders::Answer<std::optional<freshet::orders::OrderView>>;
using ListAnswer = freshet::orders::Answer<freshet::orders::Page>;

struct List {
  ListAnswer answer;
  std::map<std::string, freshet::Version> behind;  // What the log has of those orders whose row is older.
};

class Desk {
 public:
  struct Listeners {
    std::function<void(const List&)> on_list;            // The list has changed, or its freshness.
    std::function<void(const std::string&)> on_command;  // A sentence on how it went.
    std::function<void(const std::string&)> on_looking;  // The order that is looked at next, which may take a while.
    std::function<void(const OrderAnswer&)> on_order;    // What that has shown.
    std::function<void(const std::string&)> on_problem;  // The list cannot be shown.
    // A store is open, and is not listened to yet; on a thread of the desk's. For tests.
    std::function<void(freshet::Store&)> on_opened = {};
  };

  Desk(std::filesystem::path file, freshet::Post post, Listeners listeners);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // How long events take from now on; the store is opened anew with it. Of several in a row the last one counts.
  void set_delay(freshet::Duration delay);

  // Without an id: for a new order, whose id is made up. After it the order is looked at.
  void execute(std::optional<std::string> order_id, freshet::orders::Action action, freshet::Projecting projecting,
               Look look);

  void look_at(std::string order_id, Look look, freshet::Version version);

 private:
  struct Open;

  void open(freshet::Duration delay);
  // Runs `task` on the worker with the store that is open then; why that cannot be is told as of a command.
  void run(Worker& worker, std::function<void(Open&)> task);
  [[nodiscard]] std::shared_ptr<Open> opened();
  void refresh();
  void show_list();
  [[nodiscard]] std::map<std::string, freshet::Version> behind(const freshet::orders::Page& page);
  void note(const freshet::EventBatch& batch);
  void tell(std::function<void()> answer);

  const std::filesystem::path file_;
  const freshet::Post post_;
  const Listeners listeners_;
  std::mutex mutex_;
  std::shared_ptr<Open> open_;
  std::string why_closed_ = "the file is still being opened";
  std::optional<freshet::Duration> delay_;          // That is wanted and not there yet.
  std::map<std::string, freshet::Version> newest_;  // Of orders whose rows may be older.
  bool ending_ = false;
  std::atomic<bool> refreshing_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // Ends on the window's thread.
  Worker lists_;
  Worker looks_;  // They wait, and the list goes on meanwhile.
  Worker commands_;
};

}  // namespace desktop
