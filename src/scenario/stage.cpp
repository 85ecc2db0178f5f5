// Opens, moves and closes what a script is played on.
#include "scenario/stage.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "orders/orders.hpp"
#include "scenario/clocks.hpp"

namespace freshet::scenario {
namespace {

// Every virtual run begins at the same moment, so that its times can be compared.
constexpr Timestamp virtual_start = std::chrono::sys_days{std::chrono::year{2024} / 1 / 1};

// How long a script waits for what ought to happen soon: a crash that it asked for, a delivery to a listener.
constexpr Duration patience = std::chrono::seconds{5};

// How soon an interruption is seen.
constexpr Duration look = std::chrono::milliseconds{50};

// A thread takes far less time to become the one that projects, unless another process does.
constexpr int projector_looks_max = 2'000;
constexpr Duration projector_look = std::chrono::microseconds{500};

}  // namespace

Stage::Stage(StageOptions options, Recorder& recorder) : options_(std::move(options)), recorder_(recorder) {
  make_clock();
}

void Stage::make_clock() {
  if (is_virtual()) {
    clock_ = std::make_shared<SteppedClock>(
        virtual_start, [this] { return next_of_listeners(); }, [this] { static_cast<void>(step_listeners()); });
  } else if (options_.speed != 1.0) {
    clock_ = std::make_shared<ScaledClock>(options_.speed);
  } else {
    clock_ = std::make_shared<SystemClock>();
  }
}

Store& Stage::store(OpenMode mode) {
  if (!store_) open(options_.origin == FileOrigin::own ? OpenMode::create : mode);
  return *store_;
}

void Stage::open(OpenMode mode) {
  projector_crashed_ = false;
  crash_is_due_ = false;
  store_.emplace(StoreOptions{.file = options_.file,
                              .mode = mode,
                              .upgrade = options_.upgrade,
                              .engine = engine(),
                              .projections = orders::projections(),
                              .forms = orders::forms(),
                              .durability = options_.durability,
                              .busy_timeout = options_.busy_timeout,
                              .bus = options_.bus,
                              .clock = clock_,
                              .on_notice = options_.on_notice,
                              .on_trace = [this](const Trace& trace) {
                                recorder_.record(trace);
                                if (trace.kind == Trace::Kind::crashed) projector_crashed_ = true;
                                if (trace.kind == Trace::Kind::restarted) projector_crashed_ = false;
                                changed_.notify();
                              }});
  for (const auto& listener : listeners_) listener->join(store_->bus(), engine());
  await_projector();
}

void Stage::close() noexcept {
  for (const auto& listener : listeners_) listener->leave();
  store_.reset();
}

// What is published before the projector has subscribed would come from the log, and its delay be counted from
// another moment.
void Stage::await_projector() {
  settle();
  if (is_virtual()) return;
  for (int looks = 0; !store_->is_projecting() && looks < projector_looks_max; ++looks) {
    std::this_thread::sleep_for(projector_look);
  }
  if (store_->is_projecting()) return;
  options_.on_notice({Notice::Level::warning,
                      "another process keeps the read tables of this file, so when they change is not seen here"});
}

void Stage::set_bus(const BusOptions& bus) {
  options_.bus = bus;
  if (!store_) return;
  close();
  open(OpenMode::existing);
}

void Stage::sleep(Duration duration) {
  const Instant deadline = clock_->now() + duration;
  if (is_virtual()) {
    static_cast<void>(wait_for([] { return false; }, duration));
    return;
  }
  const auto slice = std::chrono::duration_cast<Instant::duration>(look * std::max(1.0, options_.speed));
  while (clock_->now() < deadline && !is_interrupted()) clock_->sleep_until(std::min(deadline, clock_->now() + slice));
}

void Stage::settle() {
  if (!is_virtual() || !store_) return;
  while (true) {
    const bool projector_moved = store_->step();
    if (!step_listeners() && !projector_moved) return;
  }
}

bool Stage::step_listeners() {
  bool moved = false;
  for (const auto& listener : listeners_) {
    while (listener->step()) moved = true;
  }
  return moved;
}

std::optional<Instant> Stage::next_of_listeners() {
  std::optional<Instant> earliest;
  for (const auto& listener : listeners_) {
    const auto next = listener->next_step();
    if (next) earliest = std::min(earliest.value_or(*next), *next);
  }
  return earliest;
}

std::optional<Instant> Stage::next_step() {
  auto earliest = next_of_listeners();
  const auto next = store_ ? store_->next_step() : std::nullopt;
  if (next) earliest = std::min(earliest.value_or(*next), *next);
  return earliest;
}

bool Stage::wait_for(const Condition& condition, Duration timeout) {
  const Instant deadline = clock_->now() + timeout;
  while (true) {
    const std::uint64_t seen = changed_.count();
    settle();
    if (condition()) return true;
    if (clock_->now() >= deadline || is_interrupted()) return false;
    if (is_virtual()) {
      clock_->sleep_until(std::min(next_step().value_or(deadline), deadline));
    } else {
      changed_.wait(*clock_, seen, std::min(clock_->now() + look, deadline));
    }
  }
}

void Stage::crash(CrashPoint point) {
  Store& crashing = store(OpenMode::existing);
  for (const auto& listener : listeners_) listener->crash(point);
  if (!projector_crashed_) crashing.crash_projector(point);
  crash_is_due_ = crash_is_due_ || point == CrashPoint::before_offsets;
  settle();
}

bool Stage::has_crashed() const {
  return projector_crashed_ &&
         std::ranges::all_of(listeners_, [](const auto& listener) { return listener->is_dead(); });
}

void Stage::restart() {
  if (!store_) return;
  if (crash_is_due_) static_cast<void>(wait_for([this] { return has_crashed(); }, patience));
  if (!projector_crashed_) {
    close();
    open(OpenMode::existing);
    return;
  }
  crash_is_due_ = false;
  for (const auto& listener : listeners_) {
    listener->leave();
    listener->join(store_->bus(), engine());
  }
  store_->restart_projector();
  await_projector();
}

void Stage::listen(const std::string& name, Rule rule) {
  listeners_.push_back(std::make_unique<Listener>(name, rule, *clock_, recorder_, changed_));
  if (store_) listeners_.back()->join(store_->bus(), engine());
  settle();
}

Listener::Picture Stage::ask(const std::string& name, const std::string& order_id, int deliveries) {
  const auto found = std::ranges::find_if(listeners_, [&](const auto& listener) { return listener->name() == name; });
  ensure(found != listeners_.end(), "a script asks only listeners that it has");
  Listener& listener = **found;
  listener.watch(order_id, deliveries);
  std::optional<Listener::Picture> picture;
  static_cast<void>(wait_for(
      [&] {
        picture = listener.picture();
        return picture.has_value();
      },
      patience));
  return picture.value_or(Listener::Picture{listener.row(order_id), clock_->now()});
}

void Stage::drain() {
  if (!store_) return;
  static_cast<void>(store_->drain([this] { return is_interrupted(); }));
}

}  // namespace freshet::scenario
