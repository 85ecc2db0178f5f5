// Events on their way from one log to another: exported with their command ids, and fitted into the log that
// imports them.
#pragma once

#include <functional>

#include "freshet/event_log.hpp"
#include "log/event_rows.hpp"
#include "sqlite/connection.hpp"

namespace freshet::log {

// As EventLog's method of this name, on the connection's present snapshot.
void export_events(sqlite::Connection& connection, const std::function<bool(const ExportedEvent&)>& take);

// Throws Error `invalid`, with what differs, unless the log holds this very event.
void check_same(sqlite::Connection& connection, const ExportedEvent& exported);

// Likewise, with what is missing, unless the event can stand right behind `last`, the last one of the log.
void check_next(sqlite::Connection& connection, const ExportedEvent& exported, const Last& last);

// Inserts the event as it is, and its command. Returns the number of its stream here.
[[nodiscard]] std::int64_t insert_foreign(sqlite::Connection& connection, const ExportedEvent& exported);

}  // namespace freshet::log
