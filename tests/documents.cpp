// What the pages of docs/ and the README show of the library, so that it compiles and does what they say. Each piece of
// C++ on a page stands here word for word; tests/examples_test.py compares them. Exits with the number of failures.
#include <cstdlib>
#include <filesystem>
#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>

#include "../examples/inventory/inventory.hpp"

namespace {

using namespace inventory;
using namespace std::chrono_literals;
using freshet::testing::compare;
using freshet::testing::given;

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

// An event loop that is run by hand.
struct EventLoop {
  void post(std::function<void()> closure) {
    const std::lock_guard lock(mutex);
    closures.push(std::move(closure));
  }
  void run() {
    while (!closures.empty()) {
      closures.front()();
      closures.pop();
    }
  }

  std::mutex mutex;
  std::queue<std::function<void()>> closures;
};

struct Booking {
  std::string person;
  std::int64_t minutes;
};

Booking decode(const freshet::RecordedEvent& event) {
  return {event.stream.id, std::stoll(event.data)};
}

// --- README.md ---

// As open_tasks, without a rule.
struct OpenTasks final : freshet::Projection {
  std::string_view name() const override { return "open_tasks"; }
  int schema_version() const override { return 1; }
  std::vector<std::string> tables() const override { return {"open_tasks"}; }
  void create(freshet::Tables& tables) const override { tables.execute("CREATE TABLE {open_tasks} (count INTEGER)"); }
  void apply(const freshet::RecordedEvent&, freshet::Tables&) const override {}
};

void being_told_of_tasks() {
  freshet::testing::ScratchStore scratch({.projections = {std::make_shared<OpenTasks>()}});
  freshet::Store& store = scratch.store();
  EventLoop event_loop;
  int reloads = 0;
  const auto reload = [&] { ++reloads; };

  auto live = store.subscribe_to_changes(
      {.projections = {"open_tasks"}}, [&](const freshet::Changes&) { reload(); },
      [&](auto closure) { event_loop.post(std::move(closure)); });

  scratch.run_until_idle();
  event_loop.run();
  expect(reloads == 1, "the list is loaded");
}

// --- docs/projections.md ---

// How many hours each person has booked, over all days.
struct Hours final : freshet::Projection {
  std::string_view name() const override { return "hours"; }
  int schema_version() const override { return 1; }
  std::vector<std::string> tables() const override { return {"hours"}; }
  void create(freshet::Tables& tables) const override {
    tables.execute("CREATE TABLE {hours} (person TEXT PRIMARY KEY, minutes INTEGER NOT NULL) STRICT");
  }
  void apply(const freshet::RecordedEvent& event, freshet::Tables& tables) const override {
    if (event.type != "TimeBooked") return;
    const Booking booking = decode(event);
    tables.execute("INSERT INTO {hours} VALUES (?, ?) ON CONFLICT DO UPDATE SET minutes = minutes + excluded.minutes",
                   {std::string_view{booking.person}, booking.minutes});
  }
};

void a_projection() {
  freshet::testing::ScratchStore scratch({.projections = {std::make_shared<Hours>()}});
  freshet::Store& store = scratch.store();
  const freshet::NewEvent booked{.type = "TimeBooked", .data = "45"};
  const auto result = store.log().append(
      {.stream = {"person", "ada"}, .expected = freshet::ExpectedVersion::any(), .events = {&booked, 1}});
  const auto appended = std::get<freshet::Appended>(result);

  auto reading = store.read({.projections = {"hours"}, .consistency = freshet::AtLeastPosition{appended.last}});
  auto rows = reading.query("SELECT minutes FROM {hours} WHERE person = ?", {std::string_view{"ada"}});
  expect(rows.next() && rows.integer(0) == 45, "the hours are there");
}

// --- docs/applications.md ---

freshet::StoreOptions workshop() {
  return {.projections = {stock()}, .upcasters = upcasters()};
}

void reading_is_not_stale(freshet::Reading& reading) {
  expect(!reading.freshness().stale, "what the session has written is there");
  compare("the list", {"bolt | 5"}, freshet::testing::rows_of(reading, "SELECT item, pieces FROM {stock}"));
}

void sessions() {
  freshet::testing::ScratchStore scratch(workshop());
  freshet::Store& store = scratch.store();
  std::string continued;

  freshet::Session session(store);
  const auto outcome = freshet::execute<Item>(session.log(), stream_of("bolt"), Receive{5, "A"}, {});
  auto reading = session.read({.projections = {"stock"}});  // Shows the bolts, or says that it is stale.
  continued = session.token();  // Another process begins with freshet::Session(store, continued).

  expect(std::holds_alternative<freshet::Appended>(outcome), "they are received");
  reading_is_not_stale(reading);
  expect(freshet::Session(store, continued).seen() == session.seen(), "the token carries on");
}

void being_told() {
  freshet::testing::ScratchStore scratch(workshop());
  freshet::Store& store = scratch.store();
  EventLoop event_loop;
  int reloads = 0;
  const auto reload = [&] { ++reloads; };

  auto live = store.subscribe_to_changes(
      {.projections = {"stock"}}, [&](const freshet::Changes&) { reload(); },
      [&](auto closure) { event_loop.post(std::move(closure)); });

  scratch.run_until_idle();
  event_loop.run();
  expect(reloads == 1, "the list is loaded");
}

void mails() {
  freshet::testing::ScratchStore scratch(workshop());
  freshet::Store& store = scratch.store();
  const freshet::NewEvent placed{.type = "OrderCreated", .data = "{}"};
  static_cast<void>(store.log().append(
      {.stream = {"order", "7"}, .expected = freshet::ExpectedVersion::none(), .events = {&placed, 1}}));
  struct Place {
    freshet::Position through;
    std::string epoch;
  };
  Place saved;
  int sent = 0;
  const auto saved_place = [&] { return saved; };
  const auto save_place = [&](const Place& place) { saved = place; };
  const auto send_mail = [&](const freshet::RecordedEvent&) { ++sent; };

  const Place last = saved_place();
  auto mails = store.subscribe_to_events({.after = last.through, .epoch = last.epoch, .category = "order"},
                                         [&](const freshet::EventBatch& batch) {
                                           for (const freshet::RecordedEvent& event : batch.events) send_mail(event);
                                           save_place({batch.through, batch.epoch});
                                         });

  scratch.run_until_idle();
  expect(sent == 1 && saved.through == freshet::Position{1} && saved.epoch == store.identity().epoch, "a mail is sent");
}

const std::vector<freshet::testing::ProjectionCheck::Given> a_week = {
    {stream_of("bolt"), Item::encode(Received{10, "A"})},
    {stream_of("nut"), Item::encode(Received{5, "A"})},
    {stream_of("bolt"), Item::encode(Taken{3, "A"})}};

void tests() {
  given<Item>({Received{5, "A"}}).when(Take{6, "A"}).then_rejected("there are only 5 on the shelf A");

  freshet::testing::check({.projection = stock(),
                           .given = a_week,
                           .query = "SELECT item, pieces FROM {stock} ORDER BY item",
                           .expected = {"bolt | 7", "nut | 5"},
                           .upcasters = upcasters()});
}

void a_scratch_store() {
  freshet::testing::ScratchStore scratch(
      {.projections = {stock()}, .upcasters = upcasters(), .bus = {.delay = freshet::FixedDelay{1h}, .seed = 7}});
  const auto outcome = freshet::execute<Item>(scratch.store().log(), stream_of("bolt"), Receive{5, "A"}, {});
  scratch.run_for(59min);
  const bool stale = scratch.store().read({.projections = {"stock"}}).freshness().stale;  // It is.
  scratch.run_until_idle();  // The event has arrived, and no time has passed.

  expect(std::holds_alternative<freshet::Appended>(outcome), "they are received");
  expect(stale, "an hour is longer than 59 minutes");
  expect(!scratch.store().read({.projections = {"stock"}}).freshness().stale, "the event has arrived");
}

std::string add_shelf(std::string_view data) {
  return std::string(data.substr(0, data.size() - 1)) + R"(,"shelf":"main"})";
}

void upcasting() {
  const freshet::StoreOptions options = {
      .file = "inventory.db",
      .projections = {stock()},
      .upcasters = {{"PiecesReceived", 1, [](std::string_view data) { return add_shelf(data); }}}};

  freshet::testing::check_samples<Item>(
      options.upcasters, std::vector<freshet::testing::Sample>{{.type = "PiecesReceived",
                                                                .schema_version = 1,
                                                                .data = R"({"pieces":5})",
                                                                .newest = R"({"pieces":5,"shelf":"main"})"}});
}

struct Snapshots {
  using State = Item::State;
  static constexpr freshet::SnapshotPolicy snapshots{.name = "item", .schema = 1, .every = 100};
  static std::string encode_state(const State& item);
  static State decode_state(std::string_view text);
};

static_assert(Snapshots::snapshots.every == 100);

struct Room {
  struct Command {
    std::string guest;
    std::int64_t nights = 0;
    std::optional<std::string> wish;
  };
  static freshet::CommandIdentity identify(const Command& booking) {
    return freshet::CommandIdentity("book").add(booking.guest).add(booking.nights).add(booking.wish);
  }
};

struct Invoices {
  enum class State { none, sent };
  struct Send {};
  using Command = Send;
  using Event = std::string;
  using Rejection = std::string;
  static State initial() { return State::none; }
  static void evolve(State& invoice, const Event&) { invoice = State::sent; }
  static std::variant<std::vector<Event>, Rejection> decide(const Command&, State invoice) {
    if (invoice == State::sent) return Rejection{"it is sent already"};
    return std::vector<Event>{"InvoiceSent"};
  }
  static freshet::CommandIdentity identify(const Command&) { return freshet::CommandIdentity("send"); }
  static freshet::NewEvent encode(const Event& event) { return {.type = event, .data = "{}"}; }
  static Event decode(const freshet::RecordedEvent& event) { return event.type; }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }
};

