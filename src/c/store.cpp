// Opening, closing, and reading the log.
#include <memory>
#include <utility>

#include "c/guard.hpp"
#include "c/handles.hpp"

namespace freshet::c {

freshet_event event_of(const RecordedEvent& event) {
  return {.position = event.position.value,
          .version = event.version.value,
          .stream_number = event.stream_number,
          .category = event.stream.category.c_str(),
          .id = event.stream.id.c_str(),
          .type = event.type.c_str(),
          .schema_version = event.schema_version,
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
using freshet::c::given;
using freshet::c::given_text;
using freshet::c::guarded;
using freshet::c::place;
using freshet::c::sure;

freshet_code freshet_open(const freshet_options* options, freshet_store** store, freshet_error* error) {
  return guarded(error, [&] {
    place(store) = nullptr;
    *store = new freshet_store{freshet::Store(given(options).options)};
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

freshet_code freshet_head(freshet_store* store, int64_t* position, freshet_error* error) {
  return guarded(error, [&] {
    place(position) = given(store).store.log().head().value;
    return FRESHET_OK;
  });
}

freshet_code freshet_stream_version(freshet_store* store, const char* category, const char* id, int64_t* version,
                                    freshet_error* error) {
  return guarded(error, [&] {
    place(version) = given(store).store.log().version({given_text(category), given_text(id)}).value;
    return FRESHET_OK;
  });
}

freshet_code freshet_read_all(freshet_store* store, int64_t after, size_t events_max, freshet_events** events,
                              freshet_error* error) {
  return guarded(error, [&] {
    place(events) = nullptr;
    *events = new freshet_events{given(store).store.log().read_all(Position{after}, events_max)};
    return FRESHET_OK;
  });
}

freshet_code freshet_read_stream(freshet_store* store, const char* category, const char* id, int64_t after,
                                 size_t events_max, freshet_events** events, freshet_error* error) {
  return guarded(error, [&] {
    place(events) = nullptr;
    *events = new freshet_events{
        given(store).store.log().read_stream({given_text(category), given_text(id)}, Version{after}, events_max)};
    return FRESHET_OK;
  });
}

size_t freshet_events_count(const freshet_events* events) {
  return sure(events).events.size();
}

freshet_event freshet_events_at(const freshet_events* events, size_t index) {
  freshet::ensure(index < sure(events).events.size(), "an index is below the number of events");
  return freshet::c::event_of(sure(events).events[index]);
}

void freshet_events_free(freshet_events* events) {
  delete events;
}
