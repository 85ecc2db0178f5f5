// Reading the read tables, and SQL on them.
#include <algorithm>
#include <utility>

#include "base/ensure.hpp"
#include "c/guard.hpp"
#include "c/handles.hpp"

namespace freshet::c {
namespace {

Consistency consistency_of(const freshet_request& request) {
  switch (request.consistency) {
    case FRESHET_EVENTUAL:
      return Eventual{};
    case FRESHET_AT_LEAST_VERSION:
      return AtLeastVersion{Version{request.target}};
    case FRESHET_AT_LEAST_POSITION:
      return AtLeastPosition{Position{request.target}};
    case FRESHET_MAX_STALENESS:
      return MaxStaleness{Duration{request.target}};
    case FRESHET_STRONG:
      return Strong{};
  }
  throw Error(ErrorCode::invalid, "a consistency is one of those named");
}

Value value_of(const freshet_value& value) {
  switch (value.type) {
    case FRESHET_NULL:
      return nullptr;
    case FRESHET_INTEGER:
      return value.integer;
    case FRESHET_REAL:
      return value.real;
    case FRESHET_TEXT:
      require((value.text != nullptr || value.text_size == 0) && value.text_size <= bytes_max,
              "a text is not NULL unless its size is 0, and has at most a billion bytes");
      return std::string_view{value.text, value.text_size};
  }
  throw Error(ErrorCode::invalid, "the type of a value is one of those named");
}

}  // namespace

ReadRequest read_request_of(const freshet_request& request) {
  ReadRequest made{.projections = names_of(request.projections, request.projections_count),
                   .consistency = consistency_of(request),
                   .timeout = Duration{request.timeout},
                   .on_timeout = request.fail_if_stale ? OnTimeout::error : OnTimeout::stale};
  require((request.category == nullptr) == (request.id == nullptr), "a stream has a category and an id");
  if (request.category != nullptr) made.stream = StreamId{request.category, request.id};
  return made;
}

std::vector<Value> values_of(const freshet_value* values, std::size_t count) {
  require(values != nullptr || count == 0, "an array of values is not NULL unless its count is 0");
  require(count <= values_max, "a statement has at most 32766 values");
  std::vector<Value> made;
  made.reserve(count);
  std::transform(values, values + count, std::back_inserter(made), value_of);
  return made;
}

}  // namespace freshet::c

using freshet::c::given;
using freshet::c::given_struct;
using freshet::c::given_text;
using freshet::c::guarded;
using freshet::c::place;
using freshet::c::sure;
using freshet::c::values_of;

freshet_code freshet_read(freshet_store* store, const freshet_request* request, freshet_reading** reading,
                          freshet_error* error) {
  return guarded(error, [&] {
    place(reading) = nullptr;
    *reading = new freshet_reading{given(store).store.read(freshet::c::read_request_of(given_struct(request)))};
    return FRESHET_OK;
  });
}

freshet_freshness freshet_reading_freshness(const freshet_reading* reading) {
  const freshet::Freshness& freshness = sure(reading).reading.freshness();
  return {.stale = freshness.stale,
          .position = freshness.position.value,
          .head = freshness.head.value,
          .version = freshness.version.value,
          .latest_version = freshness.latest_version.value,
          .behind_events = freshness.behind_events,
          .behind = freshness.behind.count(),
          .waited = freshness.waited.count()};
}

int64_t freshet_reading_stream_number(const freshet_reading* reading) {
  return sure(reading).reading.stream_number();
}

size_t freshet_reading_warnings_count(const freshet_reading* reading) {
  return sure(reading).reading.warnings().size();
}

const char* freshet_reading_warning(const freshet_reading* reading, size_t index) {
  freshet::ensure(index < sure(reading).reading.warnings().size(), "an index is below the number of warnings");
  return reading->reading.warnings()[index].c_str();
}

void freshet_reading_free(freshet_reading* reading) {
  delete reading;
}

freshet_code freshet_query(freshet_reading* reading, const char* sql, const freshet_value* values, size_t values_count,
                           freshet_rows** rows, freshet_error* error) {
  return guarded(error, [&] {
    place(rows) = nullptr;
    *rows = new freshet_rows{given(reading).reading.query(given_text(sql), values_of(values, values_count)), {}};
    return FRESHET_OK;
  });
}

freshet_code freshet_rows_next(freshet_rows* rows, bool* has_row, freshet_error* error) {
  return guarded(error, [&] {
    place(has_row) = false;
    given(rows).texts.clear();
    *has_row = rows->rows.next();
    return FRESHET_OK;
  });
}

int freshet_rows_columns(const freshet_rows* rows) {
  return sure(rows).rows.columns();
}

bool freshet_rows_is_null(const freshet_rows* rows, int column) {
  return sure(rows).rows.is_null(column);
}

int64_t freshet_rows_integer(const freshet_rows* rows, int column) {
  return sure(rows).rows.integer(column);
}

double freshet_rows_real(const freshet_rows* rows, int column) {
  return sure(rows).rows.real(column);
}

const char* freshet_rows_text(freshet_rows* rows, int column, size_t* size) {
  if (sure(rows).rows.is_null(column)) return nullptr;
  const std::string& text = rows->texts.emplace_back(rows->rows.text(column));
  if (size != nullptr) *size = text.size();
  return text.c_str();
}

void freshet_rows_free(freshet_rows* rows) {
  delete rows;
}

freshet_code freshet_wait(freshet_store* store, const char* projection, int64_t position, int64_t timeout,
                          freshet_error* error) {
  return guarded(error, [&] {
    const freshet::Reading reading =
        given(store).store.read({.projections = {given_text(projection)},
                                 .consistency = freshet::AtLeastPosition{freshet::Position{position}},
                                 .timeout = freshet::Duration{timeout}});
    if (reading.freshness().position.value >= position) return FRESHET_OK;
    const auto& warnings = reading.warnings();
    return freshet::c::report(error, FRESHET_NOT_FRESH, warnings.empty() ? "not in time" : warnings.front());
  });
}

freshet_code freshet_tables_execute(freshet_tables* tables, const char* sql, const freshet_value* values,
                                    size_t values_count, freshet_error* error) {
  return guarded(error, [&] {
    given(tables).tables.execute(given_text(sql), values_of(values, values_count));
    return FRESHET_OK;
  });
}

freshet_code freshet_tables_query(freshet_tables* tables, const char* sql, const freshet_value* values,
                                  size_t values_count, freshet_rows** rows, freshet_error* error) {
  return guarded(error, [&] {
    place(rows) = nullptr;
    *rows = new freshet_rows{given(tables).tables.query(given_text(sql), values_of(values, values_count)), {}};
    return FRESHET_OK;
  });
}
