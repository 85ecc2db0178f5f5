// The dispatcher of a store: looks for news and brings them to all subscriptions, by a thread of its own,
// which begins with the first of them, or by the caller's steps.
//
// It looks when the store's own threads have told of something, and now and then for commits of other
// processes; a look that finds the file unchanged is one PRAGMA.
//
// Threads: subscribe() and stop() from any, step() and is_due() from one.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "base/signal.hpp"
#include "sqlite/pool.hpp"
#include "subscription/subscriber.hpp"

namespace freshet::subscription {

class Dispatcher {
 public:
  enum class Drive { thread, steps };

  // All of these outlive the dispatcher.
  Dispatcher(Drive drive, sqlite::Pool& readers, Clock& clock, Context context)
      : drive_(drive), readers_(readers), clock_(clock), context_(std::move(context)) {}
  ~Dispatcher() { stop(); }
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Throws `closed` after stop().
  template <typename News>
  [[nodiscard]] Subscription<News> subscribe(std::unique_ptr<Feed<News>> feed, OnNews<News> callback, Post post) {
    auto subscriber =
        std::make_shared<Subscriber<News>>(std::move(feed), std::move(callback), std::move(post), context_);
    add(subscriber);
    return Subscription<News>(std::move(subscriber));
  }

  // Brings each subscription one batch, if there is one. False: nothing is due.
  bool step();
  [[nodiscard]] bool is_due();

  // Ends the thread and all subscriptions.
  void stop();

 private:
  using Subscribers = std::vector<std::shared_ptr<Dispatched>>;
  struct Shared {
    Subscribers subscribers;
    std::thread thread;
  };

  void add(std::shared_ptr<Dispatched> subscriber);
  void run();
  [[nodiscard]] Subscribers subscribers();
  void look();
  static void fail(const Subscribers& round);

  const Drive drive_;
  sqlite::Pool& readers_;
  Clock& clock_;
  const Context context_;
  std::optional<sqlite::Pool::Loan> connection_;  // From the first step on: data_version is the connection's own.
  std::optional<std::int64_t> data_version_;
  bool stepping_ = false;
  std::atomic<bool> stopping_ = false;
  Guarded<Shared> shared_;
};

}  // namespace freshet::subscription
