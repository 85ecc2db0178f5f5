// Building and walking the chains.
#include "log/upcasting.hpp"

#include <algorithm>
#include <exception>

#include "base/thrown.hpp"
#include "freshet/error.hpp"

namespace freshet::log {
namespace {

// Of a type that has no upcasters: whatever version its events carry is taken for the newest.
constexpr int unknown_version = 0;

[[noreturn]] void refuse(const Upcaster& upcaster, const std::string& why) {
  throw Error(ErrorCode::invalid, "cannot upcast '" + upcaster.type + "': " + why);
}

std::string describe(const RecordedEvent& event) {
  return "the event at position " + std::to_string(event.position.value) + " ('" + event.type + "', schema version " +
         std::to_string(event.schema_version) + ")";
}

}  // namespace

Upcasting::Upcasting(std::span<const Upcaster> upcasters) {
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
}

int Upcasting::newest(std::string_view type) const {
  const auto found = chains_.find(type);
  return found == chains_.end() ? unknown_version : static_cast<int>(found->second.size()) + 1;
}

bool Upcasting::is_newest(const RecordedEvent& event) const {
  if (is_empty()) return true;
  const int version = newest(event.type);
  return version == unknown_version || version == event.schema_version;
}

void Upcasting::upcast(RecordedEvent& event) const {
  if (is_newest(event)) return;
  const Chain& chain = chains_.find(event.type)->second;
  if (event.schema_version > newest(event.type)) {
    throw Error(ErrorCode::unsupported_format, describe(event) + " was written by a newer release of the application");
  }
  while (event.schema_version < newest(event.type)) {
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
  if (version == unknown_version || version == event.schema_version) return;
  throw Error(ErrorCode::invalid, "an event of type '" + event.type + "' is recorded with schema version " +
                                      std::to_string(version) + ", its newest, and not " +
                                      std::to_string(event.schema_version));
}

}  // namespace freshet::log

namespace freshet {

RecordedEvent upcast(std::span<const Upcaster> upcasters, RecordedEvent event) {
  log::Upcasting(upcasters).upcast(event);
  return event;
}

}  // namespace freshet
