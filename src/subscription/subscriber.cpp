// Bringing news to one subscription, and ending it.
#include "subscription/subscriber.hpp"

#include <utility>

#include "base/ensure.hpp"
#include "base/thrown.hpp"
#include "freshet/error.hpp"

namespace freshet::subscription {

template <typename News>
Subscriber<News>::Subscriber(std::unique_ptr<Feed<News>> feed, OnNews<News> callback, Post post, Context context)
    : feed_(std::move(feed)),
      form_(post       ? Form::posted
            : callback ? Form::told
                       : Form::taken),
      context_(std::move(context)),
      callback_(std::move(callback)),
      post_(std::move(post)) {
  ensure(callback_ || !post_, "what is posted is a callback");
  if (form_ == Form::taken) descriptor_.emplace();
}

template <typename News>
void Subscriber<News>::mark_due() {
  const std::lock_guard lock(mutex_);
  due_ = true;
}

template <typename News>
bool Subscriber<News>::is_due() {
  const std::lock_guard lock(mutex_);
  return (due_ && can_look()) || can_bring();
}

template <typename News>
bool Subscriber<News>::can_look() const {
  if (ended_) return false;
  return waiting_ ? can_merge(*waiting_) : !telling_;
}

template <typename News>
bool Subscriber<News>::can_bring() const {
  return waiting_ && !telling_ && !on_its_way_ && form_ != Form::taken;
}

template <typename News>
bool Subscriber<News>::dispatch(sqlite::Connection& connection) {
  const bool is_due = look(connection);
  {
    const std::lock_guard lock(mutex_);
    if (!can_bring()) return is_due;
    if (form_ == Form::posted) {
      on_its_way_ = true;
      posting_ = std::this_thread::get_id();
    }
  }
  if (form_ == Form::posted) {
    run(posting_, [this] { post_([self = this->shared_from_this()] { self->tell(); }); });
  } else {
    tell();
  }
  return true;
}

template <typename News>
bool Subscriber<News>::look(sqlite::Connection& connection) {
  {
    const std::lock_guard lock(mutex_);
    if (!due_ || !can_look()) return false;
    due_ = false;
  }
  std::optional<News> news;
  try {
    news = feed_->next(connection);
  } catch (const Error& error) {
    error.code() == ErrorCode::busy ? mark_due() : fail(error.what());
    return false;
  } catch (...) {
    fail(words_of_thrown());
    return false;
  }
  const std::lock_guard lock(mutex_);
  due_ = due_ || news || feed_->is_behind();  // There may be more.
  if (!news || ended_) return due_;
  if (waiting_) {
    merge(*waiting_, *std::move(news));
  } else {
    waiting_ = std::move(news);
    if (form_ == Form::taken) descriptor_->raise();
  }
  return true;
}

template <typename News>
void Subscriber<News>::tell() {
  std::optional<News> news;
  {
    const std::lock_guard lock(mutex_);
    on_its_way_ = false;
    // A loop may run its closure when the subscription has ended, or twice.
    if (ended_ || telling_ || !waiting_) return;
    news = std::exchange(waiting_, std::nullopt);
    telling_ = std::this_thread::get_id();
  }
  run(telling_, [&] { callback_(*news); });
}

template <typename News>
void Subscriber<News>::run(Inside& inside, const std::function<void()>& call) {
  try {
    call();
  } catch (...) {
    fail("its callback has thrown: " + words_of_thrown());
  }
  leave(inside);
}

template <typename News>
void Subscriber<News>::leave(Inside& inside) {
  OnNews<News> callback;  // Destroyed without the lock, as what it holds may be anything.
  Post post;
  const std::lock_guard lock(mutex_);
  inside.reset();
  left_.notify_all();
  // After the end the store may be gone.
  if (!ended_) {
    context_.news.notify();
  } else if (!telling_ && !posting_) {
    callback.swap(callback_);
    post.swap(post_);
  }
}

template <typename News>
void Subscriber<News>::fail(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = reason;
    waiting_.reset();
    if (descriptor_) descriptor_->raise();
  }
  // Whoever closes the store waits for this thread, so the store is still there.
  context_.notice("a subscription has ended: " + reason);
}

template <typename News>
void Subscriber<News>::end(const std::string& reason) {
  if (forks() != forks_) return;  // In a child of fork(), where no thread is left that could be told or waited for.
  OnNews<News> callback;
  Post post;
  std::unique_lock lock(mutex_);
  if (!ended_) ended_ = reason;
  waiting_.reset();
  if (descriptor_) descriptor_->raise();
  const auto own = std::this_thread::get_id();
  left_.wait(lock, [&] { return telling_.value_or(own) == own && posting_.value_or(own) == own; });
  if (!telling_ && !posting_) {
    callback.swap(callback_);
    post.swap(post_);
  }
}

template <typename News>
void Subscriber<News>::unsubscribe() {
  if (forks() == forks_) {
    const std::lock_guard lock(mutex_);  // Until it has ended here, the store is there.
    if (!ended_) context_.check_may_wait();
  }
  end("it was unsubscribed");
}

template <typename News>
std::optional<std::string> Subscriber<News>::ended() {
  const std::lock_guard lock(mutex_);
  return ended_;
}

template <typename News>
int Subscriber<News>::descriptor() const {
  ensure(descriptor_.has_value(), "a subscription with a callback has no descriptor");
  return descriptor_->number();
}

template <typename News>
std::optional<News> Subscriber<News>::take() {
  const std::lock_guard lock(mutex_);
  ensure(descriptor_.has_value(), "what is told to a callback cannot be taken");
  if (ended_ || !waiting_) return std::nullopt;
  descriptor_->lower();
  context_.news.notify();
  return std::exchange(waiting_, std::nullopt);
}

template class Subscriber<EventBatch>;
template class Subscriber<Changes>;

}  // namespace freshet::subscription

namespace freshet {

template <typename News>
Subscription<News>::Subscription(std::shared_ptr<subscription::Subscriber<News>> subscriber)
    : subscriber_(std::move(subscriber)) {}

template <typename News>
Subscription<News>::Subscription(Subscription&&) noexcept = default;

template <typename News>
Subscription<News>& Subscription<News>::operator=(Subscription&& other) noexcept {
  Subscription(std::move(other)).subscriber_.swap(subscriber_);
  return *this;
}

template <typename News>
Subscription<News>::~Subscription() {
  if (subscriber_) subscriber_->unsubscribe();
}

template <typename News>
std::optional<std::string> Subscription<News>::ended() const {
  return subscriber_->ended();
}

template <typename News>
int Subscription<News>::descriptor() const {
  return subscriber_->descriptor();
}

template <typename News>
std::optional<News> Subscription<News>::take() {
  return subscriber_->take();
}

template class Subscription<EventBatch>;
template class Subscription<Changes>;

}  // namespace freshet
