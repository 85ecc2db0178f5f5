// Tests of verification: a clean file is clean, whatever is going on, and damage is named.
#include "store/verify.hpp"

#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// Ten events of three streams.
void append_ten(Store& store) {
  for (int value = 1; value <= 10; ++value) append(store, std::to_string(value % 3), value);
}

// What verification says of a file with ten events, all applied, after `sql`.
Verification verified_after(const std::string& sql) {
  const TempDir directory;
  Store store(with_fragile(stepped(directory.file()), on_amount(0)));
  append_ten(store);
  run_until_idle(store);
  auto connection = connect(directory.file());
  drop_triggers(connection);
  connection.execute(sql);
  return store.verify();
}

std::string problem_after(const std::string& sql) {
  const auto problems = verified_after(sql).problems;
  REQUIRE(problems.size() == 1);
  return problems.front();
}

}  // namespace

TEST_SUITE("verify") {
  TEST_CASE("verify: a clean file has events, streams and no problems") {
    const Verification verification = verified_after("SELECT 1");
    CHECK(verification.events == 10);
    CHECK(verification.streams == 3);
    CHECK(verification.problems.empty());
  }

  TEST_CASE("verify: an empty store is clean") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK(store.verify().problems.empty());
    CHECK(store.verify().events == 0);
  }

  TEST_CASE("verify: a store that holds nothing but the answer to a refused command is clean") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const auto answer = store.log().append({.stream = {"account", "a"},
                                            .expected = ExpectedVersion::none(),
                                            .events = {},
                                            .command_id = "key",
                                            .outcome = "refused"});
    REQUIRE(std::holds_alternative<Appended>(answer));
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("verify: while the projector is behind, and ahead in places, the file is clean") {
    const TempDir directory;
    Store store(stepped(directory.file(), {.delay = UniformDelay{0ms, 50ms}, .seed = 5}));
    append_ten(store);
    append(store, "sync", 5, Projecting::synchronous);
    for (int step = 0; step < 10; ++step) {
      CHECK(store.verify().problems.empty());
      sleep(store, 5ms);
      run_due(store);
    }
  }

  TEST_CASE("verify: a file with dead letters is clean") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(4)));
    append_ten(store);
    run_until_idle(store);
    REQUIRE(status(store, "fragile").dead_letters == 3);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("verify: a changed row of a read table is named by its table and what to do") {
    const std::string problem = problem_after("UPDATE totals SET sum = sum + 1");
    CHECK(holds(problem, "'totals'"));
    CHECK(holds(problem, "in the row with category 'account', sum is 56, and the replay gives 55"));
    CHECK(holds(problem, "projection rebuild totals"));
  }

  TEST_CASE("verify: a missing row is named") {
    CHECK(holds(problem_after("DELETE FROM latest WHERE stream > 1"),
                "'latest' differs from a replay: the row with stream 2 is missing"));
  }

  TEST_CASE("verify: a surplus row is named") {
    CHECK(holds(problem_after("INSERT INTO totals VALUES ('other', 0, 0)"),
                "'totals' differs from a replay: the row with category 'other' is not in the replay"));
  }

  TEST_CASE("verify: a row that is there twice is named") {
    CHECK(holds(problem_after("INSERT INTO fragile SELECT * FROM fragile LIMIT 1"),
                "the row with stream 1, version 1, position 1 is there 2 times"));
  }

  TEST_CASE("verify: a missing read table is named") {
    CHECK(holds(problem_after("DROP TABLE latest"), "'latest'"));
  }

  TEST_CASE("verify: a read table with another column is named") {
    CHECK(holds(problem_after("ALTER TABLE latest ADD COLUMN more INTEGER"), "'latest'"));
  }

  TEST_CASE("verify: a damaged event is named by its position") {
    const auto problems = verified_after("UPDATE events SET data = '77' WHERE position = 6").problems;
    REQUIRE_FALSE(problems.empty());
    CHECK(holds(problems.front(), "position 6 is damaged"));
  }

  TEST_CASE("verify: a gap in the positions and in the versions is named") {
    const auto problems = verified_after("DELETE FROM events WHERE position = 6").problems;
    REQUIRE(problems.size() >= 2);
    CHECK(holds(problems[0], "the log has gaps"));
    CHECK(holds(problems[1], "the versions of a stream have gaps"));
  }

  TEST_CASE("verify: events of a stream that is missing are named by its number") {
    const auto problems = verified_after("DELETE FROM streams WHERE number = 3").problems;
    REQUIRE_FALSE(problems.empty());
    CHECK(problems.front() == "the log names a stream that is missing, stream number 3");
  }

  TEST_CASE("verify: an idempotency key of a stream that is missing is named by its number") {
    CHECK(problem_after("INSERT INTO commands VALUES ('key', 9, NULL, 0, 0, 0, '', '', x'')") ==
          "an idempotency key is of a stream that is missing, stream number 9");
  }

  TEST_CASE("verify: versions that are not in the order of positions are named") {
    const auto problems = verified_after(
                              "UPDATE events SET version = 9 WHERE position = 1;"
                              "UPDATE events SET version = 1 WHERE position = 4;"
                              "UPDATE events SET version = 2 WHERE position = 1")
                              .problems;
    REQUIRE_FALSE(problems.empty());
    CHECK(holds(problems.front(), "not in the order of positions"));
  }

  TEST_CASE("verify: names no more than so many problems") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 3 * verify_problems_max);
    auto connection = connect(directory.file());
    drop_triggers(connection);
    connection.execute("UPDATE events SET data = '2'");
    CHECK(store.verify().problems.size() == verify_problems_max);
  }

  TEST_CASE("verify: tells how far it is, and stops when it is told to") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    append_many(store, "a", 1'500);
    std::vector<std::int64_t> told;
    static_cast<void>(store.verify([&](std::int64_t done, std::int64_t total) {
      CHECK(total == 1'500);
      told.push_back(done);
      return true;
    }));
    CHECK(told == std::vector<std::int64_t>{1'000, 1'500});
    CHECK(error_of([&] { static_cast<void>(store.verify([](std::int64_t, std::int64_t) { return false; })); }) ==
          ErrorCode::closed);
  }
}
