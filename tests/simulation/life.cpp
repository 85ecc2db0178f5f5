// Opening, closing and crashing, and what is seen of the stores from outside.
#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "projections.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

using namespace std::chrono_literals;
using tests::TempDir;

constexpr int schema_version_max = 4;

// Only rebuilds meet here: one thread has no transaction open when another store's begins.
constexpr Duration busy_timeout = 50ms;

// How a projection fails on the event: by letting SQLite undo the transaction, and going on as if it had not.
bool undoes(const RecordedEvent& event) {
  return tests::amount(event) % 2 == 0;
}

class Treacherous final : public tests::Fragile {
 public:
  using Fragile::Fragile;

  void apply(const RecordedEvent& event, Tables& tables) const override {
    try {
      Fragile::apply(event, tables);
      return;
    } catch (const std::runtime_error&) {
      if (!undoes(event)) throw;
    }
    for (const char* sql :
         {"INSERT OR ROLLBACK INTO {fragile} VALUES (NULL, NULL, NULL)", "INSERT INTO {fragile} VALUES (1, 1, 1)"}) {
      try {
        tables.execute(sql);
      } catch (const Error&) {  // NOLINT(bugprone-empty-catch): that is what it is for.
      }
    }
  }
};

std::vector<std::shared_ptr<const Projection>> projections(int schema_version, tests::Fragile::Throws throws) {
  return {std::make_shared<tests::Totals>(schema_version), std::make_shared<tests::Latest>(),
          std::make_shared<Treacherous>(std::move(throws))};
}

// An empty store, made once: to copy it is several times cheaper than to make it.
const TempDir& empty_store() {
  static const TempDir directory;
  static const bool made = [] {
    const Store store({.file = directory.file(),
                       .engine = Engine::off,
                       .projections = projections(1, [](const RecordedEvent&) { return false; }),
                       .durability = Durability::process_crash});
    return true;
  }();
  expect("the empty store is made", made);
  return directory;
}

// Another name of the file.
std::filesystem::path link_to(const std::filesystem::path& file) {
  const std::filesystem::path link = file.string() + "-link";
  if (!std::filesystem::is_symlink(link)) std::filesystem::create_symlink(file.filename(), link);
  return link;
}

// Tables of a rebuild that is going on.
bool has_new_tables(Store& store) {
  Reading reading = store.read({.projections = {"totals"}});
  Rows rows = reading.query("SELECT count(*) FROM sqlite_master WHERE name LIKE 'totals!_%' ESCAPE '!'");
  return rows.next() && rows.integer(0) > 0;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, Counters& counters, Journal& journal)
    : dice_(seed), counters_(counters), journal_(journal), faults_(draw_faults(dice_)) {
  copy_files(empty_store(), *directory_);
  clock_->on_sleep([this](Instant waking) { meanwhile(waking); });
}

Simulation::~Simulation() {
  // The stores look at the rest while they close.
  for (Process& process : processes_) process.store.reset();
}

void Simulation::open(Process& process) {
  const BusOptions bus = draw_bus(faults_, dice_);
  process.opening = ++openings_;
  process.schema_version = schema_version_;
  process.messages_max = bus.messages_max;
  process.crashed = false;
  process.dead = false;
  process.stopped_at = std::nullopt;
  process.in_memory.clear();
  if (holder_ == &process) holder_ = nullptr;
  process.registered = any_projections();
  counters_.count_if(other_than(process).store && other_than(process).registered != process.registered,
                     Rare::different_projections);
  process.linked = dice_.chance(faults_.linked);
  counters_.count_if(other_than(process).store && other_than(process).linked != process.linked,
                     Rare::two_names_of_the_file);
  note("open " + process.name + (process.linked ? " by a link" : "") + ", schema version " + text(schema_version_));
  for (const std::string& name : process.registered) note("  registers " + name);
  auto rules = projections(schema_version_, [this](const RecordedEvent& event) { return fails(event); });
  std::erase_if(rules, [&](const auto& rule) { return !process.has(rule->name()); });
  process.store = std::make_unique<Store>(
      StoreOptions{.file = process.linked ? link_to(directory_->file()) : directory_->file(),
                   .mode = OpenMode::existing,
                   .engine = Engine::stepped,
                   .projections = rules,
                   .durability = Durability::process_crash,
                   .busy_timeout = busy_timeout,
                   .projector = faults_.projector,
                   .bus = bus,
                   .clock = clock_,
                   .on_notice = [this, &process](const Notice& notice) { hear(process, notice); },
                   .on_trace = [this, &process](const Trace& trace) { observe(process, trace); }});
}

