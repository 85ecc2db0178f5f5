// One subscription: what waits to be told, who is being told, and how it ended. It is shared by the
// application's handle, the dispatcher and closures on their way.
//
// Threads: dispatch() from one at a time, the rest from any.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/fork.hpp"
#include "base/signal.hpp"
#include "freshet/subscription.hpp"
#include "subscription/descriptor.hpp"
#include "subscription/feed.hpp"

namespace freshet::subscription {

// What the dispatcher sees of a subscription of any kind.
class Dispatched {
 public:
  Dispatched() = default;
  Dispatched(const Dispatched&) = delete;
  Dispatched& operator=(const Dispatched&) = delete;
  virtual ~Dispatched() = default;

  // The file has changed.
  virtual void mark_due() = 0;
  [[nodiscard]] virtual bool is_due() = 0;

  // Looks for news, if that is due, and brings them. False: there is nothing to do until it is due.
  virtual bool dispatch(sqlite::Connection& connection) = 0;

  // Nothing more is told, and the store's notices say why.
  virtual void fail(const std::string& reason) = 0;

  // Nothing more is told. Waits for a callback that runs on another thread.
  virtual void end(const std::string& reason) = 0;
  [[nodiscard]] virtual bool has_ended() = 0;
};

// What a subscription tells the store.
struct Context {
  Signal& news;                                    // Another dispatch may be due. Not used after the end.
  std::function<void(const std::string&)> notice;  // It has ended by a failure. Likewise.
  std::function<void()> check_may_wait;            // Before a wait for a callback, which may need the turn. Likewise.
};

template <typename News>
class [[gnu::visibility("hidden")]] Subscriber final : public Dispatched,
                                                       public std::enable_shared_from_this<Subscriber<News>> {
 public:
  Subscriber(std::unique_ptr<Feed<News>> feed, OnNews<News> callback, Post post, Context context);

  void mark_due() override;
  bool is_due() override;
  bool dispatch(sqlite::Connection& connection) override;
  void fail(const std::string& reason) override;
  void end(const std::string& reason) override;
  // The same for the handle.
  void unsubscribe();
  bool has_ended() override { return ended().has_value(); }

  // For the handle.
  [[nodiscard]] std::optional<std::string> ended();
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] std::optional<News> take();

 private:
  enum class Form { told, posted, taken };
  // The thread that is inside the application's code, if one is.
  using Inside = std::optional<std::thread::id>;

  [[nodiscard]] bool can_look() const;
  [[nodiscard]] bool can_bring() const;
  // False: there is nothing new, or no telling yet.
  bool look(sqlite::Connection& connection);
  void tell();
  // Runs the application's code on a thread that has been noted as inside; whoever ends the subscription
  // waits for it.
  void run(Inside& inside, const std::function<void()>& call);
  void leave(Inside& inside);

  const std::unique_ptr<Feed<News>> feed_;  // Used by dispatch() alone.
  const Form form_;
  const unsigned forks_ = forks();
  const Context context_;

  // Let go of at the end, under the lock, when nobody is inside; a thread inside uses them without it.
  OnNews<News> callback_;
  Post post_;

  std::mutex mutex_;  // Guards the rest.
  std::condition_variable left_;
  bool due_ = true;
  std::optional<News> waiting_;  // For the callback, or for take().
  bool on_its_way_ = false;      // A closure that tells it.
  Inside telling_;
  Inside posting_;
  std::optional<std::string> ended_;
  std::optional<Descriptor> descriptor_;  // Of Form::taken.
};

}  // namespace freshet::subscription
