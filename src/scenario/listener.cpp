// Works on deliveries by one rule, and tells of it.
#include "scenario/listener.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ensure.hpp"
#include "base/thread.hpp"
#include "freshet/error.hpp"
#include "orders/codec.hpp"
#include "orders/money.hpp"

namespace freshet::scenario {
namespace {

// It looks for work that often even if nobody told it of any.
constexpr Duration look = std::chrono::seconds{1};

}  // namespace

void Listener::join(Bus& bus, Engine engine) {
  ensure(!consumer_ && !thread_.joinable(), "a listener leaves before it joins again");
  is_dead_ = false;
  stopping_ = false;
  dies_now_ = dies_before_offsets_ = false;
  consumer_ = bus.subscribe({.group = name_, .committed = committed_, .on_arrival = [this] { work_.notify(); }});
  if (engine == Engine::threads) thread_ = start_thread<std::thread>([this] { run(); });
}

void Listener::leave() {
  stop();
  if (consumer_) committed_ = consumer_->acknowledged();
  consumer_.reset();
}

void Listener::crash(CrashPoint point) {
  if (!consumer_ || is_dead_) return;
  (point == CrashPoint::now ? dies_now_ : dies_before_offsets_) = true;
  work_.notify();
  if (point == CrashPoint::now && thread_.joinable()) thread_.join();
}

void Listener::run() {
  while (!stopping_ && !is_dead_) {
    const std::uint64_t seen = work_.count();
    try {
      if (step()) continue;
    } catch (const Error&) {
      // The log cannot be read; the real listener says so, and this one is of no more use.
      die();
      return;
    }
    const Instant soon = clock_.now() + look;
    work_.wait(clock_, seen, std::min(next_step().value_or(soon), soon));
  }
}

void Listener::stop() {
  stopping_ = true;
  work_.notify();
  if (thread_.joinable()) thread_.join();
}

bool Listener::step() {
  if (is_dead_ || !consumer_) return false;
  if (dies_now_) {
    die();
    return true;
  }
  const auto deliveries = consumer_->poll(1);
  if (deliveries.empty()) return false;
  work_on(deliveries.front());
  if (dies_before_offsets_) {
    die();
  } else {
    consumer_->acknowledge(deliveries.front());
  }
  changed_.notify();
  return true;
}

std::optional<Instant> Listener::next_step() {
  if (is_dead_ || !consumer_) return std::nullopt;
  if (dies_now_) return clock_.now();
  return consumer_->next_arrival();
}

void Listener::die() {
  consumer_.reset();
  dies_now_ = dies_before_offsets_ = false;
  recorder_.record(clock_.now(), {.actor = Actor::listener,
                                  .kind = Kind::crashed,
                                  .what = fmt::format("{} crashed, and its latest offsets are not committed", name_),
                                  .model = name_});
  is_dead_ = true;
  changed_.notify();
}

void Listener::work_on(const Delivery& delivery) {
  const RecordedEvent& event = *delivery.event;
  const std::string id = order_id_of(event);
  const int count = recorder_.count_delivery(name_, event.position);
  Occurrence occurrence{.actor = Actor::bus,
                        .kind = Kind::delivered,
                        .what = fmt::format("{} delivered to {}{}", event.type, name_, count > 1 ? " once more" : ""),
                        .order_id = id,
                        .version = event.version,
                        .attempt = std::max(delivery.attempt, count),
                        .model = name_};
  recorder_.record(clock_.now(), occurrence);

  auto model = model_.locked();
  ListenerRow& row = model->rows[id];
  const bool is_applied = apply(event, row);
  ++row.deliveries;
  const Instant now = clock_.now();
  occurrence.attempt = 1;
  if (is_applied) {
    occurrence.actor = Actor::read_model;
    occurrence.kind = Kind::applied;
    occurrence.what = fmt::format("{}: order {} is {}, {}, version {}", name_, id, row.status,
                                  orders::format_money(row.amount_minor, row.currency), row.version.value);
  } else {
    occurrence.actor = Actor::listener;
    occurrence.kind = Kind::skipped;
    occurrence.what = fmt::format("{} skipped {}: the row has version {}", name_, event.type, row.version.value);
  }
  recorder_.record(now, occurrence);
  if (model->watch && model->watch->order_id == id && model->watch->deliveries == row.deliveries) {
    model->picture = Picture{row, now};
    model->watch.reset();
  }
}

// False: the rule passes over it.
bool Listener::apply(const RecordedEvent& event, ListenerRow& row) const {
  if (!orders::is_order_event(event)) return false;
  if (rule_ == Rule::upserts_newer && event.version <= row.version) return false;
  orders::Order order;
  orders::OrderDecider::evolve(order, orders::OrderDecider::decode(event));
  // Each event says the status outright, and the first one what the order costs.
  row.status = orders::name(order.status);
  row.version = event.version;
  if (event.version == Version{1}) {
    row.currency = order.currency;
    row.amount_minor = order.amount_minor + (rule_ == Rule::adds ? row.amount_minor : 0);
  }
  return true;
}

ListenerRow Listener::row(const std::string& order_id) {
  auto model = model_.locked();
  const auto found = model->rows.find(order_id);
  return found == model->rows.end() ? ListenerRow{} : found->second;
}

void Listener::watch(const std::string& order_id, int deliveries) {
  auto model = model_.locked();
  model->picture.reset();
  model->watch = Watch{order_id, deliveries};
  if (model->rows[order_id].deliveries < deliveries) return;
  model->picture = Picture{model->rows[order_id], clock_.now()};
  model->watch.reset();
}

std::optional<Listener::Picture> Listener::picture() {
  return model_.locked()->picture;
}

}  // namespace freshet::scenario