void Simulation::close(Process& process) {
  note("close " + process.name);
  process.store->close();
  process.store.reset();
}

void Simulation::reopen(Process& process) {
  close(process);
  open(process);
}

// Whoever still has the closed store in hand is told so.
void Simulation::close_in_the_middle(Process& process) {
  note("close " + process.name + " in the middle");
  process.store->close();
  const auto expect_closed = [](const char* what, const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      expect_equal(what, std::string(name(ErrorCode::closed)), std::string(name(error.code())));
      return;
    }
    throw Violation(what, "closed", "an answer");
  };
  const NewEvent event{.type = "Deposited", .data = "1"};
  expect_closed("an append to a closed store", [&] {
    static_cast<void>(process.store->log().append(
        {.stream = {"account", "a"}, .expected = ExpectedVersion::any(), .events = {&event, 1}}));
  });
  expect_closed("a read of a closed store",
                [&] { static_cast<void>(process.store->read({.projections = {"totals"}})); });
  expect_closed("a step of a closed store", [&] { static_cast<void>(process.store->step()); });
  expect_closed("a drain of a closed store", [&] { static_cast<void>(process.store->drain()); });
  counters_.count(Rare::closed_in_the_middle);
  process.store.reset();
  open(process);
}

void Simulation::crash() {
  note("crash");
  counters_.count_if(has_new_tables(*processes_[0].store), Rare::crash_in_background_rebuild);
  auto next = std::make_unique<TempDir>();
  copy_files(*directory_, *next);
  go_on_in(std::move(next));
}

// The processes of the old directory are dead; what they do there is not seen any more.
void Simulation::go_on_in(std::unique_ptr<TempDir> directory) {
  for (Process& process : processes_) {
    process.dead = true;
    process.store.reset();
  }
  directory_ = std::move(directory);
  holder_ = nullptr;
  open(processes_[0]);
  counters_.count(Rare::crash_of_process);
}

// The projector alone dies, now or with its next batch, and mostly lives again soon.
void Simulation::crash_projector(Process& process) {
  const CrashPoint point = dice_.chance(0.5) ? CrashPoint::now : CrashPoint::before_offsets;
  note("crash the projector of " + process.name + (point == CrashPoint::now ? " now" : " before its offsets"));
  process.crash_point = point;
  process.store->crash_projector(point);
  if (dice_.chance(0.5)) process.store->step();
  if (dice_.chance(0.7)) {
    process.store->restart_projector();
    process.crashed = false;
  }
}

void Simulation::open_or_reopen_other() {
  if (processes_[1].store) {
    reopen(processes_[1]);
  } else {
    open(processes_[1]);
  }
}

// A newer release is installed; the other process may go on with the old one.
void Simulation::raise_schema_version(Process& process) {
  if (schema_version_ == schema_version_max) return;
  ++schema_version_;
  reopen(process);
  Process& other = other_than(process);
  counters_.count_if(other.store != nullptr, Rare::old_release_beside_new);
  for (auto count = dice_.below(4); count > 0; --count) process.store->step();
}

bool Simulation::Process::has(std::string_view projection) const {
  return std::ranges::find(registered, projection) != registered.end();
}

// All of them, or all but one.
std::vector<std::string> Simulation::any_projections() {
  std::vector<std::string> names(projection_names.begin(), projection_names.end());
  if (!calm_ && dice_.chance(faults_.partial)) {
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(dice_.below(names.size())));
  }
  return names;
}

// Only one of the two can project all that it registers.
bool Simulation::share_a_lease(const Process& one, const Process& other) {
  return std::ranges::any_of(one.registered, [&](const std::string& name) {
    return other.has(name) && (name != "totals" || one.schema_version == other.schema_version);
  });
}

Simulation::Process& Simulation::any_process() {
  return processes_[1].store && dice_.chance(0.5) ? processes_[1] : processes_[0];
}

Simulation::Process& Simulation::other_than(const Process& process) {
  return &process == processes_.data() ? processes_[1] : processes_[0];
}

// A failure passes, sometimes before the retries are used up and sometimes after.
bool Simulation::fails(const RecordedEvent& event) {
  if (calm_ || tests::amount(event) % 7 != 0 || !dice_.chance(faults_.failing)) return false;
  file_.failing.insert(event.position.value);
  counters_.count_if(undoes(event), Rare::transaction_undone);
  return true;
}