void correlation() {
  using Send = Invoices::Send;
  freshet::testing::ScratchStore scratch;
  freshet::EventLog& log = scratch.store().log();
  const freshet::RecordedEvent shipped =
      freshet::testing::recorded({.type = "OrderShipped", .data = "{}"}, {"order", "7"});

  const auto outcome =
      freshet::execute<Invoices>(log, {"invoice", "7"}, Send{}, {.correlation = freshet::follow_up(shipped)});

  expect(std::holds_alternative<freshet::Appended>(outcome), "it is sent");
  const auto ids = log.read_all({}, 1).front().correlation;
  expect(ids && ids->causation_id == "order/7@1", "it was shipped first");
}

void reading_the_log() {
  freshet::testing::ScratchStore scratch(workshop());
  freshet::Store& store = scratch.store();
  static_cast<void>(freshet::execute<Item>(store.log(), stream_of("nut"), Receive{7, "A"}, {}));
  static_cast<void>(freshet::execute<Item>(store.log(), stream_of("bolt"), Receive{5, "A"}, {}));
  std::vector<std::int64_t> printed;
  const auto print = [&](const freshet::RecordedEvent& event) { printed.push_back(event.position.value); };

  const auto newest =
      store.log().read({.direction = freshet::Direction::backwards, .category = "item", .events_max = 10});
  for (const freshet::RecordedEvent& event : freshet::EventRange(store.log(), {.stream = stream_of("bolt")}))
    print(event);

  expect(newest.size() == 2 && newest.front().position == freshet::Position{2}, "the newest comes first");
  expect(printed == std::vector<std::int64_t>{2}, "the stream's events are printed");
}

