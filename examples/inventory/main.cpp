// A window on the inventory without the window: each command is what a button would do.
//
//   inventory FILE receive ITEM PIECES [SHELF]     inventory FILE stock [--now]
//   inventory FILE take ITEM PIECES [SHELF]        inventory FILE item ITEM
//   inventory FILE count ITEM PIECES [SHELF]       inventory FILE days
#include <charconv>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "inventory.hpp"

namespace {

using inventory::Item;
using Words = std::vector<std::string>;

constexpr int refused = 3;
constexpr int misused = 2;

std::optional<Item::Command> command_of(const Words& words) {
  if (words.size() < 3) return std::nullopt;
  std::int64_t pieces = 0;
  const char* end = words[2].data() + words[2].size();
  if (std::from_chars(words[2].data(), end, pieces).ptr != end) return std::nullopt;
  const std::string shelf = words.size() > 3 ? words[3] : inventory::first_shelf;
  if (words[0] == "receive") return inventory::Receive{pieces, shelf};
  if (words[0] == "take") return inventory::Take{pieces, shelf};
  if (words[0] == "count") return inventory::Count{pieces, shelf};
  return std::nullopt;
}

// Whoever sees old rows is told so.
void show_freshness(freshet::Reading& reading) {
  for (const std::string& warning : reading.warnings()) std::cout << warning << '\n';
}

int run(freshet::Store& store, const std::string& name, const Item::Command& command) {
  const auto outcome = freshet::execute<Item>(store.log(), inventory::stream_of(name), command, {});
  if (const auto* rejected = std::get_if<freshet::Rejected<Item::Rejection>>(&outcome)) {
    std::cout << rejected->rejection << '\n';
    return refused;
  }
  const auto* appended = std::get_if<freshet::Appended>(&outcome);
  if (appended == nullptr) return std::cout << "somebody else was quicker\n", refused;
  if (appended->first == freshet::Position{}) return std::cout << "as it was\n", 0;

  // The list that is shown next has what was just done.
  auto reading = store.read({.projections = {"stock"},
                             .stream = inventory::stream_of(name),
                             .consistency = freshet::AtLeastVersion{appended->version}});
  auto rows =
      reading.query("SELECT shelf, pieces FROM {stock} WHERE stream = ? ORDER BY shelf", {reading.stream_number()});
  while (rows.next()) std::cout << name << ": " << rows.integer(1) << " on " << rows.text(0) << '\n';
  show_freshness(reading);
  return 0;
}

int show_stock(freshet::Store& store, const freshet::Consistency& consistency) {
  auto reading = store.read({.projections = {"stock"}, .consistency = consistency});
  auto rows = reading.query("SELECT item, shelf, pieces FROM {stock} ORDER BY item, shelf");
  while (rows.next()) std::cout << rows.text(0) << ": " << rows.integer(2) << " on " << rows.text(1) << '\n';
  show_freshness(reading);
  return 0;
}

// Of one item, from the log itself: nothing is fresher.
int show_item(freshet::Store& store, const std::string& name) {
  const auto replayed = freshet::replay<Item>(store.log(), inventory::stream_of(name));
  for (const auto& [shelf, pieces] : replayed.state) std::cout << name << ": " << pieces << " on " << shelf << '\n';
  return 0;
}

int show_days(freshet::Store& store) {
  auto reading = store.read({.projections = {"days"}, .consistency = freshet::Strong{}});
  auto rows = reading.query("SELECT sum(came), sum(went), sum(corrected) FROM {days}");
  if (rows.next()) {
    std::cout << rows.integer(0) << " came, " << rows.integer(1) << " went, " << rows.integer(2) << " by counting\n";
  }
  show_freshness(reading);
  return 0;
}

int run(freshet::Store& store, const Words& words) {
  if (const auto command = command_of(words)) return run(store, words[1], *command);
  if (words == Words{"stock"}) return show_stock(store, freshet::Strong{});
  if (words == Words{"stock", "--now"}) return show_stock(store, freshet::Eventual{});
  if (words.size() == 2 && words[0] == "item") return show_item(store, words[1]);
  if (words == Words{"days"}) return show_days(store);
  std::cout << "inventory FILE receive|take|count ITEM PIECES [SHELF] | stock [--now] | item ITEM | days\n";
  return misused;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const Words words(arguments + 1, arguments + argument_count);
  try {
    freshet::Store store({.file = words.empty() ? "inventory.db" : words.front(),
                          .projections = {inventory::stock(), inventory::days()},
                          .upcasters = inventory::upcasters()});
    return run(store, words.empty() ? words : Words(words.begin() + 1, words.end()));
  } catch (const std::exception& exception) {
    std::cout << exception.what() << '\n';
    return 1;
  }
}
