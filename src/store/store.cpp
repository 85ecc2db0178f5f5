// The store: wires the parts along the flow of data, and opens and closes them in order.
#include "freshet/store.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "base/ensure.hpp"
#include "base/gate.hpp"
#include "base/thrown.hpp"
#include "bus/in_process_bus.hpp"
#include "freshet/error.hpp"
#include "log/backup.hpp"
#include "log/format.hpp"
#include "log/sqlite_event_log.hpp"
#include "projection/dead_letters.hpp"
#include "projection/projector.hpp"
#include "projection/retry.hpp"
#include "query/reader.hpp"
#include "store/clock_watch.hpp"
#include "store/engine.hpp"
#include "store/options.hpp"
#include "store/remainder.hpp"
#include "store/statuses.hpp"
#include "store/verify.hpp"
#include "subscription/dispatcher.hpp"

namespace freshet {
namespace {

// How often rebuild() looks whether another process's rebuild has ended.
constexpr Duration rebuild_look = std::chrono::milliseconds{10};

}  // namespace

class [[gnu::visibility("hidden")]] Store::Impl {
 public:
  explicit Impl(StoreOptions options);

  bool drain(const std::function<bool()>& cancelled);
  bool rebuild(std::string_view name, const Progress& progress);
  std::vector<DeadLetter> dead_letters(const DeadLetterChoice& choice);
  std::int64_t retry_dead_letters(const DeadLetterChoice& choice, const Progress& progress);
  std::int64_t discard_dead_letters(const DeadLetterChoice& choice);
  // `progress`, which also stops the work once the store is being closed.
  [[nodiscard]] Progress unless_closed(const Progress& progress) {
    return [this, &progress](std::int64_t done, std::int64_t total) {
      return !gate_.is_closed() && (!progress || progress(done, total));
    };
  }
  void let_go_of_snapshots() {
    log_snapshots_.let_go();
    query_snapshots_.let_go();
  }
  void close();

  // In the order of the data flow; destroyed from the end of it.
  Gate gate_;
  std::shared_ptr<const log::Upcasting> upcasting_;
  StoreOptions options_;
  // The last connection to close folds the write-ahead log into the file: the writer, or when reading only the keeper.
  std::unique_ptr<sqlite::Connection> keeper_;
  std::unique_ptr<sqlite::Connection> writer_;
  sqlite::Pool readers_;
  log::Snapshots log_snapshots_;
  query::Snapshots query_snapshots_;
  projection::Catalog catalog_;
  log::Turn turn_{[this] { let_go_of_snapshots(); }};
  std::unique_ptr<projection::Applier> synchronous_;  // On the writer's connection.
  std::unique_ptr<Bus> bus_;
  log::SqliteEventLog log_;
  Signal work_;
  Signal news_;  // For subscriptions: of progress, and of appends.
  Signal progress_{news_};
  std::unique_ptr<sqlite::Connection> projector_connection_;
  store::EngineDriver engine_;
  query::Reader reader_;
  subscription::Dispatcher dispatcher_;
  std::atomic<int> sessions_ = 0;
  store::ClockWatch clock_watch_;  // Used only under the turn.

 private:
  [[nodiscard]] log::Hooks hooks();
  [[nodiscard]] ReadAhead::Read read_ahead();
  void project(std::span<const Message> messages);
  void publish(std::span<const Message> messages);
  void tell(std::span<const Message> messages);
  [[nodiscard]] projection::OnTaken tracer();
  void start_engine();
  void project_what_was_left();
  void check_writable() const;
  // Throws `invalid` if it is not one of this store's projections.
  void check_known(std::string_view name) const;
  // The projection of this name, or all of them.
  [[nodiscard]] projection::Catalog chosen(const std::optional<std::string>& name) const;
  // Of the projector and of long work beside it: what they write can be made again.
  [[nodiscard]] sqlite::ConnectionOptions of_the_projector() { return to_write(sqlite::Sync::normal); }
  // A failure that leaves it unknown what reached the disk ends the log.
  [[nodiscard]] sqlite::ConnectionOptions to_write(sqlite::Sync sync) {
    auto options = store::connection_options(options_, sqlite::Access::read_write, sync);
    options.on_failure = [this](const sqlite::Failure& failure) { log_.close_after(failure); };
    return options;
  }

