// Opening, closing, appending, and reading the log.
#include <memory>
#include <utility>

#include "base/ensure.hpp"
#include "c/guard.hpp"
#include "c/handles.hpp"

namespace freshet::c {
namespace {

ExpectedVersion expected_version(int64_t expected) {
  if (expected == FRESHET_ANY) return ExpectedVersion::any();
  if (expected == FRESHET_EXISTS) return ExpectedVersion::exists();
  if (expected == FRESHET_NONE) return ExpectedVersion::none();
  if (expected < 0) throw Error(ErrorCode::invalid, "an expected version is a number from 0 or one of those named");
  return ExpectedVersion::exactly(Version{expected});
}

NewEvent event_from(const freshet_new_event& event) {
  ensure(event.type != nullptr && (event.data != nullptr || event.data_size == 0), "an event has a type and data");
  NewEvent made{.type = event.type, .data = event.data_size == 0 ? "" : std::string(event.data, event.data_size)};
  if (event.content_type != nullptr) made.content_type = event.content_type;
  if (event.metadata != nullptr) made.metadata = event.metadata;
  if (event.occurred_at != nullptr) made.occurred_at = Timestamp{Duration{*event.occurred_at}};
  return made;
}

freshet_code answer(const AppendResult& result, freshet_appended& appended) {
  if (const auto* conflict = std::get_if<Conflict>(&result)) {
    appended = {.version = conflict->actual.value};
    return FRESHET_CONFLICT;
  }
  const auto& recorded = std::get<Appended>(result);
  appended = {.first = recorded.first.value,
              .last = recorded.last.value,
              .version = recorded.version.value,
              .duplicate = recorded.duplicate};
  return FRESHET_OK;
}

}  // namespace

freshet_event event_of(const RecordedEvent& event) {
  return {.position = event.position.value,
          .version = event.version.value,
          .stream_number = event.stream_number,
          .category = event.stream.category.c_str(),
          .id = event.stream.id.c_str(),
          .type = event.type.c_str(),
          .data = event.data.c_str(),
          .data_size = event.data.size(),
          .content_type = event.content_type.c_str(),
          .metadata = event.metadata.c_str(),
          .occurred_at = event.occurred_at.time_since_epoch().count(),
          .recorded_at = event.recorded_at.time_since_epoch().count()};
}

}  // namespace freshet::c

using freshet::Position;
using freshet::Version;
using freshet::c::guarded;

freshet_code freshet_open(const freshet_options* options, freshet_store** store, freshet_error* error) {
  return guarded(error, [&] {
    *store = nullptr;
    *store = new freshet_store{freshet::Store(options->options)};
    return FRESHET_OK;
  });
}

freshet_code freshet_close(freshet_store* store, freshet_error* error) {
  if (store == nullptr) return FRESHET_OK;
  const std::unique_ptr<freshet_store> owned(store);
  return guarded(error, [&] {
    owned->store.close();
    return FRESHET_OK;
  });
}

freshet_code freshet_append(freshet_store* store, const char* category, const char* id, int64_t expected,
                            const freshet_new_event* events, size_t events_count, const char* command_id,
                            freshet_projecting projecting, freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    std::vector<freshet::NewEvent> made;
    made.reserve(events_count);
    for (size_t index = 0; index < events_count; ++index) made.push_back(freshet::c::event_from(events[index]));
    freshet::Append request{.stream = {category, id},
                            .expected = freshet::c::expected_version(expected),
                            .events = made,
                            .projecting = projecting == FRESHET_SYNCHRONOUS ? freshet::Projecting::synchronous
                                                                            : freshet::Projecting::asynchronous};
    if (command_id != nullptr) request.command_id = command_id;
    freshet_appended answered{};
    const freshet_code code = freshet::c::answer(store->store.log().append(request), answered);
    if (appended != nullptr) *appended = answered;
    return code;
  });
}

freshet_code freshet_head(freshet_store* store, int64_t* position, freshet_error* error) {
  return guarded(error, [&] {
    *position = store->store.log().head().value;
    return FRESHET_OK;
  });
}

freshet_code freshet_stream_version(freshet_store* store, const char* category, const char* id, int64_t* version,
                                    freshet_error* error) {
  return guarded(error, [&] {
    *version = store->store.log().version({category, id}).value;
    return FRESHET_OK;
  });
}

freshet_code freshet_read_all(freshet_store* store, int64_t after, size_t events_max, freshet_events** events,
                              freshet_error* error) {
  return guarded(error, [&] {
    *events = nullptr;
    *events = new freshet_events{store->store.log().read_all(Position{after}, events_max)};
    return FRESHET_OK;
  });
}

freshet_code freshet_read_stream(freshet_store* store, const char* category, const char* id, int64_t after,
                                 size_t events_max, freshet_events** events, freshet_error* error) {
  return guarded(error, [&] {
    *events = nullptr;
    *events = new freshet_events{store->store.log().read_stream({category, id}, Version{after}, events_max)};
    return FRESHET_OK;
  });
}

size_t freshet_events_count(const freshet_events* events) {
  return events->events.size();
}

freshet_event freshet_events_at(const freshet_events* events, size_t index) {
  freshet::ensure(index < events->events.size(), "an index is below the number of events");
  return freshet::c::event_of(events->events[index]);
}

void freshet_events_free(freshet_events* events) {
  delete events;
}

freshet_code freshet_rebuild(freshet_store* store, const char* projection, freshet_error* error) {
  return guarded(error, [&] {
    store->store.rebuild(projection);
    return FRESHET_OK;
  });
}
