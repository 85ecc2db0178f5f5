// Tests of event versions: old forms are read as the newest one, wherever events are read, and chains are checked.
#include "freshet/upcaster.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// The amounts of version 1 are doubled for version 2, and 1 is added for version 3.
std::string twice(std::string_view data) {
  return std::to_string(2 * std::stoll(std::string(data)));
}
std::string one_more(std::string_view data) {
  return std::to_string(1 + std::stoll(std::string(data)));
}

std::vector<Upcaster> upcasters() {
  return {{"Deposited", 1, twice}, {"Deposited", 2, one_more}};
}

StoreOptions with_upcasters(StoreOptions options) {
  options.upcasters = upcasters();
  return options;
}

// 10 in the first form, 20 in the second and 30 in the third: 21, 21 and 30 today.
void write_three_forms(const std::filesystem::path& file) {
  StoreOptions options = idle(file);
  options.forms.of_others = any_form;
  Store store(std::move(options));
  for (int version = 1; version <= 3; ++version) {
    const NewEvent one{.type = "Deposited", .schema_version = version, .data = std::to_string(10 * version)};
    static_cast<void>(store.log().append(
        {.stream = stream(version == 2 ? "b" : "a"), .expected = ExpectedVersion::any(), .events = {&one, 1}}));
  }
}

std::vector<std::string> data_of(const std::vector<RecordedEvent>& events) {
  std::vector<std::string> all;
  for (const RecordedEvent& event : events) all.push_back(event.data);
  return all;
}

using Texts = std::vector<std::string>;

ErrorCode opening(std::vector<Upcaster> chain) {
  const TempDir directory;
  StoreOptions options = idle(directory.file());
  options.upcasters = std::move(chain);
  const ErrorCode code = error_of([&] { Store store(options); });
  CHECK_FALSE(std::filesystem::exists(directory.file()));
  return code;
}

}  // namespace

