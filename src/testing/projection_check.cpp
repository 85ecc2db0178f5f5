// One projection, fed the same events in many ways.
#include <algorithm>
#include <map>
#include <string>

#include "freshet/error.hpp"
#include "freshet/testing.hpp"

namespace freshet::testing {
namespace {

using Tables = std::map<std::string, std::vector<std::string>>;

// Long beside each other's differences, so that any two events of different streams may change places.
constexpr Duration delay_max_of_rounds = std::chrono::seconds{1};
constexpr double duplicate_probability = 0.5;

std::unique_ptr<ScratchStore> store_for(const ProjectionCheck& check, BusOptions bus) {
  return std::make_unique<ScratchStore>(
      StoreOptions{.projections = {check.projection},
                   .upcasters = check.upcasters,
                   .projector = {.attempts_max = 1, .on_failure = OnFailure::stop},  // Then a read says why.
                   .bus = std::move(bus)});
}

Reading read(Store& store, const ProjectionCheck& check) {
  Reading reading = store.read({.projections = {std::string(check.projection->name())},
                                .consistency = Strong{},
                                .timeout = std::chrono::minutes{10}});
  for (const std::string& warning : reading.warnings()) throw Difference("the events are not all applied: " + warning);
  return reading;
}

void append(Store& store, const ProjectionCheck& check) {
  for (const ProjectionCheck::Given& given : check.given) {
    static_cast<void>(
        store.log().append({.stream = given.stream, .expected = ExpectedVersion::any(), .events = {&given.event, 1}}));
  }
}

// All rows of all tables; in no order, because none is promised.
Tables tables_of(Store& store, const ProjectionCheck& check) {
  Reading reading = read(store, check);
  Tables tables;
  for (const std::string& table : check.projection->tables()) {
    auto rows = rows_of(reading, "SELECT * FROM \"" + table + "\"");
    std::sort(rows.begin(), rows.end());
    tables.emplace(table, std::move(rows));
  }
  return tables;
}

void compare(const std::string& when, const Tables& expected, const Tables& found) {
  for (const auto& [table, rows] : expected) {
    testing::compare("the table " + table + ", " + when, rows, found.at(table));
  }
}

Tables in_order(const ProjectionCheck& check) {
  const auto scratch = store_for(check, {});
  append(scratch->store(), check);
  scratch->run_until_idle();
  Reading reading = read(scratch->store(), check);
  testing::compare("the rows of '" + check.query + "', events in order", check.expected, rows_of(reading, check.query));
  return tables_of(scratch->store(), check);
}

void run_round(const ProjectionCheck& check, std::uint64_t seed, const Tables& expected) {
  const std::string name = "(seed " + std::to_string(seed) + ")";
  const auto scratch = store_for(check, {.delay = UniformDelay{Duration{0}, delay_max_of_rounds},
                                         .duplicate_probability = duplicate_probability,
                                         .seed = seed,
                                         .partitions = partitions_max});
  append(scratch->store(), check);
  scratch->run_until_idle();
  compare("events shuffled and repeated " + name, expected, tables_of(scratch->store(), check));
  static_cast<void>(scratch->store().rebuild(check.projection->name()));
  compare("made again by a rebuild " + name, expected, tables_of(scratch->store(), check));
}

}  // namespace

void check(const ProjectionCheck& projection_check) {
  const Tables expected = in_order(projection_check);
  for (int round = 0; round < projection_check.rounds; ++round) {
    run_round(projection_check, projection_check.seed + static_cast<std::uint64_t>(round), expected);
  }
}

}  // namespace freshet::testing
