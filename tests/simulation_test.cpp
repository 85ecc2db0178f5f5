// The whole engine against a small model, driven by one seed: appends, retries, deliveries, crashes and
// rebuilds in random order, every answer compared with a fold of the log. FRESHET_SEED=N runs that seed alone.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "bus/delay.hpp"
#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

constexpr std::uint64_t seeds = 200;
constexpr int steps = 60;
constexpr int attempts_max = 3;

// How often what is rare has happened; a simulation that never gets there proves nothing of it.
struct Seen {
  int conflicts = 0;
  int retries = 0;
  int crashes = 0;
  int projector_crashes = 0;
  int rebuilds = 0;
  int stale_reads = 0;
  int waits = 0;
  int gaps = 0;
  int duplicates = 0;
  int dead_letters = 0;
  int foreign_appends = 0;
};

// What the log has to hold: a vector and two maps.
struct ModelLog {
  struct Event {
    std::string stream;
    std::int64_t version;
    std::int64_t amount;
  };
  std::vector<Event> events;  // That of position p at p - 1.
  std::map<std::string, std::int64_t> versions;
  std::map<std::string, Appended> commands;

  [[nodiscard]] Position head() const { return Position{static_cast<std::int64_t>(events.size())}; }
};

BusOptions random_bus(Random& random) {
  const Duration mean{static_cast<std::int64_t>(random() % 50'000)};
  BusOptions bus{.delay = FixedDelay{mean}, .seed = random()};
  switch (random() % 4) {
    case 0:
      bus.delay = UniformDelay{0us, mean};
      break;
    case 1:
      bus.delay = ExponentialDelay{mean};
      break;
    case 2:
      bus.delay = NormalDelay{mean, mean};
      break;
    default:
      break;
  }
  bus.duplicate_probability = happens(0.5, random) ? 0.4 : 0.0;
  bus.redeliver_after = happens(0.5, random) ? 5ms : 30s;
  bus.partitions = static_cast<int>(random() % 8) + 1;
  bus.messages_max = happens(0.3, random) ? random() % 8 + 1 : 1'000;
  return bus;
}

class Simulation {
 public:
  Simulation(std::uint64_t seed, Seen& seen) : random_(seed), seen_(seen) { open(); }

  void run() {
    for (int step = 0; step < steps; ++step) {
      act();
      check();
    }
    settle();
  }

 private:
  void open() {
    StoreOptions options = with_fragile(stepped(directory_->file(), random_bus(random_)),
                                        [this](const RecordedEvent& event) { return fails(event); });
    options.projector = {.attempts_max = attempts_max, .retry_backoff = 3ms};
    store_ = std::make_unique<Store>(std::move(options));
  }

  // A failure passes, sometimes before the retries are used up and sometimes after.
  bool fails(const RecordedEvent& event) {
    if (calm_ || amount(event) % 7 != 0) return false;
    return happens(0.7, random_);
  }

  void act() {
    switch (random_() % 13) {
      case 0:
      case 1:
      case 2:
      case 3:
        append_one();
        break;
      case 4:
        append_elsewhere();
        break;
      case 5:
      case 6:
      case 7:
        store_->step();
        break;
      case 8:
        sleep(*store_, Duration{static_cast<std::int64_t>(random_() % 40'000)});
        break;
      case 9:
        read();
        break;
      case 10:
        if (happens(0.3, random_)) crash();
        break;
      case 11:
        crash_projector();
        break;
      default:
        if (happens(0.2, random_)) rebuild();
    }
  }

  std::string any_stream() { return std::string(1, static_cast<char>('a' + random_() % 5)); }

  ExpectedVersion any_expectation(std::int64_t actual) {
    switch (random_() % 5) {
      case 0:
        return ExpectedVersion::none();
      case 1:
        return ExpectedVersion::exists();
      case 2:
        return ExpectedVersion::exactly(Version{actual});
      case 3:
        return ExpectedVersion::exactly(Version{static_cast<std::int64_t>(random_() % 4)});
      default:
        return ExpectedVersion::any();
    }
  }

  void append_one() {
    const std::string id = any_stream();
    const std::int64_t actual = model_.versions[id];
    std::vector<NewEvent> some;
    for (auto count = random_() % 3 + 1; count > 0; --count)
      some.push_back(event(static_cast<std::int64_t>(random_() % 100)));
    Append request{.stream = stream(id), .expected = any_expectation(actual), .events = some};
    if (happens(0.4, random_)) request.command_id = std::to_string(random_() % 20);
    if (happens(0.3, random_)) request.projecting = Projecting::synchronous;
    try {
      compare(request, id, store_->log().append(request));
    } catch (const Error& error) {
      // A projection that fails, or a dead letter: the append was refused as a whole.
      REQUIRE(request.projecting == Projecting::synchronous);
      REQUIRE(error.code() == ErrorCode::projection_failed);
    }
  }

  void append_elsewhere() {
    Store other(idle(directory_->file()));
    const std::string id = any_stream();
    const NewEvent one = event(static_cast<std::int64_t>(random_() % 100));
    const Append request{.stream = stream(id), .expected = ExpectedVersion::any(), .events = {&one, 1}};
    compare(request, id, other.log().append(request));
    ++seen_.foreign_appends;
  }

  // Does to the model what the log should have done, and compares the answers.
  void compare(const Append& request, const std::string& id, const AppendResult& result) {
    if (request.command_id) {
      if (const auto known = model_.commands.find(*request.command_id); known != model_.commands.end()) {
        const auto& retry = std::get<Appended>(result);
        REQUIRE(retry.duplicate);
        REQUIRE(retry.first == known->second.first);
        REQUIRE(retry.last == known->second.last);
        REQUIRE(retry.version == known->second.version);
        REQUIRE(retry.stream == known->second.stream);
        ++seen_.retries;
        return;
      }
    }
    std::int64_t& version = model_.versions[id];
    if (!request.expected.admits(Version{version})) {
      REQUIRE(std::get<Conflict>(result).actual == Version{version});
      ++seen_.conflicts;
      return;
    }
    const auto& appended = std::get<Appended>(result);
    REQUIRE(appended.first.value == model_.head().value + 1);
    for (const NewEvent& event : request.events) model_.events.push_back({id, ++version, std::stoll(event.data)});
    REQUIRE(appended.last == model_.head());
    REQUIRE(appended.version == Version{version});
    if (request.command_id) model_.commands.emplace(*request.command_id, appended);
  }

  Consistency any_consistency(bool of_stream) {
    switch (random_() % (of_stream ? 5 : 4)) {
      case 0:
        return Strong{};
      case 1:
        return AtLeastPosition{Position{static_cast<std::int64_t>(random_() % (model_.events.size() + 2))}};
      case 2:
        return MaxStaleness{Duration{static_cast<std::int64_t>(random_() % 60'000)}};
      case 3:
        return Eventual{};
      default:
        return AtLeastVersion{Version{static_cast<std::int64_t>(random_() % 6)}};
    }
  }

  void read() {
    ReadRequest request{.projections = {"latest"}, .timeout = Duration{static_cast<std::int64_t>(random_() % 60'000)}};
    std::string id;
    if (happens(0.5, random_)) {
      id = any_stream();
      request.stream = stream(id);
    }
    request.consistency = any_consistency(request.stream.has_value());
    Reading reading = store_->read(request);
    check(reading);
    const Freshness& freshness = reading.freshness();
    if (freshness.waited > 0us) ++seen_.waits;
    REQUIRE(freshness.waited <= request.timeout);
    REQUIRE(freshness.stale == !reading.warnings().empty());
    if (freshness.stale) {
      ++seen_.stale_reads;
    } else {
      check_promise(reading, request, id);
    }
    if (request.stream) check_stream(reading, id);
  }

  // A fresh answer holds what was asked for. Nobody appends meanwhile, so the head has not moved.
  void check_promise(Reading& reading, const ReadRequest& request, const std::string& id) {
    std::int64_t through = 0;
    if (std::holds_alternative<Strong>(request.consistency)) through = model_.head().value;
    if (const auto* asked = std::get_if<AtLeastPosition>(&request.consistency)) through = asked->position.value;
    if (const auto* asked = std::get_if<AtLeastVersion>(&request.consistency)) {
      REQUIRE(reading.freshness().version >= asked->version);
    }
    const std::set<std::int64_t> applied = applied_by(reading, "latest");
    for (std::int64_t position = 1; position <= std::min(through, model_.head().value); ++position) {
      if (!request.stream || at(position).stream == id) REQUIRE(applied.contains(position));
    }
  }

  void check_stream(Reading& reading, const std::string& id) {
    const Freshness& freshness = reading.freshness();
    REQUIRE(freshness.latest_version == Version{model_.versions[id]});
    REQUIRE(freshness.behind_events == freshness.latest_version.value - freshness.version.value);
    Rows rows = reading.query("SELECT version FROM latest WHERE stream = ?", {reading.stream_number()});
    REQUIRE((rows.next() ? rows.integer(0) : 0) == freshness.version.value);
  }

  [[nodiscard]] const ModelLog::Event& at(std::int64_t position) const {
    return model_.events[static_cast<std::size_t>(position - 1)];
  }

  // The positions that a projection says it has applied.
  std::set<std::int64_t> applied_by(Reading& reading, std::string_view projection) {
    std::set<std::int64_t> applied;
    std::int64_t checkpoint = 0;
    {
      Rows rows = reading.query("SELECT position FROM projections WHERE name = ?", {projection});
      REQUIRE(rows.next());
      checkpoint = rows.integer(0);
    }
    for (std::int64_t position = 1; position <= checkpoint; ++position) applied.insert(position);
    Rows rows = reading.query(
        "SELECT a.position FROM applied_above a JOIN projections p ON p.number = a.projection WHERE p.name = ?",
        {projection});
    while (rows.next()) {
      REQUIRE(rows.integer(0) > checkpoint + 1);
      applied.insert(rows.integer(0));
      ++seen_.gaps;
    }
    return applied;
  }

  void check() {
    Reading reading = store_->read({.projections = {"totals", "latest", "fragile"}});
    check(reading);
    REQUIRE(reading.freshness().head == model_.head());
  }

  // Rows are the fold of what is said to be applied, on one snapshot.
  void check(Reading& reading) {
    check_totals(reading);
    check_latest(reading);
    check_fragile(reading);
  }

  void check_totals(Reading& reading) {
    std::int64_t sum = 0;
    const auto applied = applied_by(reading, "totals");
    for (const std::int64_t position : applied) sum += at(position).amount;
    REQUIRE(number(reading, "SELECT sum FROM totals") == sum);
    REQUIRE(number(reading, "SELECT events FROM totals") == static_cast<std::int64_t>(applied.size()));
  }

  void check_latest(Reading& reading) {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> expected;
    std::map<std::string, std::int64_t> events;
    for (const std::int64_t position : applied_by(reading, "latest")) {
      const auto& event = at(position);
      ++events[event.stream];
      expected[event.stream] = std::max(expected[event.stream], std::pair(event.version, event.amount));
    }
    // Without a gap in its versions, which means in the stream's order.
    for (const auto& [id, last] : expected) REQUIRE(events[id] == last.first);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> found;
    Rows rows = reading.query("SELECT s.id, l.version, l.amount FROM latest l JOIN streams s ON s.number = l.stream");
    while (rows.next()) found[std::string(rows.text(0))] = {rows.integer(1), rows.integer(2)};
    REQUIRE(found == expected);
  }

  void check_fragile(Reading& reading) {
    std::set<std::int64_t> expected = applied_by(reading, "fragile");
    Rows dead = reading.query(
        "SELECT d.position FROM dead_letters d JOIN projections p ON p.number = d.projection WHERE p.name = 'fragile'");
    while (dead.next()) {
      REQUIRE(expected.erase(dead.integer(0)) == 1);
      ++seen_.dead_letters;
    }
    std::map<std::string, std::int64_t> last;
    Rows rows = reading.query("SELECT position FROM fragile ORDER BY rowid");
    while (rows.next()) {
      REQUIRE(expected.erase(rows.integer(0)) == 1);
      const auto& event = at(rows.integer(0));
      REQUIRE(event.version == ++last[event.stream]);
    }
    REQUIRE(expected.empty());
  }

  void crash() {
    auto next = std::make_unique<TempDir>();
    copy_files(*directory_, *next);
    store_.reset();
    directory_ = std::move(next);
    open();
    ++seen_.crashes;
  }

  // The projector alone dies, now or with its next batch, and mostly lives again soon.
  void crash_projector() {
    store_->crash_projector(happens(0.5, random_) ? CrashPoint::now : CrashPoint::before_offsets);
    if (happens(0.5, random_)) store_->step();
    if (happens(0.7, random_)) store_->restart_projector();
    ++seen_.projector_crashes;
  }

  void rebuild() {
    const char* const names[] = {"totals", "latest", "fragile"};
    REQUIRE(store_->rebuild(names[random_() % 3]));
    ++seen_.rebuilds;
  }

  // The faults stop, and everything has to come to rest.
  void settle() {
    calm_ = true;
    // It may be dead, or about to die with its next batch.
    for (int life = 0; life < 2; ++life) {
      store_->restart_projector();
      run_until_idle(*store_);
    }
    check();
    for (const ProjectionStatus& each : store_->projections()) {
      REQUIRE(each.position == model_.head());
      REQUIRE(each.behind_events == 0);
      seen_.duplicates += each.duplicates_skipped > 0;
    }
    REQUIRE(number(*store_, "SELECT count(*) FROM applied_above") == 0);
    REQUIRE(store_->rebuild("fragile"));
    check();
    REQUIRE(status(*store_, "fragile").dead_letters == 0);
    const auto problems = store_->verify().problems;
    REQUIRE_MESSAGE(problems.empty(), problems.front());
  }

  Random random_;
  Seen& seen_;
  bool calm_ = false;
  ModelLog model_;
  std::unique_ptr<TempDir> directory_ = std::make_unique<TempDir>();
  std::unique_ptr<Store> store_;
};

void simulate(std::uint64_t seed, Seen& seen) {
  INFO("repeat it with: FRESHET_SEED=" << seed << " unit_tests --test-suite=simulation");
  Simulation(seed, seen).run();
}

std::optional<std::uint64_t> chosen_seed() {
  const char* const text = std::getenv("FRESHET_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_SUITE("simulation") {
  TEST_CASE("simulation: whatever happens, answers are folds of the log, and in the end all is applied once") {
    Seen seen;
    if (const auto seed = chosen_seed()) {
      simulate(*seed, seen);
      return;
    }
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) simulate(seed, seen);
    CHECK(seen.conflicts > 0);
    CHECK(seen.retries > 0);
    CHECK(seen.crashes > 0);
    CHECK(seen.projector_crashes > 0);
    CHECK(seen.rebuilds > 0);
    CHECK(seen.stale_reads > 0);
    CHECK(seen.waits > 0);
    CHECK(seen.gaps > 0);
    CHECK(seen.duplicates > 0);
    CHECK(seen.dead_letters > 0);
    CHECK(seen.foreign_appends > 0);
  }
}
