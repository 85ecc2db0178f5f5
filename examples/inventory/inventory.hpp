// The inventory of a workshop, as a desktop application would keep it: what is on the shelves, and what has moved.
//
// One stream an item, "item/bolt". The rules are pure functions on it; two projections make the tables that are shown.
#pragma once

#include <freshet/freshet.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace inventory {

using Shelf = std::string;

// Facts. A shelf was not written down at first: see upcasters().
struct Received {
  std::int64_t pieces;
  Shelf shelf;
};
struct Taken {
  std::int64_t pieces;
  Shelf shelf;
};
struct Counted {  // Somebody looked: so many were there, whatever was thought before.
  std::int64_t pieces;
  Shelf shelf;
  std::int64_t difference;
};

// Wishes.
struct Receive {
  std::int64_t pieces;
  Shelf shelf;
};
struct Take {
  std::int64_t pieces;
  Shelf shelf;
};
struct Count {
  std::int64_t pieces;
  Shelf shelf;
};

// The rules for one item.
struct Item {
  using State = std::map<Shelf, std::int64_t>;
  using Command = std::variant<Receive, Take, Count>;
  using Event = std::variant<Received, Taken, Counted>;
  using Rejection = std::string;  // A sentence for people.

  static State initial() { return {}; }
  static void evolve(State& item, const Event& event);
  static std::variant<std::vector<Event>, Rejection> decide(const Command& command, const State& item);
  static freshet::CommandIdentity identify(const Command& command);
  static freshet::NewEvent encode(const Event& event);
  static Event decode(const freshet::RecordedEvent& event);
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }

  // An item is moved for years, so its state is kept now and then.
  static constexpr freshet::SnapshotPolicy snapshots{.name = "item"};
  static std::string encode_state(const State& item);
  static State decode_state(std::string_view text);
};

inline freshet::StreamId stream_of(const std::string& item) {
  return {"item", item};
}

// Items that were recorded before there were several shelves lie on this one.
inline constexpr const char* first_shelf = "main";

[[nodiscard]] std::vector<freshet::Upcaster> upcasters();

// Of each item, how many pieces are on which shelf.
[[nodiscard]] std::shared_ptr<const freshet::Projection> stock();

// Of each day, over all items, how many pieces came, went, and were found to be missing or too many.
[[nodiscard]] std::shared_ptr<const freshet::Projection> days();

}  // namespace inventory
