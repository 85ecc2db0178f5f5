// Being told: news that go to a function of another language, or wait to be taken.
#include <utility>

#include "base/ensure.hpp"
#include "c/guard.hpp"
#include "c/handles.hpp"

namespace freshet::c {
namespace {

EventsRequest request_of(const freshet_events_request& request) {
  require(request.category != nullptr || request.id == nullptr, "a stream has a category and an id");
  EventsRequest made{.after = Position{request.after}, .epoch = request.epoch == nullptr ? "" : request.epoch};
  if (request.id != nullptr) {
    made.stream = StreamId{request.category, request.id};
  } else if (request.category != nullptr) {
    made.category = request.category;
  }
  if (request.events_max != 0) made.events_max = request.events_max;
  return made;
}

template <typename News>
OnNews<News> callback_of(freshet_told told, void* context) {
  if (told == nullptr) return {};
  return [told, context](const News& news) {
    const ShownNews shown(news);
    const freshet_news given = shown.news();
    freshet_error error{};
    error.code = told(context, &given, &error);
    if (error.code != FRESHET_OK) raise(error);
  };
}

}  // namespace

ShownNews::ShownNews(EventBatch batch)
    : shown_(freshet_events{std::move(batch.events)}),
      through_(batch.through),
      epoch_(std::move(batch.epoch)),
      head_(batch.head) {}

ShownNews::ShownNews(Changes changes)
    : shown_(std::vector<freshet_change>{}), changes_(std::move(changes.projections)), head_(changes.head) {
  for (const Change& change : changes_) {
    std::get<1>(shown_).push_back({change.projection.c_str(), change.position.value});
  }
}

freshet_news ShownNews::news() const {
  freshet_news news{.through = through_.value, .head = head_.value};
  if (const auto* changes = std::get_if<std::vector<freshet_change>>(&shown_)) {
    news.changes = changes->data();
    news.changes_count = changes->size();
  } else {
    news.events = &std::get<freshet_events>(shown_);
    news.epoch = epoch_.c_str();
  }
  return news;
}

}  // namespace freshet::c

using freshet::c::given;
using freshet::c::guarded;
using freshet::c::place;
using freshet::c::sure;

freshet_code freshet_subscribe_to_events(freshet_store* store, const freshet_events_request* request, freshet_told told,
                                         void* context, freshet_subscription** subscription, freshet_error* error) {
  return guarded(error, [&] {
    place(subscription) = nullptr;
    *subscription = new freshet_subscription{
        given(store).store.subscribe_to_events(freshet::c::request_of(freshet::c::given_struct(request)),
                                               freshet::c::callback_of<freshet::EventBatch>(told, context))};
    return FRESHET_OK;
  });
}

freshet_code freshet_subscribe_to_changes(freshet_store* store, const char* const* projections,
                                          size_t projections_count, freshet_told told, void* context,
                                          freshet_subscription** subscription, freshet_error* error) {
  return guarded(error, [&] {
    place(subscription) = nullptr;
    *subscription = new freshet_subscription{
        given(store).store.subscribe_to_changes({.projections = freshet::c::names_of(projections, projections_count)},
                                                freshet::c::callback_of<freshet::Changes>(told, context))};
    return FRESHET_OK;
  });
}

void freshet_unsubscribe(freshet_subscription* subscription) {
  delete subscription;
}

bool freshet_subscription_ended(const freshet_subscription* subscription, freshet_error* why) {
  const auto reason = std::visit([](const auto& each) { return each.ended(); }, sure(subscription).subscription);
  if (reason) freshet::c::report(why, FRESHET_CLOSED, *reason);
  return reason.has_value();
}

int freshet_subscription_descriptor(const freshet_subscription* subscription) {
  return std::visit([](const auto& each) { return each.descriptor(); }, sure(subscription).subscription);
}

freshet_code freshet_take(freshet_subscription* subscription, freshet_news* news, bool* has_news,
                          freshet_error* error) {
  return guarded(error, [&] {
    place(news);
    place(has_news) = false;
    given(subscription).taken.reset();
    std::visit(
        [&](auto& each) {
          if (auto taken = each.take()) subscription->taken.emplace(*std::move(taken));
        },
        given(subscription).subscription);
    *has_news = subscription->taken.has_value();
    if (*has_news) *news = subscription->taken->news();
    return !*has_news && freshet_subscription_ended(subscription, error) ? FRESHET_CLOSED : FRESHET_OK;
  });
}
