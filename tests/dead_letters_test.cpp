// Tests of what is done about dead letters: they are listed, retried and discarded.
#include "projection/dead_letters.hpp"

#include <doctest/doctest.h>

#include <set>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// A store whose projection `fragile` fails on the amounts in `broken`, which a test can change.
struct Patient {
  explicit Patient(std::set<std::int64_t> broken_amounts) : broken(std::move(broken_amounts)) {
    for (const auto& [id, value] : {std::pair{"a", 1}, {"a", 13}, {"b", 4}, {"a", 2}, {"b", 14}, {"a", 3}, {"b", 5}}) {
      append(store, id, value);
    }
    run_until_idle(store);
  }

  TempDir directory;
  std::set<std::int64_t> broken;
  Store store{with_fragile(stepped(directory.file()),
                           [this](const RecordedEvent& event) { return broken.contains(amount(event)); })};

  std::int64_t rows(const std::string& where = "1") {
    return number(store, "SELECT count(*) FROM fragile WHERE " + where);
  }
  std::int64_t letters(const DeadLetterChoice& choice = {}) {
    return static_cast<std::int64_t>(store.dead_letters(choice).size());
  }
  bool is_clean() { return store.verify().problems.empty(); }
};

const DeadLetterChoice of_a{.stream = stream("a")};

}  // namespace

