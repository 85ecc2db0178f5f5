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

orders::Place an_order(const std::string& customer) {
  return {.customer = customer, .currency = "EUR", .items = {{.sku = "book", .quantity = 1, .unit_price_minor = 4999}}};
}

// The store with one delay, and what is told of it.
struct Desk::Open {
  Open(const std::filesystem::path& file, Duration delay) : store(options(file, delay)), orders(store) {}

  // Tells the desk, which finds this in its place then; of the present state at once.
  void listen(Desk& desk) {
    appended = store.subscribe_to_events({.after = store.log().head(), .category = "order"},
                                         [&desk](const EventBatch& batch) { desk.note(batch); });
    changed = store.subscribe_to_changes({.projections = {"orders"}}, [&desk](const Changes&) { desk.refresh(); });
  }

  // Whoever waits in it is woken.
  void close() {
    try {
      store.close();
    } catch (const Error&) {
      // Its events are safe, and what is not projected another store goes on with.
    }
  }

  Store store;
  orders::Orders orders;
  std::optional<Subscription<EventBatch>> appended;  // An answer becomes stale when the log grows,
  std::optional<Subscription<Changes>> changed;      // and fresh when the rows have followed.
};

Desk::Desk(std::filesystem::path file, Post post, Listeners listeners)
    : file_(std::move(file)), post_(std::move(post)), listeners_(std::move(listeners)) {
  set_delay(Duration{0});
}

Desk::~Desk() {
  std::shared_ptr<Open> last;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    last = std::exchange(open_, nullptr);
  }
  if (last) last->close();  // The workers end soon.
}

void Desk::set_delay(Duration delay) {
  {
    const std::lock_guard lock(mutex_);
    delay_ = delay;
  }
  commands_.add([this] {
    std::optional<Duration> wanted;
    {
      const std::lock_guard lock(mutex_);
      wanted = std::exchange(delay_, std::nullopt);
    }
    if (!wanted) return;
    try {
      open(*wanted);
    } catch (const std::exception& failure) {
      const std::lock_guard lock(mutex_);
      if (!open_) why_closed_ = failure.what();
      tell([this, why = std::string(failure.what())] { listeners_.on_problem(why); });
    }
  });
}

void Desk::open(Duration delay) {
  const auto next = std::make_shared<Open>(file_, delay);
  std::shared_ptr<Open> last;
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    last = std::exchange(open_, next);
  }
  if (last) last->close();  // Its events travel on with the new delay.
  if (listeners_.on_opened) listeners_.on_opened(next->store);
  next->listen(*this);
}

std::shared_ptr<Desk::Open> Desk::opened() {
  const std::lock_guard lock(mutex_);
  return open_;
}

void Desk::run(Worker& worker, std::function<void(Open&)> task) {
  worker.add([this, task = std::move(task)] {
    std::string trouble;
    try {
      for (auto open = opened(); open; open = opened()) {
        try {
          return task(*open);
        } catch (const Error& error) {
          // Where another one has taken its place meanwhile, that one is asked.
          if (error.code() != ErrorCode::closed || open == opened()) throw;
        }
      }
      const std::lock_guard lock(mutex_);
      trouble = why_closed_;
    } catch (const std::exception& failure) {
      trouble = failure.what();
    }
    tell([this, trouble] { listeners_.on_command("trouble: " + trouble); });
  });
}

void Desk::refresh() {
  // However often it is told, one reading of the newest state is enough.
  if (refreshing_.exchange(true)) return;
  lists_.add([this] {
    refreshing_ = false;
    show_list();
  });
}

void Desk::show_list() {
  try {
    const auto open = opened();
    if (!open) return;
    auto answer = open->orders.list({.limit = rows_max});
    auto lacking = behind(answer.value);
    tell([this, list = List{std::move(answer), std::move(lacking)}] { listeners_.on_list(list); });
  } catch (const std::exception& failure) {
    tell([this, why = std::string(failure.what())] { listeners_.on_problem(why); });
  }
}

std::map<std::string, Version> Desk::behind(const orders::Page& page) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Version> behind;
  for (const orders::OrderView& view : page.orders) {
    const auto newest = newest_.find(view.order_id);
    if (newest == newest_.end()) continue;
    if (view.version < newest->second) {
      behind.insert(*newest);
    } else {
      newest_.erase(newest);
    }
  }
  return behind;
}

void Desk::note(const EventBatch& batch) {
  {
    const std::lock_guard lock(mutex_);
    for (const RecordedEvent& event : batch.events) newest_[event.stream.id] = event.version;
  }
  refresh();
}

void Desk::execute(std::optional<std::string> order_id, orders::Action action, Projecting projecting, Look look) {
  run(commands_, [this, order_id = std::move(order_id), action = std::move(action), projecting, look](Open& open) {
    const auto result = open.orders.execute(order_id, {.action = action, .at = {}}, {.projecting = projecting});
    tell([this, said = sentence(result)] { listeners_.on_command(said); });
    if (const auto* done = std::get_if<orders::Done>(&result)) look_at(done->order_id, look, done->version);
  });
}

void Desk::look_at(std::string order_id, Look look, Version version) {
  run(looks_, [this, order_id = std::move(order_id), look, version](Open& open) {
    tell([this, order_id] { listeners_.on_looking(order_id); });
    tell([this, seen = read(open.orders, order_id, look, version)] { listeners_.on_order(seen); });
  });
}

void Desk::tell(std::function<void()> answer) {
  post_([alive = std::weak_ptr(alive_), answer = std::move(answer)] {
    if (!alive.expired()) answer();
  });
}

}  // namespace desktop
