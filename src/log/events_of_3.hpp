// Events as format 3 holds them: without the ids of a correlation, which their metadata name, without the end of their
// append, and with a checksum that covers the store's own number of their stream.
#pragma once

#include "log/event_rows.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

[[nodiscard]] const EventTable& event_table_of_3();

// Makes the table of events anew as this release has it, in the caller's write transaction. A damaged event stays one:
// it gets a checksum that differs. Throws `corrupt` where rows are no events at all.
void carry_events_over(sqlite::Connection& connection);

}  // namespace freshet::log
