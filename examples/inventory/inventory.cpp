// The rules of the inventory, the forms of its events, and its two read tables.
#include "inventory.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace inventory {
namespace {

using Json = nlohmann::ordered_json;

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::int64_t on_shelf(const Item::State& item, const Shelf& shelf) {
  const auto found = item.find(shelf);
  return found == item.end() ? 0 : found->second;
}

// By how much an event changes what is on its shelf.
std::int64_t change(const Item::Event& event) {
  return std::visit(Overloaded{[](const Received& received) { return received.pieces; },
                               [](const Taken& taken) { return -taken.pieces; },
                               [](const Counted& counted) { return counted.difference; }},
                    event);
}

const Shelf& shelf_of(const Item::Event& event) {
  return std::visit([](const auto& any) -> const Shelf& { return any.shelf; }, event);
}

std::string add_first_shelf(std::string_view data) {
  Json json = Json::parse(data);
  json["shelf"] = first_shelf;
  return json.dump();
}

class Stock final : public freshet::Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "stock"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"stock"}; }

  void create(freshet::Tables& tables) const override {
    tables.execute(
        "CREATE TABLE {stock} (stream INTEGER, shelf TEXT, item TEXT NOT NULL, pieces INTEGER NOT NULL, "
        "PRIMARY KEY (stream, shelf)) STRICT, WITHOUT ROWID");
  }

  void apply(const freshet::RecordedEvent& event, freshet::Tables& tables) const override {
    if (event.stream.category != "item") return;
    const Item::Event fact = Item::decode(event);
    tables.execute(
        "INSERT INTO {stock} VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET pieces = pieces + excluded.pieces",
        {event.stream_number, std::string_view{shelf_of(fact)}, std::string_view{event.stream.id}, change(fact)});
  }
};

class Days final : public freshet::Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "days"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"days"}; }

  void create(freshet::Tables& tables) const override {
    tables.execute(
        "CREATE TABLE {days} (day TEXT PRIMARY KEY, came INTEGER NOT NULL, went INTEGER NOT NULL, "
        "corrected INTEGER NOT NULL) STRICT, WITHOUT ROWID");
  }

  void apply(const freshet::RecordedEvent& event, freshet::Tables& tables) const override {
    if (event.stream.category != "item") return;
    const Item::Event fact = Item::decode(event);
    const auto only = [&](bool counts) { return counts ? std::abs(change(fact)) : 0; };
    const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(event.occurred_at).time_since_epoch().count();
    tables.execute(
        "INSERT INTO {days} VALUES (date(?, 'unixepoch'), ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "came = came + excluded.came, went = went + excluded.went, corrected = corrected + excluded.corrected",
        {seconds, only(std::holds_alternative<Received>(fact)), only(std::holds_alternative<Taken>(fact)),
         std::holds_alternative<Counted>(fact) ? change(fact) : 0});
  }
};

}  // namespace

void Item::evolve(State& item, const Event& event) {
  item[shelf_of(event)] += change(event);
}

std::variant<std::vector<Item::Event>, Item::Rejection> Item::decide(const Command& command, const State& item) {
  const auto& [pieces, shelf] =
      std::visit([](const auto& any) { return std::pair<std::int64_t, const Shelf&>{any.pieces, any.shelf}; }, command);
  const std::int64_t there = on_shelf(item, shelf);
  if (shelf.empty()) return Rejection{"a shelf has a name"};
  if (std::holds_alternative<Count>(command)) {
    if (pieces < 0) return Rejection{"nobody counts fewer than none"};
    if (pieces == there) return std::vector<Event>{};  // Nothing new.
    return std::vector<Event>{Counted{pieces, shelf, pieces - there}};
  }
  if (pieces < 1) return Rejection{"at least one piece moves"};
  if (std::holds_alternative<Receive>(command)) return std::vector<Event>{Received{pieces, shelf}};
  if (pieces > there) return Rejection{"there are only " + std::to_string(there) + " on the shelf " + shelf};
  return std::vector<Event>{Taken{pieces, shelf}};
}

freshet::CommandIdentity Item::identify(const Command& command) {
  constexpr std::array names{"receive", "take", "count"};
  freshet::CommandIdentity identity(names.at(command.index()));
  std::visit([&](const auto& any) { identity.add(any.pieces).add(any.shelf); }, command);
  return identity;
}

freshet::NewEvent Item::encode(const Event& event) {
  const auto encoded = [](const char* type, const Json& json) {
    return freshet::NewEvent{.type = type, .schema_version = 2, .data = json.dump()};
  };
  return std::visit(
      Overloaded{[&](const Received& received) {
                   return encoded("PiecesReceived", {{"pieces", received.pieces}, {"shelf", received.shelf}});
                 },
                 [&](const Taken& taken) {
                   return encoded("PiecesTaken", {{"pieces", taken.pieces}, {"shelf", taken.shelf}});
                 },
                 [&](const Counted& counted) {
                   return encoded(
                       "PiecesCounted",
                       {{"pieces", counted.pieces}, {"difference", counted.difference}, {"shelf", counted.shelf}});
                 }},
      event);
}

Item::Event Item::decode(const freshet::RecordedEvent& event) {
  const Json json = Json::parse(event.data);
  const auto pieces = json.at("pieces").get<std::int64_t>();
  const auto shelf = json.at("shelf").get<Shelf>();
  if (event.type == "PiecesReceived") return Received{pieces, shelf};
  if (event.type == "PiecesTaken") return Taken{pieces, shelf};
  if (event.type == "PiecesCounted") return Counted{pieces, shelf, json.at("difference").get<std::int64_t>()};
  throw std::runtime_error("an inventory has no event of type " + event.type);
}

std::string Item::encode_state(const State& item) {
  return Json(item).dump();
}

Item::State Item::decode_state(std::string_view text) {
  return Json::parse(text).get<State>();
}

std::vector<freshet::Upcaster> upcasters() {
  return {{"PiecesReceived", 1, add_first_shelf},
          {"PiecesTaken", 1, add_first_shelf},
          {"PiecesCounted", 1, add_first_shelf}};
}

std::shared_ptr<const freshet::Projection> stock() {
  return std::make_shared<Stock>();
}

std::shared_ptr<const freshet::Projection> days() {
  return std::make_shared<Days>();
}

}  // namespace inventory
