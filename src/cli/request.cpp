// What kinds of requests have in common.
#include "cli/request.hpp"

#include "cli/overloaded.hpp"

namespace freshet::cli {

BusOptions changed(BusOptions bus, const BusChange& change) {
  bus.delay = change.delay.value_or(bus.delay);
  bus.duplicate_probability = change.duplicate_probability.value_or(bus.duplicate_probability);
  bus.redeliver_after = change.redeliver_after.value_or(bus.redeliver_after);
  bus.seed = change.seed.value_or(bus.seed);
  return bus;
}

Afterwards afterwards_of(const Request& request) {
  return std::visit(Overloaded{
                        [](const ChangeOrder& change) { return change.afterwards; },
                        [](const ImportOrders& import) { return import.afterwards; },
                        [](const ImportLog& import) { return import.afterwards; },
                        [](const auto&) { return Afterwards::leave; },
                    },
                    request);
}

const std::string* imported_file(const Request& request) {
  if (const auto* orders = std::get_if<ImportOrders>(&request)) return &orders->file;
  if (const auto* log = std::get_if<ImportLog>(&request)) return &log->file;
  return nullptr;
}

bool ends_well(const Request& request) {
  return std::visit(Overloaded{
                        [](const GetOrder&) { return false; },
                        [](const ListOrders&) { return false; },
                        [](const ShowStats&) { return false; },
                        [](const ShowHistory&) { return false; },
                        [](const ListProjections&) { return false; },
                        [](const ListDeadLetters&) { return false; },
                        [](const auto&) { return true; },
                    },
                    request);
}

}  // namespace freshet::cli
