// The store: wires the parts along the flow of data, and opens and closes them in order.
#include "freshet/store.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/ensure.hpp"
#include "freshet/error.hpp"
#include "log/format.hpp"
#include "log/sqlite_event_log.hpp"
#include "projection/projector.hpp"
#include "query/freshness.hpp"
#include "query/reader.hpp"
#include "store/engine.hpp"
#include "store/verify.hpp"

namespace freshet {
namespace {

// How often drain() asks whether it was cancelled.
constexpr Duration cancel_look = std::chrono::milliseconds{20};

sqlite::ConnectionOptions connection_options(const StoreOptions& options, sqlite::Access access, sqlite::Sync sync) {
  return {.file = options.file, .access = access, .sync = sync, .busy_timeout = options.busy_timeout};
}

// The file as it has to be before anything else is opened.
StoreOptions prepared(StoreOptions options) {
  if (!options.clock) options.clock = std::make_shared<SystemClock>();
  if (!options.on_notice) options.on_notice = [](const Notice&) {};
  if (options.mode == OpenMode::read_only) options.engine = Engine::off;
  log::prepare_file(options.file, options.mode, options.busy_timeout, *options.clock);
  return options;
}

}  // namespace

class Store::Impl {
 public:
  explicit Impl(StoreOptions options);

  bool drain(const std::function<bool()>& cancelled);
  std::vector<ProjectionStatus> projections();
  bool rebuild(std::string_view name, const Progress& progress);
  void close();

  // In the order of the data flow; destroyed from the end of it.
  StoreOptions options_;
  // The last connection to close: it folds the write-ahead log into the file. None when reading only.
  std::unique_ptr<sqlite::Connection> writer_;
  sqlite::Pool readers_;
  projection::Catalog catalog_;
  log::Turn turn_;
  std::unique_ptr<projection::Applier> synchronous_;  // On the writer's connection.
  std::unique_ptr<Bus> bus_;
  log::SqliteEventLog log_;
  Signal work_;
  Signal progress_;
  std::unique_ptr<sqlite::Connection> projector_connection_;
  projection::Lease lease_;
  store::EngineDriver engine_;
  query::Reader reader_;

 private:
  [[nodiscard]] log::Hooks hooks();
  void register_projections();
  void project(const std::vector<RecordedEvent>& events);
  void publish(std::span<const Message> messages);
  [[nodiscard]] projection::OnTaken tracer();
  void start_engine();
  [[nodiscard]] bool has_applied_all(Position through);

