// What happens inside a store, as lines of a log.
#pragma once

#include <string>

#include "freshet/store.hpp"

namespace freshet::cli {

[[nodiscard]] std::string trace_text(const Trace& trace);

// How much there is in a store that has just been opened, and what its read tables have to catch up with.
[[nodiscard]] std::string opened_text(Store& store);

}  // namespace freshet::cli
