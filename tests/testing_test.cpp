// Tests of the helpers for tests: what is right passes, and what is wrong is told so that it can be found.
#include "freshet/testing.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;
using testing::given;

namespace {

// Takes what there is, and no more.
struct Purse {
  using State = std::int64_t;
  struct Take {
    std::int64_t amount;
  };
  using Command = Take;
  using Event = std::int64_t;
  using Rejection = std::string;
  static State initial() { return 0; }
  static void evolve(State& state, const Event& event) { state += event; }
  static std::variant<std::vector<Event>, Rejection> decide(const Command& command, const State& state) {
    if (command.amount > state) return "only " + std::to_string(state);
    if (command.amount == 0) return std::vector<Event>{};
    return std::vector<Event>{-command.amount};
  }
  static CommandIdentity identify(const Command& command) { return CommandIdentity("take").add(command.amount); }
  static NewEvent encode(const Event& event) { return {.type = "Moved", .data = std::to_string(event)}; }
  static Event decode(const RecordedEvent& event) { return std::stoll(event.data); }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }
};

// Keeps its state whole in a snapshot.
struct KeptPurse : Purse {
  static std::string encode_state(const State& state) { return std::to_string(state); }
  static State decode_state(std::string_view text) { return std::stoll(std::string(text)); }
};

// Forgets what is above 9.
struct LossyPurse : KeptPurse {
  static std::string encode_state(const State& state) { return std::to_string(state % 10); }
};

// Wrong as soon as events of different streams change places: the last one wins.
class Newest final : public Latest {
 public:
  [[nodiscard]] std::string_view name() const override { return "newest"; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"newest"}; }
  void create(Tables& tables) const override { tables.execute("CREATE TABLE {newest} (amount INTEGER)"); }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    tables.execute("DELETE FROM {newest}");
    tables.execute("INSERT INTO {newest} VALUES (?)", {amount(event)});
  }
};

template <typename Body>
std::string difference(const Body& body) {
  try {
    body();
  } catch (const testing::Difference& difference) {
    return difference.what();
  }
  return "none";
}

testing::ProjectionCheck of_totals() {
  testing::ProjectionCheck check{.projection = std::make_shared<Totals>(),
                                 .query = "SELECT category, sum, events FROM {totals} ORDER BY category",
                                 .expected = {"account | 15 | 5"}};
  for (int value = 1; value <= 5; ++value) {
    check.given.push_back({stream(std::to_string(value % 3)), event(value)});
  }
  return check;
}

}  // namespace

