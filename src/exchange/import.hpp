// Importing an exported log: batch by batch, each all or nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>

#include "freshet/event_log.hpp"

namespace freshet::exchange {

// One transaction: larger ones gain little, and make others wait for their turn to write.
inline constexpr std::size_t batch_lines_max = 1'000;
inline constexpr std::size_t batch_bytes_max = event_data_bytes_max;

// The line that ended an import. Nothing of its batch is in the log.
struct Refusal {
  enum class Kind {
    malformed,  // It is no event.
    misfit,     // It is one that does not follow what the log holds, or contradicts it.
  };
  std::int64_t line = 0;
  Kind kind = Kind::malformed;
  std::string why;
};

struct Imported {
  std::int64_t lines = 0;    // Those that are in the log now.
  std::int64_t applied = 0;  // Of these, those that were not before.
  std::optional<Refusal> refusal = std::nullopt;
};

// Reads lines of either format; those of white space are skipped. `progress` is told after each batch how many
// lines are in the log, and ends the import by false. It can be run again: what is there is compared and not
// appended. Throws Error as EventLog does.
[[nodiscard]] Imported import_events(EventLog& log, std::istream& lines,
                                     const std::function<bool(std::int64_t lines)>& progress);

}  // namespace freshet::exchange