void Simulation::observe(Process& process, const Trace& trace) {
  if (process.dead) return;
  using Kind = Trace::Kind;
  static constexpr std::array<const char*, 7> kinds = {"appended", "delivered",         "applied",  "skipped",
                                                       "offsets",  "projector crashed", "restarted"};
  std::string line = "  " + process.name + " " + kinds[static_cast<std::size_t>(trace.kind)];
  if (trace.event) line += " " + text(trace.event->position) + " " + trace.projection + " #" + text(trace.attempt);
  note(line);
  if (trace.kind == Kind::appended) {
    process.in_memory.insert(trace.event->position.value);
  } else if (trace.kind == Kind::delivered) {
    observe_delivery(process, trace);
  } else if (trace.kind == Kind::applied) {
    observe_applied(trace);
  } else if (trace.kind == Kind::skipped) {
    counters_.count(Rare::duplicate_skipped);
    counters_.count_if(file_.fetched.contains(trace.event->position.value), Rare::delivery_after_fetch);
  } else if (trace.kind == Kind::offsets_committed) {
    counters_.count(Rare::offsets_committed);
  } else if (trace.kind == Kind::crashed) {
    process.crashed = true;
    const bool now = process.crash_point == CrashPoint::now;
    counters_.count(now ? Rare::projector_crash_now : Rare::projector_crash_before_offsets);
    counters_.count_if(!file_.failing.empty(), Rare::projector_crash_with_failing_event);
    counters_.count_if(dead_letters_, Rare::projector_crash_with_dead_letters);
  } else {
    const Process& other = other_than(process);
    if (other.store && !other.dead && share_a_lease(process, other) && process.store->is_projecting() &&
        other.store->is_projecting()) {
      unexpected_ = "two stores project at once";
    }
    counters_.count_if(holder_ == &other_than(process) && holder_->store, Rare::lease_taken_over);
    holder_ = &process;
    process.taken_over_at = file_.model.head();
    process.in_memory.clear();
  }
}

void Simulation::observe_delivery(Process& process, const Trace& trace) {
  const std::int64_t position = trace.event->position.value;
  counters_.count_if(trace.attempt > 2 || (trace.attempt > 1 && faults_.duplicate <= 0.0), Rare::redelivery);
  if (trace.attempt > 1) return;
  const bool published = process.in_memory.erase(position) > 0;
  counters_.count_if(!published && position > process.taken_over_at, Rare::gap_healed_from_log);
}

void Simulation::observe_applied(const Trace& trace) {
  const std::int64_t position = trace.event->position.value;
  const auto* const name = std::find(projection_names.begin(), projection_names.end(), trace.projection);
  const auto index = static_cast<std::size_t>(name - projection_names.begin());
  file_.applied_at.at(index).emplace(position, trace.at);
  if (trace.projection == "fragile") file_.failing.erase(position);
  if (trace.synchronous) applied_synchronously_.push_back(position);
}

void Simulation::hear(Process& process, const Notice& notice) {
  if (notice.level != Notice::Level::error) return;
  const auto says = [&](const char* text) { return notice.message.find(text) != std::string::npos; };
  const bool outdated = process.schema_version < schema_version_ && says("a newer release");
  const bool allowed = outdated || (faults_.projector.on_failure == OnFailure::stop && says("failed on the event"));
  if (!allowed) unexpected_ = notice.message;
  process.stopped_at = clock_->now();
  note("  " + process.name + ": " + notice.message);
  counters_.count(Rare::projector_stopped);
}

// While one waits, another thread or process appends or projects.
void Simulation::meanwhile(Instant waking) {
  if (calm_ || sleeping_ == nullptr) return;
  if (disturbance_) return disturbance_();
  if (!dice_.chance(faults_.meanwhile)) return;
  const auto span = std::chrono::duration_cast<Duration>(waking - clock_->now());
  clock_->move_to(clock_->now() + dice_.duration(span));
  ++interruptions_;
  Process& other = other_than(*sleeping_);
  if (other.store && dice_.chance(0.5)) {
    note("  meanwhile " + other.name + " steps");
    other.store->step();
    return;
  }
  note("  meanwhile somebody appends");
  counters_.count(Rare::append_while_waiting);
  append(any_process(), any_draft());
}

void Simulation::note(const std::string& line) {
  journal_.add(std::to_string(clock_->now().time_since_epoch() / 1us) + " " + line);
}

}  // namespace freshet::simulation
