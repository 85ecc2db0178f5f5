// From traces and answers to occurrences and windows.
#include "scenario/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>

#include "orders/codec.hpp"

namespace freshet::scenario {
namespace {

// The projection whose rows a query for an order reads.
constexpr std::string_view orders_projection = "orders";

bool is_shown(const Trace& trace) {
  const bool is_of_projection = trace.kind == Trace::Kind::applied || trace.kind == Trace::Kind::skipped;
  return !is_of_projection || trace.projection == orders_projection;
}

// Who did it, and what, where an event is at the heart of it. `deliveries` counts this one.
Occurrence occurrence_of(const Trace& trace, int deliveries) {
  const RecordedEvent& event = *trace.event;
  const std::string id = order_id_of(event);
  const std::int64_t version = event.version.value;
  Occurrence occurrence{.order_id = id, .version = event.version};
  if (trace.kind == Trace::Kind::appended) {
    occurrence.actor = Actor::write_side;
    occurrence.kind = Kind::appended;
    occurrence.what = fmt::format("{} appended to event store (order {}, version {})", event.type, id, version);
  } else if (trace.kind == Trace::Kind::delivered) {
    occurrence.actor = Actor::bus;
    occurrence.kind = Kind::delivered;
    occurrence.attempt = std::max(trace.attempt, deliveries);
    occurrence.what = fmt::format("{} delivered to listener{}", event.type, occurrence.attempt > 1 ? " once more" : "");
  } else if (trace.kind == Trace::Kind::skipped) {
    occurrence.actor = Actor::listener;
    occurrence.kind = Kind::skipped;
    occurrence.what = fmt::format("{} skipped, it was applied before (order {}, version {})", event.type, id, version);
  } else {
    occurrence.actor = Actor::read_model;
    occurrence.kind = Kind::applied;
    occurrence.what = fmt::format("order {} updated to version {}{}", id, version,
                                  trace.synchronous ? ", in the transaction of the event" : "");
  }
  return occurrence;
}

Occurrence of_listener(Kind kind, std::string what) {
  return {.actor = Actor::listener, .kind = kind, .what = std::move(what)};
}

}  // namespace

std::string order_id_of(const RecordedEvent& event) {
  const StreamId& stream = event.stream;
  return stream.category == orders::order_category ? stream.id : stream.category + "/" + stream.id;
}

void Recorder::record(const Trace& trace) {
  if (!is_shown(trace)) return;
  if (trace.event) {
    const bool is_delivery = trace.kind == Trace::Kind::delivered;
    const int deliveries = is_delivery ? count_delivery("", trace.event->position) : 1;
    record(trace.at, occurrence_of(trace, deliveries));
    note_visibility(*state_.locked(), trace);
    return;
  }
  if (trace.kind == Trace::Kind::offsets_committed) {
    record(trace.at, of_listener(Kind::committed, "offsets committed: what it has acknowledged is not sent again"));
  } else if (trace.kind == Trace::Kind::crashed) {
    state_.locked()->crashed = true;
    record(trace.at, of_listener(Kind::crashed, "crashed, and its latest offsets are not committed"));
  } else if (std::exchange(state_.locked()->crashed, false)) {
    // The first start is nothing that a script would show.
    record(trace.at, of_listener(Kind::restarted, "restarted at its committed offsets"));
  }
}

void Recorder::record(Instant now, Occurrence occurrence) {
  state_.locked()->entries.emplace(now, std::move(occurrence));
}

void Recorder::note_visibility(State& state, const Trace& trace) {
  if (trace.kind != Trace::Kind::appended && trace.kind != Trace::Kind::applied) return;
  Visibility& visibility = state.versions[{order_id_of(*trace.event), trace.event->version}];
  if (trace.kind == Trace::Kind::appended) {
    visibility.appended = trace.at;
  } else {
    visibility.applied = trace.at;
    visibility.synchronous = trace.synchronous;
  }
}

void Recorder::begin(Instant now) {
  auto state = state_.locked();
  state->entries.clear();
  state->versions.clear();
  state->begun = now;
}

int Recorder::count_delivery(const std::string& listener, Position position) {
  return ++state_.locked()->deliveries[{listener, position}];
}

Instant Recorder::origin(const State& state) {
  for (const auto& [at, occurrence] : state.entries) {
    if (occurrence.kind == Kind::appended) return at;
  }
  if (state.begun) return *state.begun;
  return state.entries.empty() ? Instant{} : state.entries.begin()->first;
}

void Recorder::fill_in(Report& report) {
  auto state = state_.locked();
  const Instant start = origin(*state);
  const auto time = [&](Instant at) { return std::chrono::floor<Duration>(at - start); };
  report.timeline.clear();
  for (const auto& [at, occurrence] : state->entries) {
    report.timeline.push_back(occurrence);
    report.timeline.back().at = time(at);
    // Between `begin` and the first write nothing has a time yet.
    if (state->begun) report.timeline.back().at = std::max(report.timeline.back().at, Duration{0});
  }
  report.windows.clear();
  for (const auto& [version, visibility] : state->versions) {
    if (!visibility.appended) continue;
    if (visibility.synchronous && visibility.applied == visibility.appended) continue;
    Window window{.order_id = version.first, .version = version.second, .opened = time(*visibility.appended)};
    if (visibility.applied) window.closed = time(*visibility.applied);
    report.windows.push_back(std::move(window));
  }
  std::ranges::sort(report.windows, {},
                    [](const Window& window) { return std::tie(window.opened, window.order_id, window.version); });
}

}  // namespace freshet::scenario
