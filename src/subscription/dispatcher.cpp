// The dispatcher's rounds, its thread and its end.
#include "subscription/dispatcher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/ensure.hpp"
#include "base/look.hpp"
#include "base/thread.hpp"
#include "base/thrown.hpp"
#include "freshet/error.hpp"

namespace freshet::subscription {

void Dispatcher::add(std::shared_ptr<Dispatched> subscriber) {
  {
    auto shared = shared_.locked();
    if (stopping_) throw Error(ErrorCode::closed, "the store is closed");
    if (drive_ == Drive::thread && !shared->thread.joinable()) {
      shared->thread = start_thread<std::thread>([this] { run(); });
    }
    // Last: nobody would end it if this call failed.
    shared->subscribers.push_back(std::move(subscriber));
  }
  context_.news.notify();
}

void Dispatcher::run() {
  Look look;
  while (!stopping_) {
    const std::uint64_t seen = context_.news.count();
    if (step()) {
      look.reset();
    } else {
      context_.news.wait(clock_, seen, clock_.now() + look.next());
    }
  }
}

// With what is being handled. Somebody in the way is gone at the next look.
void Dispatcher::fail(const Subscribers& round) {
  try {
    throw;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::busy) return;
    for (const auto& subscriber : round) subscriber->fail(error.what());
  } catch (...) {
    for (const auto& subscriber : round) subscriber->fail(words_of_thrown());
  }
}

bool Dispatcher::step() {
  // A callback that steps the store is not told before it has returned.
  if (stepping_) return false;
  const Subscribers round = subscribers();
  if (round.empty()) return false;
  stepping_ = true;
  bool busy = false;
  try {
    look();
    for (const auto& subscriber : round) {
      if (stopping_) break;
      busy = subscriber->dispatch(**connection_) || busy;
    }
  } catch (...) {
    // The file cannot even be asked whether it has changed.
    fail(round);
  }
  stepping_ = false;
  return busy;
}

bool Dispatcher::is_due() {
  if (stepping_) return false;
  bool due = false;
  const Subscribers round = subscribers();
  if (!round.empty()) look();
  for (const auto& subscriber : round) due = subscriber->is_due() || due;
  return due;
}

// Those that go on; the others are let go of.
Dispatcher::Subscribers Dispatcher::subscribers() {
  Subscribers ended;  // Destroyed without the lock.
  auto shared = shared_.locked();
  Subscribers& all = shared->subscribers;
  Subscribers going_on;
  for (auto& each : all) (each->has_ended() ? ended : going_on).push_back(std::move(each));
  all = std::move(going_on);
  return all;
}

void Dispatcher::look() {
  if (!connection_) connection_.emplace(readers_.borrow());
  const std::int64_t version = (*connection_)->integer("PRAGMA data_version");
  if (std::exchange(data_version_, version) == version) return;
  for (const auto& subscriber : subscribers()) subscriber->mark_due();
}

void Dispatcher::stop() {
  Subscribers subscribers;
  std::thread thread;
  {
    auto shared = shared_.locked();
    stopping_ = true;
    ensure(shared->thread.get_id() != std::this_thread::get_id(), "a callback does not close its store");
    subscribers.swap(shared->subscribers);
    thread.swap(shared->thread);
  }
  context_.news.notify();
  if (thread.joinable()) thread.join();
  ensure(!stepping_, "a callback does not close its store");
  for (const auto& subscriber : subscribers) subscriber->end("the store is closed");
  connection_.reset();
}

}  // namespace freshet::subscription
