// Making and reading workloads: commands are decided by the order domain's own rules.
#include "bench/workload.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <ranges>
#include <utility>

#include "base/time_text.hpp"
#include "freshet/error.hpp"
#include "orders/import.hpp"

namespace freshet::bench {
namespace {

// Of Times::moving_on.
constexpr Duration cycle_time = std::chrono::days{30};

// Decides commands one after the other and keeps the events.
class Planner {
 public:
  void add(const std::string& line) {
    const auto parsed = orders::parse_import_line(line);
    const auto* command = std::get_if<orders::ImportLine>(&parsed);
    if (command == nullptr) throw Error(ErrorCode::invalid, "not a command: " + line);
    const auto [entry, is_new] = known_.try_emplace(command->order_id, orders_.size());
    if (is_new) orders_.emplace_back();
    auto& [state, version] = orders_[entry->second];
    auto decision = orders::OrderDecider::decide(command->command, state);
    const auto* events = std::get_if<std::vector<orders::Event>>(&decision);
    if (events == nullptr) return;
    if (version == 0) {
      place_.resize(orders_.size());
      place_[entry->second] = workload_.order_ids.size();
      workload_.order_ids.push_back(command->order_id);
    }
    orders::OrderDecider::evolve(state, events->front());
    workload_.events.push_back({place_[entry->second], ++version, orders::OrderDecider::encode(events->front())});
    workload_.commands.push_back(without_order(line, command->order_id));
  }

  [[nodiscard]] Workload finish(const std::string& source) {
    std::size_t bytes = 0;
    for (const PlannedEvent& planned : workload_.events) bytes += planned.event.data.size();
    workload_.description = source + ": " + std::to_string(workload_.events.size()) + " events of " +
                            std::to_string(workload_.order_ids.size()) + " orders, " +
                            std::to_string(bytes / std::max<std::size_t>(1, workload_.events.size())) +
                            " bytes of JSON on average";
    return std::move(workload_);
  }

  [[nodiscard]] std::size_t size() const { return workload_.events.size(); }

 private:
  // What is between the braces, but the order's id, which is another one in each cycle.
  static std::string without_order(const std::string& line, const std::string& order_id) {
    const std::string order = ",\"order\":\"" + order_id + "\"";
    const auto at = line.find(order);
    if (at == std::string::npos) throw Error(ErrorCode::invalid, "a command names its time before its order: " + line);
    const auto after = at + order.size();
    return line.substr(1, at - 1) + line.substr(after, line.rfind('}') - after);
  }

  std::map<std::string, std::size_t> known_;
  std::vector<std::pair<orders::Order, std::int64_t>> orders_;  // State and version.
  std::vector<std::size_t> place_;                              // In order_ids.
  Workload workload_;
};

// Orders under way, the newest last.
class Shop {
 public:
  explicit Shop(std::uint64_t seed) : random_(seed) {}

  // The next command as a line.
  std::string next() {
    const bool places = open_.size() < open_min || draw(100) < 28;
    if (places) open_.push_back({hexadecimal(), 0});
    const std::size_t index = places ? open_.size() - 1 : hot();
    const std::string id = open_[index].first;
    int& steps = open_[index].second;
    const std::string line = "{\"at\":\"" + format_timestamp(Timestamp{Duration{now_ += 1'000'000}}) +
                             "\",\"command\":\"" + command(id, steps++) + "}";
    if (steps == 4 || (steps > 0 && draw(100) < 3)) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
    return line;
  }

 private:
  static constexpr std::size_t open_min = 64;

  std::string command(const std::string& id, int step) {
    const std::string rest = "\",\"order\":\"" + id + "\"";
    if (step == 1) return "pay" + rest;
    if (step == 2) return "ship" + rest + R"(,"carrier":"correios","tracking":")" + hexadecimal() + '"';
    if (step == 3) return "deliver" + rest;
    std::string items;
    const std::uint64_t count = 1 + draw(5);
    for (std::uint64_t item = 0; item < count; ++item) {
      items += std::string(item > 0 ? "," : "") + "{\"sku\":\"" + hexadecimal() +
               "\",\"quantity\":1,\"unit_price_minor\":" + std::to_string(500 + draw(20'000)) + '}';
    }
    return "place" + rest + ",\"customer\":\"" + hexadecimal() + R"(","currency":"BRL","items":[)" + items +
           "],\"freight_minor\":" + std::to_string(draw(5'000));
  }

  // Zipf-like: the newest orders move on most.
  std::size_t hot() {
    const double unit = static_cast<double>(random_() >> 11U) * 0x1.0p-53;
    const auto back = static_cast<std::size_t>(std::pow(static_cast<double>(open_.size()), unit)) - 1;
    return open_.size() - 1 - std::min(back, open_.size() - 1);
  }

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }

  std::string hexadecimal() {
    std::string text;
    for (int word = 0; word < 2; ++word) {
      for (std::uint64_t bits = random_(), digit = 0; digit < 16; ++digit, bits >>= 4U) {
        text += "0123456789abcdef"[bits & 15U];
      }
    }
    return text;
  }

  std::mt19937_64 random_;
  std::vector<std::pair<std::string, int>> open_;  // Id and steps taken.
  std::int64_t now_ = 1'480'000'000'000'000;
};

}  // namespace

Workload read_workload(const std::filesystem::path& file) {
  std::ifstream lines(file);
  if (!lines) throw Error(ErrorCode::file_missing, "cannot read '" + file.string() + "'");
  Planner planner;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) planner.add(line);
  }
  if (planner.size() == 0) throw Error(ErrorCode::invalid, "no command in '" + file.string() + "' is allowed");
  return planner.finish(file.filename().string());
}

Workload make_workload(std::size_t events, std::uint64_t seed) {
  Planner planner;
  Shop shop(seed);
  while (planner.size() < events) planner.add(shop.next());
  return planner.finish("made up, seed " + std::to_string(seed));
}

Supply::Supply(const Workload& workload, std::string name, Times times) : workload_(workload), name_(std::move(name)) {
  if (times == Times::again) return;
  moving_on_ = workload.events;
  const auto time = [](const PlannedEvent& planned) { return *planned.event.occurred_at; };
  const auto [first, last] = std::ranges::minmax(moving_on_ | std::views::transform(time));
  for (PlannedEvent& planned : moving_on_) {
    planned.event.occurred_at = first + (time(planned) - first) / (1 + (last - first) / cycle_time);
  }
}

Supplied Supply::next() {
  const std::size_t index = advance();
  const PlannedEvent& planned = moving_on_.empty() ? workload_.events[index] : moving_on_[index];
  return {{"order", order_id(planned.order)}, planned.version, &planned};
}

std::string Supply::next_lines(std::size_t lines) {
  std::string text;
  for (std::size_t line = 0; line < lines; ++line) {
    const std::size_t index = advance();
    text += "{\"order\":\"" + order_id(workload_.events[index].order) + "\"," + workload_.commands[index] + "}\n";
  }
  return text;
}

std::string Supply::order_id(std::size_t order) const {
  return workload_.order_ids[order] + name_ + std::to_string(cycle_);
}

std::size_t Supply::advance() {
  if (index_ == workload_.events.size()) {
    index_ = 0;
    ++cycle_;
    for (PlannedEvent& planned : moving_on_) *planned.event.occurred_at += cycle_time;
  }
  return index_++;
}

}  // namespace freshet::bench
