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
          .recorded_at = event.recorded_at.time_since_epoch().count(),
          .correlation_id = event.correlation ? event.correlation->correlation_id.c_str() : nullptr,
          .causation_id = event.correlation ? event.correlation->causation_id.c_str() : nullptr,
          .append_end = event.append_end.value};
}

namespace {

LogRequest log_request_of(const freshet_log_request& request) {
  require(request.category != nullptr || request.id == nullptr, "a stream has a category and an id");
  require(request.direction == FRESHET_FORWARDS || request.direction == FRESHET_BACKWARDS,
          "a direction is one of its enumerators");
  LogRequest made{.after = Position{request.after}};
  if (request.until != 0) made.until = Position{request.until};
  if (request.direction == FRESHET_BACKWARDS) made.direction = Direction::backwards;
  if (request.id != nullptr) {
    made.stream = StreamId{request.category, request.id};
  } else if (request.category != nullptr) {
    made.category = request.category;
  }
  if (request.events_max != 0) made.events_max = request.events_max;
  if (request.bytes_max != 0) made.bytes_max = request.bytes_max;
  if (request.recorded) made.form = EventForm::recorded;
  return made;
}

}  // namespace
}  // namespace freshet::c

using freshet::Position;
using freshet::Version;
using freshet::c::given;
using freshet::c::given_struct;
using freshet::c::given_text;
using freshet::c::guarded;
using freshet::c::log_request_of;
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

freshet_code freshet_read_log(freshet_store* store, const freshet_log_request* request, freshet_events** events,
                              freshet_error* error) {
  return guarded(error, [&] {
    place(events) = nullptr;
    *events = new freshet_events{given(store).store.log().read(log_request_of(given_struct(request)))};
    return FRESHET_OK;
  });
}

freshet_code freshet_event_range_begin(freshet_store* store, const freshet_log_request* request,
                                       freshet_event_range** range, freshet_error* error) {
  return guarded(error, [&] {
    place(range) = nullptr;
    auto begun = std::make_unique<freshet_event_range>(
        freshet::EventRange(given(store).store.log(), log_request_of(given_struct(request))));
    begun->place = begun->range.begin();
    *range = begun.release();
    return FRESHET_OK;
  });
}

freshet_code freshet_event_range_next(freshet_event_range* range, bool* has_event, freshet_event* event,
                                      freshet_error* error) {
  return guarded(error, [&] {
    place(has_event) = false;
    place(event);
    auto& [events, next, before_first] = given(range);
    if (!std::exchange(before_first, false) && next != events.end()) ++next;
    if (next == events.end()) return FRESHET_OK;
    *event = freshet::c::event_of(*next);
    *has_event = true;
    return FRESHET_OK;
  });
}

void freshet_event_range_free(freshet_event_range* range) {
  delete range;
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
