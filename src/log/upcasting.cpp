// Building and walking the chains.
#include "log/upcasting.hpp"

#include <algorithm>
#include <exception>

#include "base/thrown.hpp"
#include "freshet/error.hpp"

namespace freshet::log {
namespace {

[[noreturn]] void refuse(const Upcaster& upcaster, const std::string& why) {
  throw Error(ErrorCode::invalid, "cannot upcast '" + upcaster.type + "': " + why);
}

std::string describe(const RecordedEvent& event) {
  return "the event at position " + std::to_string(event.position.value) + " ('" + event.type + "', schema version " +
         std::to_string(event.schema_version) + ")";
}

}  // namespace

Upcasting::Upcasting(std::span<const Upcaster> upcasters, KnownForms forms) : forms_(std::move(forms)) {
  std::vector<Upcaster> sorted(upcasters.begin(), upcasters.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return one.type == other.type ? one.from < other.from : one.type < other.type;
  });
  for (Upcaster& upcaster : sorted) {
    Chain& chain = chains_[upcaster.type];
    const int expected = static_cast<int>(chain.size()) + 1;
    if (!upcaster.convert) refuse(upcaster, "an upcaster converts");
    if (upcaster.from < 1) refuse(upcaster, "schema versions count from 1");
    if (upcaster.from < expected) {
      refuse(upcaster, "two upcasters lead from schema version " + std::to_string(upcaster.from));
    }
    if (upcaster.from > expected) refuse(upcaster, "none leads from schema version " + std::to_string(expected));
    chain.push_back(std::move(upcaster.convert));
  }
  if (forms_.of_others < any_form) throw Error(ErrorCode::invalid, "schema versions count from 1");
  for (const auto& [type, newest] : forms_.newest) {
    if (newest < any_form) throw Error(ErrorCode::invalid, "the schema versions of '" + type + "' count from 1");
    if (!chains_.contains(type)) continue;
    throw Error(ErrorCode::invalid, "the newest schema version of '" + type + "' is where its upcasters lead");
  }
}

int Upcasting::newest(std::string_view type) const {
  if (const auto chain = chains_.find(type); chain != chains_.end()) return static_cast<int>(chain->second.size()) + 1;
  const auto known = forms_.newest.find(type);
  return known == forms_.newest.end() ? forms_.of_others : known->second;
}

bool Upcasting::is_newest(const RecordedEvent& event) const {
  const int version = newest(event.type);
  return version == any_form || version == event.schema_version;
}

void Upcasting::upcast(RecordedEvent& event) const {
  if (is_newest(event)) return;
  const int newest_version = newest(event.type);
  if (event.schema_version > newest_version) {
    throw Error(ErrorCode::unsupported_format, describe(event) +
                                                   " was written by a newer release of the application, " +
                                                   "and this one knows schema versions up to " +
                                                   std::to_string(newest_version) + ": use a newer release");
  }
  const auto found = chains_.find(event.type);
  if (found == chains_.end()) {
    throw Error(ErrorCode::invalid, "cannot upcast " + describe(event) + ": no upcaster leads from there");
  }
  const Chain& chain = found->second;
  while (event.schema_version < newest_version) {
    try {
      event.data = chain[static_cast<std::size_t>(event.schema_version) - 1](event.data);
    } catch (...) {
      throw Error(ErrorCode::invalid, "cannot upcast " + describe(event) + ": " + words_of_thrown());
    }
    ++event.schema_version;
  }
}

void Upcasting::upcast_or_leave(RecordedEvent& event) const {
  if (is_newest(event)) return;
  RecordedEvent upcasted = event;
  try {
    upcast(upcasted);
  } catch (const Error&) {
    return;
  }
  event = std::move(upcasted);
}

void Upcasting::check_newest(const NewEvent& event) const {
  const int version = newest(event.type);
  if (version == any_form || version == event.schema_version) return;
  const bool is_raised = event.schema_version > version && !chains_.contains(event.type);
  throw Error(ErrorCode::invalid,
              "an event of type '" + event.type + "' is recorded with schema version " + std::to_string(version) +
                  ", its newest, and not " + std::to_string(event.schema_version) +
                  (is_raised ? ": register an upcaster, or name the version in StoreOptions::forms" : ""));
}

}  // namespace freshet::log

namespace freshet {

RecordedEvent upcast(std::span<const Upcaster> upcasters, RecordedEvent event) {
  log::Upcasting(upcasters).upcast(event);
  return event;
}

}  // namespace freshet
