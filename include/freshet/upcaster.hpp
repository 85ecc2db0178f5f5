// Upcasters: events are kept as they were written, and read in the newest form of their type.
//
// When the form of a type's data changes, give the new form the next NewEvent::schema_version and register an upcaster
// from the old one (StoreOptions::upcasters). Deciders, projections and consumers of the bus then see the newest form
// alone, and appends of an older one are refused. The log is not touched; EventForm::recorded shows what was written.
//
// A type's upcasters lead from version 1 to the newest one step by step. To give a type another name, or to make one
// event into several, record events of a new type and decode both.
//
// Threads: convert() runs wherever events are read, on several threads at once: it depends on its argument alone.
// Failure: a chain with a gap, or with two upcasters from one version, is Error `invalid` when the store is opened.
// What convert() throws becomes Error `invalid` and names the event; of a projection it is that event's failure. An
// event newer than the end of its chain, or than version 1 where there is none, was written by a newer release of the
// application: to read it is `unsupported_format`, unless KnownForms say otherwise.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "freshet/event.hpp"

namespace [[gnu::visibility("default")]] freshet {

// One step of a chain.
struct Upcaster {
  std::string type;                                           // Of the events that it converts.
  int from = 1;                                               // Makes this schema version's data into the next one's.
  std::function<std::string(std::string_view data)> convert;  // The old data in, the new data out.
};

inline constexpr int any_form = 0;  // In KnownForms: every schema version of the type.

// Which schema versions an application knows of types that have no upcasters: for one that has begun with a later
// version or tells versions apart itself, and for tools that look into the logs of others.
struct KnownForms {
  // The newest one of a type; any_form: whatever it is recorded with. A type with upcasters is not named here.
  std::map<std::string, int, std::less<>> newest = {};
  int of_others = 1;  // That of all types which are not named, or any_form.
};

// The event as a store with these upcasters gives it to its readers. For tests and tools; a store has checked its
// chains once, and this does so each time.
[[nodiscard]] RecordedEvent upcast(std::span<const Upcaster> upcasters, RecordedEvent event);

}  // namespace freshet