TEST_SUITE("upcaster") {
  TEST_CASE("read: every form is given as the newest one, and raw as it was written") {
    const TempDir directory;
    write_three_forms(directory.file());
    Store store(with_upcasters(idle(directory.file())));
    const auto events = store.log().read_all(Position{}, all_events);
    CHECK(data_of(events) == Texts{"21", "21", "30"});
    for (const RecordedEvent& event : events) CHECK(event.schema_version == 3);
    CHECK(data_of(store.log().read_stream(stream("a"), Version{}, all_events)) == Texts{"21", "30"});
    store.log().write(
        [](AppendTransaction& transaction) { CHECK(data_of(transaction.read_stream(stream("b"))) == Texts{"21"}); });
    const auto raw = store.log().read({.form = EventForm::recorded});
    CHECK(data_of(raw) == Texts{"10", "20", "30"});
    CHECK(raw[1].schema_version == 2);
  }

  TEST_CASE("apply: projections see the newest form, from the bus, after an outage, in a rebuild and in verification") {
    const TempDir directory;
    write_three_forms(directory.file());
    Store store(with_upcasters(stepped(directory.file())));
    run_until_idle(store);
    CHECK(total(store) == 72);
    CHECK(store.rebuild("totals"));
    CHECK(total(store) == 72);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("poll: a consumer of the bus sees the newest form") {
    const TempDir directory;
    write_three_forms(directory.file());
    Store store(with_upcasters(idle(directory.file())));
    const auto consumer = store.bus().subscribe({.group = "another"});
    store.bus().announce(Position{3});
    Texts seen;
    for (const Delivery& delivery : consumer->poll(9)) seen.push_back(delivery.event->data);
    CHECK(seen == Texts{"21", "21", "30"});
  }

  TEST_CASE("subscribe: a subscription to the log sees the newest form") {
    const TempDir directory;
    write_three_forms(directory.file());
    Store store(with_upcasters(stepped(directory.file())));
    Texts seen;
    const auto subscription =
        store.subscribe_to_events({}, [&](const EventBatch& batch) { seen = data_of(batch.events); });
    run_until_idle(store);
    CHECK(seen == Texts{"21", "21", "30"});
  }

  TEST_CASE("import: old forms are taken as they were written") {
    const TempDir from;
    const TempDir to;
    write_three_forms(from.file());
    Store source(with_upcasters(idle(from.file())));
    Store target(with_upcasters(idle(to.file())));
    target.log().write([&](AppendTransaction& transaction) {
      source.log().export_events([&](const ExportedEvent& exported) { return transaction.import_event(exported); });
    });
    CHECK(data_of(target.log().read({.form = EventForm::recorded})) == Texts{"10", "20", "30"});
    CHECK(data_of(target.log().read_all(Position{}, all_events)) == Texts{"21", "21", "30"});
  }

  TEST_CASE("append (synchronous): earlier events of the stream reach the projection in the newest form") {
    const TempDir directory;
    write_three_forms(directory.file());
    Store(stepped(directory.file())).close();  // The tables are there, and empty.
    StoreOptions options = with_upcasters(idle(directory.file()));
    options.projections = {std::make_shared<Totals>()};
    Store store(options);
    REQUIRE(store.rebuild("totals"));
    const NewEvent one{.type = "Deposited", .schema_version = 3, .data = "100"};
    static_cast<void>(store.log().append({.stream = stream("b"),
                                          .expected = ExpectedVersion::any(),
                                          .events = {&one, 1},
                                          .projecting = Projecting::synchronous}));
    CHECK(total(store) == 172);
  }

  TEST_CASE("append: an old form of a type with upcasters is refused, and nothing is recorded") {
    const TempDir directory;
    Store store(with_upcasters(idle(directory.file())));
    const auto code = error_of([&] { append(store, "a", 1); });
    CHECK(code == ErrorCode::invalid);
    CHECK(store.log().head() == Position{});
    const NewEvent other{.type = "Noted", .data = "1"};
    CHECK(std::holds_alternative<Appended>(
        store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&other, 1}})));
  }

  TEST_CASE("read: of a type without upcasters the first form is known, and no newer one") {
    const TempDir directory;
    write_three_forms(directory.file());
    Store store(stepped(directory.file()));
    CHECK(data_of(store.log().read_all(Position{}, 1)) == Texts{"10"});
    const auto read = [&] { static_cast<void>(store.log().read_all(Position{}, 2)); };
    CHECK(error_of(read) == ErrorCode::unsupported_format);
    CHECK(holds(message_of(read), "position 2"));
    CHECK(holds(message_of(read), "use a newer release"));
    CHECK(data_of(store.log().read({.form = EventForm::recorded})) == Texts{"10", "20", "30"});
    run_until_idle(store);
    CHECK(total(store) == 10);
    CHECK(store.read({.projections = {"totals"}}).freshness().stale);
    CHECK(status(store, "totals").dead_letters == 2);
  }

  TEST_CASE("append: a form above the first is recorded where it is known, or was said to be") {
    const TempDir directory;
    const NewEvent second{.type = "Noted", .schema_version = 2, .data = "1"};
    const auto append_to = [&](KnownForms forms) {
      StoreOptions options = idle(directory.file());
      options.forms = std::move(forms);
      Store store(std::move(options));
      return store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&second, 1}});
    };
    const auto refusal = message_of([&] { static_cast<void>(append_to({})); });
    CHECK(holds(refusal, "schema version 1, its newest, and not 2: register an upcaster"));
    CHECK(error_of([&] { static_cast<void>(append_to({.newest = {{"Noted", 3}}})); }) == ErrorCode::invalid);
    CHECK(std::holds_alternative<Appended>(append_to({.newest = {{"Noted", 2}}})));
    CHECK(std::holds_alternative<Appended>(append_to({.newest = {{"Noted", any_form}}})));
    CHECK(std::holds_alternative<Appended>(append_to({.of_others = any_form})));
  }

  TEST_CASE("open: forms that cannot be are refused before a file is made") {
    const auto opening_with = [](KnownForms forms) {
      const TempDir directory;
      StoreOptions options = with_upcasters(idle(directory.file()));
      options.forms = std::move(forms);
      return error_of([&] { Store store(options); });
    };
    CHECK(opening_with({.of_others = -1}) == ErrorCode::invalid);
    CHECK(opening_with({.newest = {{"Noted", -1}}}) == ErrorCode::invalid);
    CHECK(opening_with({.newest = {{"Deposited", 3}}}) == ErrorCode::invalid);
  }

  TEST_CASE("append: a schema version below 1 is refused") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const NewEvent one{.type = "Noted", .schema_version = 0, .data = "1"};
    CHECK(error_of([&] {
            static_cast<void>(
                store.log().append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}}));
          }) == ErrorCode::invalid);
  }

  TEST_CASE("read: an event of a newer release is refused, and its position named") {
    const TempDir directory;
    write_three_forms(directory.file());
    StoreOptions options = stepped(directory.file());
    options.upcasters = {{"Deposited", 1, twice}};
    Store store(options);
    const auto read = [&] { static_cast<void>(store.log().read_all(Position{}, all_events)); };
    CHECK(error_of(read) == ErrorCode::unsupported_format);
    CHECK(holds(message_of(read), "position 3"));
    run_until_idle(store);
    ReadRequest request{.projections = {"totals"}, .consistency = Strong{}, .on_timeout = OnTimeout::error};
    CHECK(error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::projection_failed);
  }

  TEST_CASE("read: what an upcaster throws names the event, and sets it aside for a projection") {
    const TempDir directory;
    write_three_forms(directory.file());
    StoreOptions options = with_upcasters(stepped(directory.file()));
    options.upcasters[0].convert = [](std::string_view) -> std::string { throw std::runtime_error("no amount"); };
    Store store(options);
    const auto read = [&] { static_cast<void>(store.log().read_all(Position{}, 1)); };
    CHECK(error_of(read) == ErrorCode::invalid);
    CHECK(holds(message_of(read), "position 1"));
    CHECK(holds(message_of(read), "no amount"));
  }

  TEST_CASE("step: an event from the log that cannot be upcast is set aside alone, and the projector goes on") {
    const TempDir directory;
    write_three_forms(directory.file());
    StoreOptions options = stepped(directory.file());
    options.upcasters = {{"Deposited", 1, [](std::string_view) -> std::string { throw std::runtime_error("torn"); }},
                         {"Deposited", 2, one_more}};
    options.projector.attempts_max = 1;
    Store store(options);
    run_until_idle(store);
    CHECK(store.is_projecting());
    CHECK(status(store, "totals").dead_letters == 2);  // The torn one, and what follows it in its stream.
    CHECK(total(store) == 21);
  }

  TEST_CASE("open: a chain with a gap, or with two ways, is refused before a file is made") {
    CHECK(opening({{"A", 1, twice}, {"A", 3, twice}}) == ErrorCode::invalid);
    CHECK(opening({{"A", 2, twice}}) == ErrorCode::invalid);
    CHECK(opening({{"A", 1, twice}, {"B", 1, twice}, {"A", 1, one_more}}) == ErrorCode::invalid);
    CHECK(opening({{"A", 0, twice}}) == ErrorCode::invalid);
    CHECK(opening({{"A", 1, {}}}) == ErrorCode::invalid);
  }

  TEST_CASE("open: the order of registration does not matter") {
    const RecordedEvent old{.type = "A", .schema_version = 1, .data = "10"};
    const std::vector<Upcaster> backwards{{"A", 2, one_more}, {"A", 1, twice}};
    CHECK(upcast(backwards, old).data == "21");
  }
}
