// What a request is answered with, as plain values: run() makes them, a renderer writes them.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "freshet/store.hpp"
#include "measure/measure.hpp"
#include "orders/orders.hpp"
#include "scenario/demos.hpp"
#include "scenario/timeline.hpp"

namespace freshet::cli {

using ShownOrder = orders::Answer<orders::OrderView>;
using ShownPage = orders::Answer<orders::Page>;
using ShownStats = orders::Answer<orders::Stats>;

struct Imported {
  orders::ImportResult result;
  Duration elapsed;
};

// One event of an order's history, or of the log.
struct HistoryEvent {
  RecordedEvent event;
};
struct LogEvent {
  RecordedEvent event;
};

struct ShownProjections {
  std::vector<ProjectionStatus> projections;
};

struct Rebuilt {
  std::string name;
  std::int64_t events = 0;
  Duration elapsed{};
};
struct RebuiltProjections {
  std::vector<Rebuilt> rebuilt;
};

struct ShownBus {
  BusOptions bus;
};

struct ShownDemos {
  std::vector<scenario::Demo> demos;
};

struct ShownScript {
  std::string name;
  std::string script;
};

// One script that was played, or all demonstrations.
struct PlayedScript {
  scenario::Report report;
};
struct PlayedDemos {
  std::vector<scenario::Report> reports;
};

using Answer = std::variant<orders::Done, Imported, ShownOrder, ShownPage, ShownStats, HistoryEvent, LogEvent,
                            Verification, ShownProjections, RebuiltProjections, measure::Visibility,
                            measure::Throughput, ShownBus, ShownDemos, ShownScript, PlayedScript, PlayedDemos>;

}  // namespace freshet::cli