void own_tables() {
  freshet::testing::ScratchStore scratch(workshop());
  freshet::Store& store = scratch.store();
  const freshet::NewEvent counted = Item::encode(Counted{3, "A", -2});

  store.log().write([&](freshet::AppendTransaction& transaction) {
    transaction.tables().execute("CREATE TABLE IF NOT EXISTS app_drafts (item TEXT PRIMARY KEY, note TEXT) STRICT");
    transaction.tables().execute("DELETE FROM app_drafts WHERE item = ?", {std::string_view{"bolt"}});
    const auto result = transaction.append(
        {.stream = stream_of("bolt"), .expected = freshet::ExpectedVersion::any(), .events = {&counted, 1}});
    if (std::holds_alternative<freshet::Conflict>(result)) throw std::runtime_error("somebody else was quicker");
  });
  auto reading = store.read({.projections = {"stock"}});
  auto drafts = reading.query("SELECT note FROM app_drafts");

  expect(!drafts.next(), "the draft is gone");
  expect(store.log().head() == freshet::Position{1}, "the count is recorded");
}

// What the page's snippet says to people who want to look at `file`.
std::string opening(const std::filesystem::path& file) {
  std::string said;
  const auto show = [&](const std::string& sentence) { said = sentence; };

  try {
    freshet::Store store({.file = file, .mode = freshet::OpenMode::read_only, .projections = {stock()}});
    show(std::to_string(store.log().head().value) + " events");
  } catch (const freshet::Error& error) {
    if (error.code() == freshet::ErrorCode::file_missing)
      show("there is nothing yet");
    else if (error.code() == freshet::ErrorCode::unsupported_format)
      show("a newer release made this file");
    else
      show(error.what());
  }
  return said;
}

void read_only_opening() {
  freshet::testing::ScratchStore scratch(workshop());
  const freshet::NewEvent counted = Item::encode(Counted{3, "A", -2});
  static_cast<void>(scratch.store().log().append(
      {.stream = stream_of("bolt"), .expected = freshet::ExpectedVersion::any(), .events = {&counted, 1}}));
  compare("of a store", {"1 events"}, {opening(scratch.file())});
  compare("of nothing", {"there is nothing yet"}, {opening(scratch.file().string() + "-other")});
}

}  // namespace

int main() {
  const std::map<std::string, std::function<void()>> pieces = {{"being told of tasks", being_told_of_tasks},
                                                               {"a projection", a_projection},
                                                               {"sessions", sessions},
                                                               {"being told", being_told},
                                                               {"mails", mails},
                                                               {"tests", tests},
                                                               {"a scratch store", a_scratch_store},
                                                               {"upcasting", upcasting},
                                                               {"correlation", correlation},
                                                               {"reading the log", reading_the_log},
                                                               {"own tables", own_tables},
                                                               {"read-only opening", read_only_opening}};
  int failed = 0;
  for (const auto& [name, piece] : pieces) {
    try {
      piece();
    } catch (const std::exception& exception) {
      ++failed;
      std::cout << name << ": " << exception.what() << '\n';
    }
  }
  std::cout << pieces.size() - static_cast<std::size_t>(failed) << " passed, " << failed << " failed\n";
  return failed;
}