TEST_SUITE("testing") {
  TEST_CASE("given: what is decided as expected passes") {
    given<Purse>({5, 2}).when({3}).then({-3});
    given<Purse>({5}).when({6}).then_rejected("only 5");
    given<Purse>().when({0}).then_nothing();
    CHECK(given<Purse>({5, 2}).state() == 7);
  }

  TEST_CASE("given: what is decided otherwise is shown beside what was expected") {
    CHECK(difference([] { given<Purse>({5}).when({3}).then({-4}); }) ==
          "then: not as expected\n  expected:\n  - Moved -4\n  found:\n  + Moved -3\n");
    CHECK(difference([] { given<Purse>({5}).when({6}).then({-6}); }) ==
          "then: not as expected\n  expected:\n  - Moved -6\n  found:\n  + rejected: only 5\n");
    CHECK(difference([] { given<Purse>({5}).when({6}).then_rejected("only 4"); }) != "none");
    CHECK(difference([] { given<Purse>({5}).when({3}).then_rejected("only 5"); }) != "none");
    CHECK(difference([] { given<Purse>({5}).when({3}).then_nothing(); }) ==
          "then: not as expected\n  expected:\n    (nothing)\n  found:\n  + Moved -3\n");
  }

  TEST_CASE("check_snapshots: a state that comes back whole passes, and another is shown beside it") {
    testing::check_snapshots<KeptPurse>({5, 7, -2});
    CHECK(holds(difference([] { testing::check_snapshots<LossyPurse>({5, 7, -2}); }),
                "the snapshot of version 2 is not the state"));
  }

  TEST_CASE("compare: lines in another order are a difference, and only what is missing is marked") {
    CHECK(difference([] { testing::compare("rows", {"a", "b"}, {"b", "a"}); }) ==
          "rows: not as expected\n  expected:\n    a\n    b\n  found:\n    b\n    a\n");
    CHECK(difference([] { testing::compare("rows", {"a", "a"}, {"a", "a"}); }) == "none");
    CHECK(difference([] { testing::compare("rows", {"a"}, {"a", "a"}); }) ==
          "rows: not as expected\n  expected:\n    a\n  found:\n    a\n  + a\n");
  }

  TEST_CASE("check: a projection that is right whatever happens passes") {
    CHECK(difference([] { testing::check(of_totals()); }) == "none");
  }

  TEST_CASE("check: rows that are not the expected ones are shown") {
    testing::ProjectionCheck check = of_totals();
    check.expected = {"account | 16 | 5"};
    CHECK(holds(difference([&] { testing::check(check); }), "  - account | 16 | 5\n"));
  }

  TEST_CASE("check: a projection that depends on the order between streams is found, and the seed named") {
    testing::ProjectionCheck check = of_totals();
    check.projection = std::make_shared<Newest>();
    check.query = "SELECT amount FROM {newest}";
    check.expected = {"5"};
    const std::string told = difference([&] { testing::check(check); });
    CHECK(holds(told, "the table newest, events shuffled and repeated (seed "));
  }

  TEST_CASE("check: an event that the projection throws on is told with the reason") {
    testing::ProjectionCheck check = of_totals();
    check.projection = std::make_shared<Fragile>(on_amount(4));
    check.query = "SELECT count(*) FROM {fragile}";
    CHECK(holds(difference([&] { testing::check(check); }), "failed on the event at position 4: no 4"));
  }

  TEST_CASE("check: old events are upcast first") {
    testing::ProjectionCheck check = of_totals();
    check.upcasters = {{"Noted", 1, [](std::string_view data) { return std::string(data); }}};
    CHECK(difference([&] { testing::check(check); }) == "none");
  }

  TEST_CASE("check_samples: every old version is there and reads as expected") {
    const std::vector<Upcaster> upcasters{{"Moved", 1, [](std::string_view data) { return std::string(data) + "0"; }}};
    const std::vector<testing::Sample> samples{{"Moved", 1, "7", "70"}, {"Moved", 2, "8", ""}};
    CHECK(difference([&] { testing::check_samples<Purse>(upcasters, samples); }) == "none");
    const std::vector<testing::Sample> newest_alone{{"Moved", 2, "8", ""}};
    CHECK(holds(difference([&] { testing::check_samples<Purse>(upcasters, newest_alone); }),
                "no sample of Moved of schema version 1"));
    const std::vector<testing::Sample> other{{"Moved", 1, "7", "71"}};
    CHECK(holds(difference([&] { testing::check_samples<Purse>(upcasters, other); }), "  - 71\n  found:\n  + 70\n"));
    const std::vector<testing::Sample> unreadable{{"Moved", 1, "x", ""}};
    CHECK(holds(difference([&] { testing::check_samples<Purse>(upcasters, unreadable); }),
                "cannot decode the sample of Moved of schema version 1"));
  }

  TEST_CASE("scratch: a store on a clock of its own, gone at the end") {
    std::filesystem::path file;
    {
      testing::ScratchStore scratch({.projections = {std::make_shared<Totals>()}, .bus = delayed(1h)});
      file = scratch.file();
      append(scratch.store(), "a", 5);
      scratch.run_for(59min);
      CHECK(total(scratch.store()) == 0);
      scratch.run_for(1min);
      CHECK(total(scratch.store()) == 5);
      append(scratch.store(), "a", 6);
      scratch.reopen();
      scratch.run_until_idle();
      CHECK(total(scratch.store()) == 11);
      CHECK(std::filesystem::exists(file));
    }
    CHECK_FALSE(std::filesystem::exists(file.parent_path()));
  }

  TEST_CASE("rows_of: a line each, with NULL and numbers as texts") {
    testing::ScratchStore scratch({.projections = {std::make_shared<Totals>()}});
    Reading reading = scratch.store().read({.projections = {"totals"}});
    CHECK(testing::rows_of(reading, "SELECT 1, NULL, 'x', 1.5") == std::vector<std::string>{"1 | null | x | 1.5"});
    CHECK(testing::rows_of(reading, "SELECT sum FROM {totals}").empty());
  }
}