TEST_SUITE("dead_letters") {
  TEST_CASE("dead_letters: each says which event it is, how often it was tried, and why it failed") {
    Patient patient({13, 14});
    const auto letters = patient.store.dead_letters();
    REQUIRE(letters.size() == 5);
    CHECK(letters[0].projection == "fragile");
    CHECK(letters[0].position == Position{2});
    CHECK(letters[0].stream == stream("a"));
    CHECK(letters[0].version == Version{2});
    CHECK(letters[0].type == "Deposited");
    CHECK(letters[0].attempts == 3);
    CHECK(letters[0].reason == "no 13");
    CHECK(letters[1].position == Position{4});
    CHECK(letters[1].attempts == 0);
    CHECK(letters[1].reason == projection::follows_a_dead_letter);
  }

  TEST_CASE("dead_letters: a choice admits a projection, a stream, a position") {
    Patient patient({13, 14});
    CHECK(patient.letters(of_a) == 3);
    CHECK(patient.letters({.position = Position{5}}) == 1);
    CHECK(patient.letters({.projection = "totals"}) == 0);
    CHECK(patient.letters({.stream = stream("nobody")}) == 0);
    CHECK(error_of([&] { patient.letters({.projection = "nobody"}); }) == ErrorCode::invalid);
  }

  TEST_CASE("retry: all are applied when the rules accept them, and their streams go on") {
    Patient patient({13, 14});
    patient.broken.clear();
    CHECK(patient.store.retry_dead_letters() == 5);
    CHECK(patient.letters() == 0);
    CHECK(patient.rows() == 7);
    append(patient.store, "a", 6);
    run_until_idle(patient.store);
    CHECK(patient.rows() == 8);
    CHECK(patient.is_clean());
  }

  TEST_CASE("retry: once they are applied, another retry does nothing") {
    Patient patient({13, 14});
    patient.broken.clear();
    CHECK(patient.store.retry_dead_letters() == 5);
    CHECK(patient.store.retry_dead_letters() == 0);
    CHECK(patient.rows() == 7);
  }

  TEST_CASE("retry: a stream is applied in its order") {
    Patient patient({13, 14});
    patient.broken.clear();
    patient.store.retry_dead_letters(of_a);
    CHECK(number(patient.store,
                 "SELECT count(*) FROM (SELECT version, lag(version) OVER (ORDER BY rowid) AS before FROM fragile "
                 "WHERE stream = 1) WHERE version < before") == 0);
    CHECK(patient.rows("stream = 1") == 4);
    CHECK(patient.letters() == 2);
  }

  TEST_CASE("retry: an event that fails again stays with those behind it, and other streams go on") {
    Patient patient({13, 14});
    patient.broken = {13};
    CHECK(patient.store.retry_dead_letters() == 2);
    const auto letters = patient.store.dead_letters();
    REQUIRE(letters.size() == 3);
    CHECK(letters[0].attempts == 4);
    CHECK(letters[1].attempts == 0);
    CHECK(patient.rows("stream = 1") == 1);
    CHECK(patient.rows("stream = 2") == 3);
    CHECK(patient.is_clean());
  }

  TEST_CASE("retry: what comes before a new failure is applied, and the new failure has its own reason") {
    Patient patient({13, 14});
    patient.broken = {2};
    CHECK(patient.store.retry_dead_letters(of_a) == 1);
    const auto letters = patient.store.dead_letters(of_a);
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].position == Position{4});
    CHECK(letters[0].attempts == 1);
    CHECK(letters[0].reason == "no 2");
    CHECK(patient.rows("stream = 1") == 2);
  }

  TEST_CASE("retry: a letter behind another one of its stream waits for it") {
    Patient patient({13, 14});
    patient.broken.clear();
    CHECK(patient.store.retry_dead_letters({.position = Position{4}}) == 0);
    CHECK(patient.letters() == 5);
    CHECK(patient.store.retry_dead_letters({.position = Position{2}}) == 1);
    CHECK(patient.store.retry_dead_letters({.position = Position{4}}) == 1);
    CHECK(patient.is_clean());
  }

  TEST_CASE("retry: the checkpoint does not move") {
    Patient patient({13, 14});
    for (int value = 20; value < 30; ++value) append(patient.store, "c", value);
    run_until_idle(patient.store);
    patient.broken.clear();
    patient.store.retry_dead_letters();
    CHECK(status(patient.store, "fragile").position == Position{17});
  }

  TEST_CASE("retry: stopped by its caller it has applied what it said, and goes on the next time") {
    Patient patient({13, 14});
    patient.broken.clear();
    CHECK(patient.store.retry_dead_letters({}, [](std::int64_t, std::int64_t total) {
      CHECK(total == 5);
      return false;
    }) == 3);
    CHECK(patient.store.retry_dead_letters() == 2);
    CHECK(patient.rows() == 7);
  }

  TEST_CASE("retry: a stream longer than one transaction is applied as a whole") {
    Patient patient({13});
    append_many(patient.store, "a", 1'300);
    run_until_idle(patient.store);
    patient.broken.clear();
    CHECK(patient.store.retry_dead_letters() == 1'303);
    CHECK(patient.is_clean());
  }

  TEST_CASE("retry: a projector with deliveries at hand learns of it and applies nothing twice") {
    Patient patient({13, 14});
    append(patient.store, "a", 7);  // On its way while the letters before it are retried.
    patient.broken.clear();
    Store other(with_fragile(idle(patient.directory.file()), on_amount(0)));
    CHECK(other.retry_dead_letters() == 5);
    run_until_idle(patient.store);
    CHECK(patient.letters() == 0);
    CHECK(patient.rows() == 8);
    CHECK(patient.is_clean());
  }

  TEST_CASE("discard: the effect is left out, later events are applied, and verification is clean") {
    Patient patient({13, 14});
    CHECK(patient.store.discard_dead_letters({.position = Position{2}}) == 1);
    CHECK(patient.letters(of_a) == 2);
    CHECK(patient.store.retry_dead_letters(of_a) == 2);
    append(patient.store, "a", 6);
    run_until_idle(patient.store);
    CHECK(patient.rows("stream = 1") == 4);
    CHECK(patient.letters(of_a) == 0);
    CHECK(patient.is_clean());
  }

  TEST_CASE("discard: nothing is stale any more for lack of it") {
    Patient patient({13});
    ReadRequest request{.projections = {"fragile"}, .stream = stream("a"), .consistency = Strong{}};
    CHECK(patient.store.read(request).freshness().stale);
    CHECK(patient.store.discard_dead_letters(of_a) == 3);
    const Reading reading = patient.store.read(request);
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.freshness().version == Version{4});
    CHECK(status(patient.store, "fragile").behind_events == 0);
  }

  TEST_CASE("discard: a rebuild by the same rules leaves the effect out as well") {
    Patient patient({13, 14});
    patient.store.discard_dead_letters({.position = Position{2}});
    patient.broken.clear();
    CHECK(patient.store.rebuild("fragile"));
    CHECK(patient.rows() == 6);
    CHECK(patient.letters() == 0);
    CHECK(patient.is_clean());
    CHECK(patient.store.rebuild("fragile"));
    CHECK(patient.rows() == 6);
  }

  TEST_CASE("discard: during a rebuild, what is discarded is left out of the new tables as well") {
    Patient patient({13, 14});
    append_many(patient.store, "c", 1'500);
    run_until_idle(patient.store);
    patient.broken = {14};
    CHECK(patient.store.rebuild("fragile", [&](std::int64_t done, std::int64_t all) {
      if (done < all) patient.store.discard_dead_letters(DeadLetterChoice{});
      return true;
    }));
    CHECK(patient.letters() == 0);
    CHECK(patient.rows("stream = 1") == 1);
    CHECK(patient.rows("stream = 2") == 1);
    CHECK(patient.is_clean());
  }

  TEST_CASE("discard: a stream stays set aside as long as one of its letters is left") {
    Patient patient({13});
    CHECK(patient.store.discard_dead_letters({.position = Position{4}}) == 1);
    append(patient.store, "a", 6);
    run_until_idle(patient.store);
    CHECK(patient.letters(of_a) == 3);
    CHECK(patient.is_clean());
  }

  TEST_CASE("retry and discard: not for a store that was opened for reading") {
    Patient patient({13});
    StoreOptions options = idle(patient.directory.file());
    options.mode = OpenMode::read_only;
    Store reading(with_fragile(std::move(options), on_amount(0)));
    CHECK(reading.dead_letters().size() == 3);
    CHECK(error_of([&] { reading.retry_dead_letters(); }) == ErrorCode::read_only);
    CHECK(error_of([&] { reading.discard_dead_letters({}); }) == ErrorCode::read_only);
  }
}
