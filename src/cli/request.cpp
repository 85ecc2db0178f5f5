// What kinds of requests have in common.
#include "cli/request.hpp"

#include "cli/overloaded.hpp"

namespace freshet::cli {

Afterwards afterwards_of(const Request& request) {
  return std::visit(Overloaded{
                        [](const ChangeOrder& change) { return change.afterwards; },
                        [](const ImportOrders& import) { return import.afterwards; },
                        [](const auto&) { return Afterwards::leave; },
                    },
                    request);
}

bool ends_well(const Request& request) {
  return std::visit(Overloaded{
                        [](const GetOrder&) { return false; },
                        [](const ListOrders&) { return false; },
                        [](const ShowStats&) { return false; },
                        [](const ShowHistory&) { return false; },
                        [](const ListProjections&) { return false; },
                        [](const auto&) { return true; },
                    },
                    request);
}

}  // namespace freshet::cli
