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

// One event of an export to standard output, as it is written.
struct ExportedLine {
  std::string line;
};
struct ExportedLog {
  std::string file;
  std::int64_t events = 0;
  Duration elapsed{};
};

struct ImportedLog {
  std::int64_t lines = 0;
  std::int64_t applied = 0;
  Duration elapsed{};
};

struct BackedUpLog {
  std::string file;
  Backup backup;
  Duration elapsed{};
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

struct RemovedProjection {
  std::string name;
  std::vector<std::string> tables;  // Those that went with it.
};

struct RenamedProjection {
  std::string name;  // As it is now.
  std::string was;
};

struct ShownDeadLetters {
  std::vector<DeadLetter> letters;
};

struct RetriedDeadLetters {
  std::int64_t applied = 0;
  std::vector<DeadLetter> remaining;  // Of those that were asked for.
};

struct DiscardedDeadLetters {
  std::int64_t discarded = 0;
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
                            Verification, ExportedLine, ExportedLog, ImportedLog, BackedUpLog, ShownProjections,
                            RebuiltProjections, RemovedProjection, RenamedProjection, ShownDeadLetters,
                            RetriedDeadLetters, DiscardedDeadLetters, measure::Visibility, measure::Throughput,
                            ShownBus, ShownDemos, ShownScript, PlayedScript, PlayedDemos>;

}  // namespace freshet::cli
