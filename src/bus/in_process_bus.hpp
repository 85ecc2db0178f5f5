// The bus of this process, as a store makes it.
#pragma once

#include <memory>

#include "freshet/bus.hpp"

namespace freshet {

// Whether a consumer that is far behind has the log's next events read on a thread of its own while it is busy with
// those before. They are read by `read_log` too, which then is called by two threads.
enum class AheadOfNeed { no, yes };

[[nodiscard]] std::unique_ptr<Bus> make_in_process_bus(const BusOptions& options, ReadLog read_log, Clock& clock,
                                                       AheadOfNeed read_ahead);

}  // namespace freshet