  std::vector<Trace> taken_;         // By synchronous appends of the open transaction; told after its commit.
  std::atomic<Position> projected_;  // The last one of a synchronous append.
  std::atomic<bool> drained_ = false;
  bool rows_changed_ = false;  // By the append in progress; used only under the turn.
};

Store::Impl::Impl(StoreOptions options)
    : upcasting_(std::make_shared<const log::Upcasting>(options.upcasters, options.forms)),
      options_(store::prepared(std::move(options), upcasting_)),
      keeper_(options_.mode == OpenMode::read_only ? sqlite::open_keeper({.file = options_.file}) : nullptr),
      writer_(options_.mode == OpenMode::read_only
                  ? nullptr
                  : std::make_unique<sqlite::Connection>(to_write(
                        options_.durability == Durability::power_loss ? sqlite::Sync::full : sqlite::Sync::normal))),
      readers_(store::connection_options(options_, sqlite::Access::read_only, sqlite::Sync::normal)),
      log_snapshots_(readers_, store::keep(options_)),
      query_snapshots_(readers_, store::keep(options_)),
      bus_(make_in_process_bus(
          options_.bus, [this](Position after, std::size_t events_max) { return log_.read_for_bus(after, events_max); },
          *options_.clock, options_.engine == Engine::stepped ? AheadOfNeed::no : AheadOfNeed::yes)),
      log_(writer_.get(), log_snapshots_, turn_, *options_.clock, gate_, *upcasting_, hooks(), options_.engine),
      engine_(options_.engine, *options_.clock, turn_, work_, progress_, [this] { let_go_of_snapshots(); }),
      reader_(query_snapshots_, *options_.clock, engine_, options_.projections, options_.file),
      dispatcher_(
          options_.engine == Engine::stepped ? subscription::Dispatcher::Drive::steps
                                             : subscription::Dispatcher::Drive::thread,
          readers_, *options_.clock,
          {.news = news_,
           .notice = [this](const std::string& message) { options_.on_notice({Notice::Level::warning, message}); },
           .check_may_wait = [this] { engine_.check_may_wait(); }}) {
  if (!writer_) return;
  catalog_ = projection::register_projections(*writer_, options_.projections);
  synchronous_ = std::make_unique<projection::Applier>(*writer_, catalog_, projection::Newer::refuse, tracer());
  if (options_.engine != Engine::off) start_engine();
}

log::Hooks Store::Impl::hooks() {
  return {.project = [this](std::span<const Message> messages) { project(messages); },
          .undone =
              [this] {
                synchronous_->forget();
                taken_.clear();
                rows_changed_ = false;
              },
          .committed = [this](std::span<const Message> messages) { publish(messages); }};
}

// What is committed stays so, whatever those who are told of it throw.
void Store::Impl::publish(std::span<const Message> messages) {
  try {
    tell(messages);
  } catch (...) {
    options_.on_notice({Notice::Level::error, "telling of what was recorded has failed: " + words_of_thrown()});
  }
}

void Store::Impl::tell(std::span<const Message> messages) {
  clock_watch_.look(*messages.back().event, options_.clock->wall_time(), options_.on_notice);
  // Taken before the bus has them, so that no delivery is told with a time before its event's.
  const Instant now = options_.clock->now();
  drained_ = false;
  bus_->publish(messages);
  news_.notify();
  if (std::exchange(rows_changed_, false)) progress_.notify();
  if (!options_.on_trace) return;
  for (const Message& message : messages) {
    options_.on_trace({.kind = Trace::Kind::appended, .at = now, .event = message.event});
  }
  for (Trace& taken : std::exchange(taken_, {})) {
    taken.at = now;
    options_.on_trace(taken);
  }
}

projection::OnTaken Store::Impl::tracer() {
  if (!options_.on_trace) return {};
  return [this](projection::Taken taken, std::string_view projection, const RecordedEvent& event) {
    if (taken == projection::Taken::skipped) return;
    taken_.push_back({.kind = Trace::Kind::applied,
                      .at = {},
                      .event = std::make_shared<const RecordedEvent>(event),
                      .projection = std::string(projection),
                      .synchronous = true});
  };
}

// A synchronous append: rows and events in one transaction.
void Store::Impl::project(std::span<const Message> messages) {
  synchronous_->load(options_.clock->wall_time());
  if (synchronous_->has_outdated()) {
    throw Error(ErrorCode::projection_failed, "cannot project synchronously while a projection is being made again");
  }
  try {
    const projection::Judge apply_all = [](std::int64_t, std::int64_t, Position) { return projection::Judgement{}; };
    for (const Message& message : messages) static_cast<void>(synchronous_->apply(*message.event, apply_all));
  } catch (const projection::ApplyFailure& failure) {
    throw Error(ErrorCode::projection_failed, failure.what());
  }
  if (synchronous_->is_dead(messages.front().event->stream_number)) {
    throw Error(ErrorCode::projection_failed,
                "cannot project synchronously: an earlier event of the stream is a dead letter");
  }
  synchronous_->save();
  projected_ = messages.back().event->position;
  rows_changed_ = true;
}

// Events as they were recorded, for who reads while the store is being closed as well.
ReadAhead::Read Store::Impl::read_ahead() {
  if (options_.engine == Engine::stepped) return {};
  return [this](Position after, std::size_t events_max) {
    return log::read_all(log_snapshots_.borrow()->connection(), after, events_max);
  };
}

void Store::Impl::start_engine() {
  projector_connection_ = std::make_unique<sqlite::Connection>(of_the_projector());
  engine_.start(std::make_unique<projection::Projector>(projection::ProjectorContext{
      .connection = *projector_connection_,
      .writer = *writer_,
      .catalog = catalog_,
      .turn = turn_,
      .bus = *bus_,
      .clock = *options_.clock,
      .waits = engine_.waits(),
      .projected_by_appends = projected_,
      .store = options_.file,
      .work = work_,
      .progress = progress_,
      .notice = [this](Notice::Level level, const std::string& message) { options_.on_notice({level, message}); },
      .trace = options_.on_trace,
      .read_ahead = read_ahead(),
      .options = options_.projector}));
}

bool Store::Impl::drain(const std::function<bool()>& cancelled) {
  engine_.check_may_wait();
  const store::RemainderLook look(engine_, options_.projections, log_.head());
  while (true) {
    const std::uint64_t seen = engine_.count();
    engine_.check_open();
    const store::Remainder remainder = look(*readers_.borrow());
    drained_ = remainder != store::Remainder::ours;
    if (remainder == store::Remainder::nothing) return true;
    const bool nobody_projects = engine_.is_off() || engine_.is_crashed() || engine_.failure();
    if (nobody_projects || remainder == store::Remainder::of_others || (cancelled && cancelled())) return false;
    engine_.wait_for_drain(seen);
  }
}

void Store::Impl::check_writable() const {
  if (!writer_) throw Error(ErrorCode::read_only, "the store was opened for reading");
}

void Store::Impl::check_known(std::string_view name) const {
  if (std::ranges::none_of(options_.projections, [&](const auto& projection) { return projection->name() == name; })) {
    throw Error(ErrorCode::invalid, "there is no projection '" + std::string(name) + "' in this store");
  }
}

projection::Catalog Store::Impl::chosen(const std::optional<std::string>& name) const {
  if (!name) return catalog_;
  check_known(*name);
  projection::Catalog chosen = catalog_;
  std::erase_if(chosen, [&](const auto& registered) { return registered.projection->name() != *name; });
  return chosen;
}

bool Store::Impl::rebuild(std::string_view name, const Progress& progress) {
  check_writable();
  turn_.check_not_held_here();
  sqlite::Connection connection(of_the_projector());
  projection::Rebuild rebuild(connection, turn_, *options_.clock, catalog_, chosen(std::string(name)).front(),
                              options_.file, options_.projector, read_ahead());
  const Instant deadline = options_.clock->now() + options_.busy_timeout;
  while (!rebuild.acquire() && options_.clock->now() < deadline) {
    if (progress && !progress(0, log_.head().value)) return false;
    options_.clock->sleep_until(std::min(deadline, options_.clock->now() + rebuild_look));
  }
  try {
    while (rebuild.step()) {
      if (progress && !progress(rebuild.position().value, rebuild.head().value)) {
        rebuild.abandon();
        return false;
      }
      options_.clock->sleep_until(rebuild.next_attempt());
    }
  } catch (...) {
    rebuild.abandon();
    throw;
  }
  progress_.notify();
  if (progress) static_cast<void>(progress(rebuild.position().value, rebuild.position().value));
  return true;
}

std::vector<DeadLetter> Store::Impl::dead_letters(const DeadLetterChoice& choice) {
  if (choice.projection) check_known(*choice.projection);
  const auto connection = readers_.borrow();
  const sqlite::Transaction snapshot(*connection, sqlite::Transaction::Kind::read);
  std::vector<DeadLetter> letters;
  for (const auto& projection : options_.projections) {
    const auto entry = projection::find_entry(*connection, projection->name());
    if (!entry || (choice.projection && *choice.projection != projection->name())) continue;
    auto found = projection::find_dead_letters(*connection, projection->name(), entry->number, choice);
    letters.insert(letters.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  return letters;
}

std::int64_t Store::Impl::retry_dead_letters(const DeadLetterChoice& choice, const Progress& progress) {
  check_writable();
  turn_.check_not_held_here();
  sqlite::Connection connection(of_the_projector());
  const auto total = static_cast<std::int64_t>(dead_letters(choice).size());
  std::int64_t applied = 0;
  for (const projection::Registered& registered : chosen(choice.projection)) {
    projection::Retry retry(connection, turn_, *options_.clock, registered, choice);
    while (retry.has_more()) {
      retry.step();
      progress_.notify();
      if (progress && !progress(applied + retry.applied(), total)) return applied + retry.applied();
    }
    applied += retry.applied();
  }
  return applied;
}

std::int64_t Store::Impl::discard_dead_letters(const DeadLetterChoice& choice) {
  check_writable();
  turn_.check_not_held_here();
  sqlite::Connection connection(of_the_projector());
  const std::lock_guard turn(turn_);
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  std::int64_t discarded = 0;
  for (const projection::Registered& registered : chosen(choice.projection)) {
    const projection::Entry entry = projection::entry_of(connection, *registered.projection);
    discarded += projection::discard_dead_letters(connection, entry.number, choice, options_.clock->wall_time());
  }
  transaction.commit();
  progress_.notify();
  return discarded;
}

// A process that appended while we held the lease left its events to us; it may have done so after our last look.
void Store::Impl::project_what_was_left() {
  if (!drained_) return;
  const auto connection = readers_.borrow();
  const Position head = log::last_of_log(*connection).position;
  const store::RemainderLook look(engine_, options_.projections, head);
  engine_.finish([&] { return look(*connection) != store::Remainder::ours; });
}

void Store::Impl::close() {
  const auto finish = [this] {
    let_go_of_snapshots();
    std::exception_ptr failure;
    try {
      project_what_was_left();
    } catch (...) {
      failure = std::current_exception();
    }
    // After the engine, so that a callback that waits in a read has been woken.
    dispatcher_.stop();
    log_.close();
    if (failure) std::rethrow_exception(failure);
  };
  gate_.close([this] { engine_.stop(); }, finish);
}

Store::Store(StoreOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Store::~Store() {
  if (impl_->gate_.is_of_parent()) {
    // Its threads are in another process, and the file is that one's to close. All of it is left as it is.
    static_cast<void>(impl_.release());  // NOLINT(bugprone-unused-return-value)
    return;
  }
  try {
    close();
  } catch (...) {
    impl_->options_.on_notice({Notice::Level::error, "while closing: " + words_of_thrown()});
  }
  ensure(impl_->sessions_ == 0, "a Session ends before its store is destroyed");
}

const std::filesystem::path& Store::file() const {
  return impl_->options_.file;
}
EventLog& Store::log() {
  return impl_->log_;
}
Bus& Store::bus() {
  return *impl_->bus_;
}
Clock& Store::clock() {
  return *impl_->options_.clock;
}
StoreIdentity Store::identity() const {
  const Gate::Visit visit(impl_->gate_);
  return log::identity_of(*impl_->readers_.borrow());
}
Reading Store::read(const ReadRequest& request) {
  const Gate::Visit visit(impl_->gate_);
  return impl_->reader_.read(request);
}
bool Store::drain(const std::function<bool()>& cancelled) {
  const Gate::Visit visit(impl_->gate_);
  return impl_->drain(cancelled);
}
bool Store::step() {
  const Gate::Visit visit(impl_->gate_);
  const bool projected = impl_->engine_.step();
  return (!impl_->engine_.is_off() && impl_->dispatcher_.step()) || projected;
}
std::optional<Instant> Store::next_step() {
  const Gate::Visit visit(impl_->gate_);
  const auto next = impl_->engine_.next_step();
  return !impl_->engine_.is_off() && impl_->dispatcher_.is_due() ? clock().now() : next;
}
Subscription<EventBatch> Store::subscribe_to_events(EventsRequest request, OnNews<EventBatch> callback, Post post) {
  const Gate::Visit visit(impl_->gate_);
  auto feed =
      std::make_unique<subscription::EventFeed>(std::move(request), impl_->upcasting_, *impl_->readers_.borrow());
  return impl_->dispatcher_.subscribe<EventBatch>(std::move(feed), std::move(callback), std::move(post));
}
Subscription<Changes> Store::subscribe_to_changes(ChangesRequest request, OnNews<Changes> callback, Post post) {
  const Gate::Visit visit(impl_->gate_);
  auto feed = std::make_unique<subscription::ChangeFeed>(std::move(request), *impl_->readers_.borrow());
  return impl_->dispatcher_.subscribe<Changes>(std::move(feed), std::move(callback), std::move(post));
}
bool Store::is_projecting() const {
  return impl_->engine_.is_projecting();
}
void Store::crash_projector(CrashPoint point) {
  const Gate::Visit visit(impl_->gate_);
  impl_->engine_.check_may_wait();
  impl_->engine_.crash(point);
}
void Store::restart_projector() {
  const Gate::Visit visit(impl_->gate_);
  impl_->engine_.restart();
}
std::vector<ProjectionStatus> Store::projections() {
  const Gate::Visit visit(impl_->gate_);
  return store::statuses(*impl_->readers_.borrow(), impl_->options_, impl_->engine_);
}
bool Store::rebuild(std::string_view projection, const Progress& progress) {
  const Gate::Visit visit(impl_->gate_);
  return impl_->rebuild(projection, impl_->unless_closed(progress));
}
std::vector<DeadLetter> Store::dead_letters(const DeadLetterChoice& choice) {
  const Gate::Visit visit(impl_->gate_);
  return impl_->dead_letters(choice);
}
std::int64_t Store::retry_dead_letters(const DeadLetterChoice& choice, const Progress& progress) {
  const Gate::Visit visit(impl_->gate_);
  return impl_->retry_dead_letters(choice, impl_->unless_closed(progress));
}
std::int64_t Store::discard_dead_letters(const DeadLetterChoice& choice) {
  const Gate::Visit visit(impl_->gate_);
  return impl_->discard_dead_letters(choice);
}
std::optional<Backup> Store::backup(const std::filesystem::path& file, ExistingFile existing,
                                    const Progress& progress) {
  const Gate::Visit visit(impl_->gate_);
  const auto connection = impl_->readers_.borrow();
  return log::backup(*connection, impl_->options_.file, file, existing, impl_->unless_closed(progress));
}
Verification Store::verify(const Progress& progress) {
  const Gate::Visit visit(impl_->gate_);
  return store::verify(impl_->options_, impl_->unless_closed(progress));
}
void Store::close() {
  impl_->close();
}
void Store::count_sessions(int change) {
  impl_->sessions_ += change;
}

}  // namespace freshet
