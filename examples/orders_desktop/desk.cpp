// Carrying out what the window wants, one command after the other, and reads beside them.
#include "desk.hpp"

#include <utility>

#include "freshet/error.hpp"

namespace desktop {

using namespace freshet;

namespace {

// As long as the slider's longest delay, and some more.
constexpr Duration look_timeout = std::chrono::seconds{20};
constexpr std::size_t rows_max = 200;

StoreOptions options(const std::filesystem::path& file, Duration delay) {
  return {.file = file, .projections = orders::projections(), .bus = {.delay = FixedDelay{delay}}};
}

std::string sentence(const orders::CommandResult& result) {
  if (const auto* done = std::get_if<orders::Done>(&result)) {
    return "order " + done->order_id + ": " + done->event + ", version " + std::to_string(done->version.value);
  }
  if (const auto* rejection = std::get_if<orders::Rejection>(&result)) return rejection->message;
  return "somebody else was quicker: look at the order, and try again";
}

OrderAnswer read(orders::Orders& orders, const std::string& order_id, Look look, Version version) {
  switch (look) {
    case Look::eventual:
      return orders.get(order_id);
    case Look::version_written:
      return orders.get(order_id, {.consistency = AtLeastVersion{version}, .timeout = look_timeout});
    case Look::strong:
      return orders.get(order_id, {.consistency = Strong{}, .timeout = look_timeout});
    case Look::read_your_writes:
      break;
  }
  return orders.replay(order_id);
}

}  // namespace

// The store with one delay, and what is told of it.
struct Desk::Open {
  Open(const std::filesystem::path& file, Duration delay, const std::function<void()>& on_change)
      : store(options(file, delay)),
        orders(store),
        appended(store.subscribe_to_events({.after = store.log().head()},
                                           [on_change](const EventBatch& /*batch*/) { on_change(); })),
        changed(store.subscribe_to_changes({.projections = {"orders"}},
                                           [on_change](const Changes& /*changes*/) { on_change(); })) {}

  Store store;
  orders::Orders orders;
  Subscription<EventBatch> appended;  // An answer becomes stale when the log grows,
  Subscription<Changes> changed;      // and fresh when the rows have followed.
};

Desk::Desk(std::filesystem::path file, Post post, Listeners listeners)
    : file_(std::move(file)), post_(std::move(post)), listeners_(std::move(listeners)) {
  set_delay(Duration{0});
}

Desk::~Desk() {
  const std::lock_guard lock(mutex_);
  open_.reset();
}

void Desk::set_delay(Duration delay) {
  commands_.add([this, delay] {
    try {
      open(delay);
    } catch (const std::exception& failure) {
      tell([this, sentence = std::string(failure.what())] { listeners_.on_problem(sentence); });
    }
  });
}

void Desk::open(Duration delay) {
  auto opened = std::make_shared<Open>(file_, delay, [this] { refresh(); });
  {
    const std::lock_guard lock(mutex_);
    // The one before ends when its last read has; its events travel on with the new delay.
    std::swap(open_, opened);
  }
  refresh();  // What this one told before it was here went to the one before, if there was one.
}

void Desk::run(Worker& worker, std::function<void(Open&)> task) {
  worker.add([this, task = std::move(task)] { run_now(task); });
}

void Desk::run_now(const std::function<void(Open&)>& task) {
  std::shared_ptr<Open> open;
  {
    const std::lock_guard lock(mutex_);
    open = open_;
  }
  if (!open) return;
  try {
    task(*open);
  } catch (const std::exception& failure) {
    tell([this, sentence = std::string(failure.what())] { listeners_.on_problem(sentence); });
  }
}

void Desk::refresh() {
  // However often it is told, one reading of the newest state is enough.
  if (refreshing_.exchange(true)) return;
  reads_.add([this] {
    refreshing_ = false;
    run_now([this](Open& open) {
      tell([this, list = open.orders.list({.limit = rows_max})] { listeners_.on_list(list); });
    });
  });
}

void Desk::execute(std::optional<std::string> order_id, orders::Action action, Projecting projecting, Look look) {
  run(commands_, [this, order_id = std::move(order_id), action = std::move(action), projecting, look](Open& open) {
    const auto result = open.orders.execute(order_id, {.action = action, .at = {}}, {.projecting = projecting});
    tell([this, said = sentence(result)] { listeners_.on_command(said); });
    if (const auto* done = std::get_if<orders::Done>(&result)) look_at(done->order_id, look, done->version);
  });
}

void Desk::look_at(std::string order_id, Look look, Version version) {
  run(reads_, [this, order_id = std::move(order_id), look, version](Open& open) {
    tell([this, seen = read(open.orders, order_id, look, version)] { listeners_.on_order(seen); });
  });
}

void Desk::tell(std::function<void()> answer) {
  post_([alive = std::weak_ptr(alive_), answer = std::move(answer)] {
    if (!alive.expired()) answer();
  });
}

}  // namespace desktop
