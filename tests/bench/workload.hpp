// The work: events of orders, as a shop has them. Of a file of commands, or made up with the same shape:
// some 150 bytes of JSON, streams of 1 to 5 events, and new orders moving on more often than old ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "freshet/event.hpp"

namespace freshet::bench {

struct PlannedEvent {
  std::size_t order = 0;  // Index into Workload::order_ids.
  std::int64_t version = 0;
  NewEvent event;
};

struct Workload {
  std::vector<std::string> order_ids;
  std::vector<PlannedEvent> events;
  // The commands behind them, as JSON without the braces and the order, in the order of the events.
  std::vector<std::string> commands;
  std::string description;
};

// Commands that the rules refuse are left out.
[[nodiscard]] Workload read_workload(const std::filesystem::path& file);
[[nodiscard]] Workload make_workload(std::size_t events, std::uint64_t seed);

// An event with its place in its stream, ready to be appended by anyone.
struct Supplied {
  StreamId stream;
  std::int64_t version = 0;
  const PlannedEvent* planned = nullptr;
};

// Of a supply that begins its workload once more.
enum class Times {
  again,      // The same.
  moving_on,  // A month after those before, and all within it. The supply has its own copy of the events.
};

// The workload again and again, with new order ids each time.
class Supply {
 public:
  // `name` keeps the orders of several supplies apart.
  Supply(const Workload& workload, std::string name, Times times = Times::again);

  [[nodiscard]] Supplied next();
  // The same work as lines of an import, this many.
  [[nodiscard]] std::string next_lines(std::size_t lines);

 private:
  [[nodiscard]] std::string order_id(std::size_t order) const;
  std::size_t advance();

  const Workload& workload_;
  std::vector<PlannedEvent> moving_on_;  // With Times::moving_on.
  std::string name_;
  std::size_t cycle_ = 0;
  std::size_t index_ = 0;
};

}  // namespace freshet::bench