  std::vector<Trace> taken_;  // By synchronous appends of the open transaction; told after its commit.
  std::atomic<bool> drained_ = false;
  bool rows_changed_ = false;  // By the append in progress; used only under the turn.
  bool closed_ = false;
};

Store::Impl::Impl(StoreOptions options)
    : options_(prepared(std::move(options))),
      writer_(options_.mode == OpenMode::read_only
                  ? nullptr
                  : std::make_unique<sqlite::Connection>(connection_options(
                        options_, sqlite::Access::read_write,
                        options_.durability == Durability::power_loss ? sqlite::Sync::full : sqlite::Sync::normal))),
      readers_(connection_options(options_, sqlite::Access::read_only, sqlite::Sync::normal)),
      bus_(make_in_process_bus(
          options_.bus, [this](Position after, std::size_t events_max) { return log_.read_all(after, events_max); },
          *options_.clock)),
      log_(writer_.get(), readers_, turn_, *options_.clock, hooks()),
      lease_(options_.file, "lease"),
      engine_(options_.engine, *options_.clock, work_, progress_),
      reader_(readers_, *options_.clock, engine_) {
  if (!writer_) return;
  register_projections();
  synchronous_ = std::make_unique<projection::Applier>(*writer_, catalog_, tracer());
  if (options_.engine != Engine::off) start_engine();
}

void Store::Impl::register_projections() {
  const auto is_known = [this](const auto& projection) {
    const auto entry = projection::find_entry(*writer_, projection->name());
    return entry && entry->schema_version <= projection->schema_version();
  };
  if (std::all_of(options_.projections.begin(), options_.projections.end(), is_known)) {
    for (const auto& projection : options_.projections) {
      catalog_.push_back({projection, projection::find_entry(*writer_, projection->name())->number});
    }
    return;
  }
  sqlite::Transaction transaction(*writer_, sqlite::Transaction::Kind::write);
  catalog_ = projection::register_projections(*writer_, options_.projections);
  transaction.commit();
}

log::Hooks Store::Impl::hooks() {
  return {.project = [this](const std::vector<RecordedEvent>& events) { project(events); },
          .undone =
              [this] {
                synchronous_->forget();
                taken_.clear();
                rows_changed_ = false;
              },
          .committed = [this](std::span<const Message> messages) { publish(messages); }};
}

void Store::Impl::publish(std::span<const Message> messages) {
  // Taken before the bus has them, so that no delivery is told with a time before its event's.
  const Instant now = options_.clock->now();
  bus_->publish(messages);
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
void Store::Impl::project(const std::vector<RecordedEvent>& events) {
  synchronous_->load(options_.clock->wall_time());
  if (synchronous_->has_outdated()) {
    throw Error(ErrorCode::projection_failed, "cannot project synchronously while a projection is being made again");
  }
  try {
    const projection::Judge apply_all = [](std::int64_t, std::int64_t, Position) { return projection::Judgement{}; };
    for (const RecordedEvent& event : events) static_cast<void>(synchronous_->apply(event, apply_all));
  } catch (const projection::ApplyFailure& failure) {
    throw Error(ErrorCode::projection_failed, failure.what());
  }
  if (synchronous_->is_dead(events.front().stream_number)) {
    throw Error(ErrorCode::projection_failed,
                "cannot project synchronously: an earlier event of the stream is a dead letter");
  }
  synchronous_->save();
  rows_changed_ = true;
}

void Store::Impl::start_engine() {
  projector_connection_ = std::make_unique<sqlite::Connection>(
      connection_options(options_, sqlite::Access::read_write, sqlite::Sync::normal));
  engine_.start(std::make_unique<projection::Projector>(projection::ProjectorContext{
      .connection = *projector_connection_,
      .catalog = catalog_,
      .turn = turn_,
      .bus = *bus_,
      .clock = *options_.clock,
      .lease = lease_,
      .store = options_.file,
      .work = work_,
      .progress = progress_,
      .notice = [this](Notice::Level level, const std::string& message) { options_.on_notice({level, message}); },
      .trace = options_.on_trace,
      .options = options_.projector}));
}

bool Store::Impl::has_applied_all(Position through) {
  const auto connection = readers_.borrow();
  return std::all_of(options_.projections.begin(), options_.projections.end(), [&](const auto& projection) {
    const auto entry = projection::find_entry(*connection, projection->name());
    return entry && entry->schema_version == projection->schema_version() && entry->checkpoint >= through;
  });
}

bool Store::Impl::drain(const std::function<bool()>& cancelled) {
  const Position head = log_.head();
  const std::uint64_t refusals = engine_.refusals();
  engine_.hurry();
  while (true) {
    const std::uint64_t seen = engine_.count();
    engine_.check_open();
    if (has_applied_all(head)) return drained_ = true;
    const bool others_project = !engine_.is_projecting() && engine_.refusals() != refusals;
    const bool nobody_projects = engine_.is_off() || engine_.is_crashed() || engine_.failure();
    if (nobody_projects || others_project || (cancelled && cancelled())) return false;
    engine_.wait(seen, options_.clock->now() + cancel_look);
  }
}

std::vector<ProjectionStatus> Store::Impl::projections() {
  const auto connection = readers_.borrow();
  const sqlite::Transaction snapshot(*connection, sqlite::Transaction::Kind::read);
  const Position head = log::last_of_log(*connection).position;
  const Timestamp now = options_.clock->wall_time();
  std::vector<ProjectionStatus> statuses;
  for (const auto& projection : options_.projections) {
    const auto entry = projection::find_entry(*connection, projection->name());
    if (!entry) continue;
    const query::Lag lag = query::lag_of_log(*connection, *entry, now);
    statuses.push_back({.name = std::string(projection->name()),
                        .schema_version = static_cast<int>(entry->schema_version),
                        .position = entry->checkpoint,
                        .head = head,
                        .behind_events = lag.events,
                        .behind = lag.age,
                        .duplicates_skipped = entry->duplicates_skipped,
                        .dead_letters = query::dead_letters(*connection, *entry, std::nullopt)});
  }
  return statuses;
}

bool Store::Impl::rebuild(std::string_view name, const Progress& progress) {
  if (!writer_) throw Error(ErrorCode::read_only, "the store was opened for reading");
  const auto found = std::find_if(catalog_.begin(), catalog_.end(),
                                  [&](const auto& registered) { return registered.projection->name() == name; });
  if (found == catalog_.end()) {
    throw Error(ErrorCode::invalid, "there is no projection '" + std::string(name) + "' in this store");
  }
  sqlite::Connection connection(connection_options(options_, sqlite::Access::read_write, sqlite::Sync::normal));
  projection::Rebuild rebuild(connection, turn_, *options_.clock, *found, options_.file);
  while (rebuild.step()) {
    if (progress && !progress(rebuild.position().value, rebuild.head().value)) {
      rebuild.abandon();
      return false;
    }
  }
  progress_.notify();
  if (progress) static_cast<void>(progress(rebuild.position().value, rebuild.position().value));
  return true;
}

void Store::Impl::close() {
  if (closed_) return;
  closed_ = true;
  engine_.stop();
  if (drained_) {
    // A process that appended while we held the lease left its events to us; it may have done so after
    // our last look.
    engine_.finish([this] { return has_applied_all(log_.head()); });
  }
  log_.close();
}

Store::Store(StoreOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Store::~Store() {
  try {
    close();
  } catch (const std::exception& exception) {
    impl_->options_.on_notice({Notice::Level::error, std::string("while closing: ") + exception.what()});
  }
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
Reading Store::read(const ReadRequest& request) {
  return impl_->reader_.read(request);
}
bool Store::drain(const std::function<bool()>& cancelled) {
  return impl_->drain(cancelled);
}
bool Store::step() {
  return impl_->engine_.step();
}
std::optional<Instant> Store::next_step() {
  return impl_->engine_.next_step();
}
bool Store::is_projecting() const {
  return impl_->engine_.is_projecting();
}
void Store::crash_projector(CrashPoint point) {
  impl_->engine_.crash(point);
}
void Store::restart_projector() {
  impl_->engine_.restart();
}
std::vector<ProjectionStatus> Store::projections() {
  return impl_->projections();
}

bool Store::rebuild(std::string_view projection, const Progress& progress) {
  return impl_->rebuild(projection, progress);
}

Verification Store::verify(const Progress& progress) {
  return store::verify(impl_->options_.file, impl_->options_.projections, progress);
}

void Store::close() {
  impl_->close();
}

}  // namespace freshet
