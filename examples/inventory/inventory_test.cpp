// The tests of the inventory, with the library's helpers and no framework: each test is a function, and what is wrong
// is thrown.
#include "inventory.hpp"

#include <exception>
#include <freshet/testing.hpp>
#include <functional>
#include <iostream>
#include <map>

namespace {

using namespace inventory;
using freshet::testing::given;
using Texts = std::vector<std::string>;

void pieces_are_received_and_taken() {
  given<Item>().when(Receive{5, "A"}).then({Received{5, "A"}});
  given<Item>({Received{5, "A"}}).when(Take{5, "A"}).then({Taken{5, "A"}});
}

void nobody_takes_what_is_not_there() {
  given<Item>({Received{5, "A"}, Taken{2, "A"}}).when(Take{4, "A"}).then_rejected("there are only 3 on the shelf A");
  given<Item>({Received{5, "A"}}).when(Take{1, "B"}).then_rejected("there are only 0 on the shelf B");
}

void at_least_one_piece_moves() {
  given<Item>().when(Receive{0, "A"}).then_rejected("at least one piece moves");
  given<Item>({Received{5, "A"}}).when(Take{-1, "A"}).then_rejected("at least one piece moves");
}

void a_count_corrects_what_was_thought() {
  given<Item>({Received{5, "A"}}).when(Count{3, "A"}).then({Counted{3, "A", -2}});
  given<Item>({Received{5, "A"}}).when(Count{5, "A"}).then_nothing();
  given<Item>({Received{5, "A"}, Counted{3, "A", -2}})
      .when(Take{4, "A"})
      .then_rejected("there are only 3 on the shelf A");
}

void a_snapshot_is_the_whole_state() {
  freshet::testing::check_snapshots<Item>({Received{5, "A"}, Received{2, "B"}, Taken{3, "A"}, Counted{1, "B", -1}});
}

freshet::testing::ProjectionCheck::Given fact(const std::string& item, const Item::Event& event, int day = 1) {
  freshet::NewEvent encoded = Item::encode(event);
  encoded.occurred_at = freshet::Timestamp{std::chrono::days{day}};
  return {stream_of(item), encoded};
}

const std::vector<freshet::testing::ProjectionCheck::Given> a_week = {
    fact("bolt", Received{10, "A"}, 1), fact("nut", Received{7, "A"}, 1),    fact("bolt", Taken{3, "A"}, 2),
    fact("bolt", Received{1, "B"}, 2),  fact("nut", Counted{5, "A", -2}, 3), fact("gear", Received{2, "B"}, 3)};

void the_stock_is_the_same_in_whatever_order_events_come() {
  freshet::testing::check({.projection = stock(),
                           .given = a_week,
                           .query = "SELECT item, shelf, pieces FROM {stock} ORDER BY item, shelf",
                           .expected = {"bolt | A | 7", "bolt | B | 1", "gear | B | 2", "nut | A | 5"},
                           .upcasters = upcasters()});
}

void the_days_are_the_same_in_whatever_order_events_come() {
  freshet::testing::check({.projection = days(),
                           .given = a_week,
                           .query = "SELECT * FROM {days} ORDER BY day",
                           .expected = {"1970-01-02 | 17 | 0 | 0", "1970-01-03 | 1 | 3 | 0", "1970-01-04 | 2 | 0 | -2"},
                           .upcasters = upcasters()});
}

void events_of_the_first_release_can_be_read() {
  const std::vector<freshet::testing::Sample> samples = {
      {"PiecesReceived", 1, R"({"pieces":5})", R"({"pieces":5,"shelf":"main"})"},
      {"PiecesReceived", 2, R"({"pieces":5,"shelf":"A"})", R"({"pieces":5,"shelf":"A"})"},
      {"PiecesTaken", 1, R"({"pieces":2})", R"({"pieces":2,"shelf":"main"})"},
      {"PiecesCounted", 1, R"({"pieces":4,"difference":-1})", R"({"pieces":4,"difference":-1,"shelf":"main"})"}};
  freshet::testing::check_samples<Item>(upcasters(), samples);
}

void a_list_is_stale_while_events_are_on_their_way_and_says_so() {
  freshet::testing::ScratchStore scratch({.projections = {stock()},
                                          .upcasters = upcasters(),
                                          .bus = {.delay = freshet::FixedDelay{std::chrono::milliseconds{50}}}});
  static_cast<void>(freshet::execute<Item>(scratch.store().log(), stream_of("bolt"), Receive{5, "A"}, {}));
  const auto list = [&](const freshet::Consistency& consistency) {
    auto reading = scratch.store().read({.projections = {"stock"}, .consistency = consistency});
    Texts rows = freshet::testing::rows_of(reading, "SELECT item, pieces FROM {stock}");
    if (reading.freshness().stale) rows.push_back("stale");
    return rows;
  };
  freshet::testing::compare("the list at once", {"stale"}, list(freshet::Eventual{}));
  freshet::testing::compare("the list that waits", {"bolt | 5"}, list(freshet::Strong{}));
}

}  // namespace

int main() {
  const std::map<std::string, std::function<void()>> tests = {
      {"pieces are received and taken", pieces_are_received_and_taken},
      {"nobody takes what is not there", nobody_takes_what_is_not_there},
      {"at least one piece moves", at_least_one_piece_moves},
      {"a count corrects what was thought", a_count_corrects_what_was_thought},
      {"a snapshot is the whole state", a_snapshot_is_the_whole_state},
      {"the stock is the same in whatever order events come", the_stock_is_the_same_in_whatever_order_events_come},
      {"the days are the same in whatever order events come", the_days_are_the_same_in_whatever_order_events_come},
      {"events of the first release can be read", events_of_the_first_release_can_be_read},
      {"a list is stale while events are on their way, and says so",
       a_list_is_stale_while_events_are_on_their_way_and_says_so}};
  int failed = 0;
  for (const auto& [name, test] : tests) {
    try {
      test();
    } catch (const std::exception& exception) {
      ++failed;
      std::cout << name << ": " << exception.what() << '\n';
    }
  }
  std::cout << tests.size() - static_cast<std::size_t>(failed) << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}
