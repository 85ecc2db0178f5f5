// Appends that wait to be committed, each with its own way of telling that it was.
#pragma once

#include <atomic>
#include <exception>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "freshet/event_log.hpp"

namespace freshet::log {

// Wakes one thread, for one reason or another. Threads: any calls, one waits.
class Call {
 public:
  enum class Reason { none, lead, done };

  // The caller must not touch this object afterwards: whoever waited may have destroyed it. (What is
  // notified is an address, and is not read.)
  void make(Reason reason) {
    reason_.store(reason, std::memory_order_release);
    reason_.notify_one();
  }

  // Returns the reason, and is ready for the next call.
  [[nodiscard]] Reason wait() {
    reason_.wait(Reason::none, std::memory_order_acquire);
    return reason_.exchange(Reason::none, std::memory_order_acquire);
  }

 private:
  std::atomic<Reason> reason_ = Reason::none;
};

class Pending {
 public:
  Pending() = default;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  [[nodiscard]] virtual const Append& request() const = 0;
  // It is one of appends_in_flight_max.
  [[nodiscard]] virtual bool is_promised() const = 0;
  // It is first in the queue and nobody leads.
  virtual void call_to_lead() = 0;
  // It has its result or its error. It must not be touched afterwards.
  virtual void finish() = 0;

  std::optional<AppendResult> result;
  std::exception_ptr error;

 protected:
  ~Pending() = default;
};

// An append whose caller sleeps until it is finished.
class Blocking final : public Pending {
 public:
  explicit Blocking(const Append& request) : request_(request) {}

  [[nodiscard]] const Append& request() const override { return request_; }
  [[nodiscard]] bool is_promised() const override { return false; }
  void call_to_lead() override { call_.make(Call::Reason::lead); }
  void finish() override { call_.make(Call::Reason::done); }
  [[nodiscard]] Call::Reason wait() { return call_.wait(); }

 private:
  const Append& request_;
  Call call_;
};

// An append with a copy of its events, whose caller holds a future. Destroys itself when it is finished.
class Promised final : public Pending {
 public:
  // `committer` is the call of the thread that leads where no caller does.
  Promised(const Append& request, Call& committer)
      : events_(request.events.begin(), request.events.end()), request_(request), committer_(committer) {
    request_.events = events_;
  }

  [[nodiscard]] std::future<AppendResult> future() { return promise_.get_future(); }

  [[nodiscard]] const Append& request() const override { return request_; }
  [[nodiscard]] bool is_promised() const override { return true; }
  void call_to_lead() override { committer_.make(Call::Reason::lead); }
  void finish() override {
    if (error) {
      promise_.set_exception(error);
    } else {
      promise_.set_value(std::move(*result));
    }
    delete this;
  }

 private:
  std::vector<NewEvent> events_;
  Append request_;
  Call& committer_;
  std::promise<AppendResult> promise_;
};

}  // namespace freshet::log
