// What stands behind the opaque handles of the C interface.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ensure.hpp"
#include "freshet/event_range.hpp"
#include "freshet/freshet.h"
#include "freshet/session.hpp"
#include "freshet/store.hpp"

struct freshet_options {
  freshet::StoreOptions options;
};

struct freshet_store {
  freshet::Store store;
};

struct freshet_session {
  freshet::Session session;
};

struct freshet_events {
  std::vector<freshet::RecordedEvent> events;
};

struct freshet_event_range {
  freshet::EventRange range;
  freshet::EventRange::Iterator place = {};
  bool before_first = true;
};

struct freshet_reading {
  freshet::Reading reading;
};

struct freshet_rows {
  freshet::Rows rows;
  std::deque<std::string> texts;  // Handed out of the current row; C wants a zero at the end.
};

struct freshet_tables {
  freshet::Tables& tables;
};

struct freshet_transaction {
  freshet::AppendTransaction& transaction;
  freshet_tables tables;
};

struct freshet_dead_letters {
  std::vector<freshet::DeadLetter> letters;
};

struct freshet_converted {
  std::string data;
};

namespace freshet::c {

// What a freshet_news points to.
class ShownNews {
 public:
  explicit ShownNews(EventBatch batch);
  explicit ShownNews(Changes changes);

  // Valid as long as this object stays where it is.
  [[nodiscard]] freshet_news news() const;

 private:
  std::variant<freshet_events, std::vector<freshet_change>> shown_;
  std::vector<Change> changes_;  // Whose names are shown.
  Position through_;
  std::string epoch_;
  Position head_;
};

}  // namespace freshet::c

struct freshet_subscription {
  std::variant<freshet::Subscription<freshet::EventBatch>, freshet::Subscription<freshet::Changes>> subscription;
  std::optional<freshet::c::ShownNews> taken = std::nullopt;
};

namespace freshet::c {

// Throws Error `invalid` unless the caller has kept to the rules of the header.
inline void require(bool condition, const char* sentence) {
  if (!condition) throw Error(ErrorCode::invalid, sentence);
}

// What a handle, a text, a struct or the place for an answer stands for. All of them throw Error `invalid` for NULL.
template <typename Given>
Given& given(Given* handle) {
  require(handle != nullptr, "a handle is not NULL: give one that this library has handed out");
  return *handle;
}
[[nodiscard]] inline const char* given_text(const char* text) {
  require(text != nullptr, "a text is not NULL: give an empty one for none");
  return text;
}
template <typename Struct>
const Struct& given_struct(const Struct* values) {
  require(values != nullptr, "a struct is not NULL: give one whose fields are zero for the defaults");
  return *values;
}
template <typename Answer>
Answer& place(Answer* answer) {
  require(answer != nullptr, "the place for an answer is not NULL: give a variable's");
  return *answer;
}

// The same for functions that have no code to give: a broken rule stops the process.
template <typename Given>
Given& sure(Given* handle) {
  ensure(handle != nullptr, "a handle is not NULL");
  return *handle;
}

// More is a negative number that was taken for a count or a size.
inline constexpr std::size_t names_max = 1'000;
inline constexpr std::size_t values_max = 32'766;        // As SQLite has it.
inline constexpr std::size_t bytes_max = 1'000'000'000;  // As SQLite has it.

[[nodiscard]] bool are_names(const char* const* names, std::size_t count);
// Throws Error `invalid` for what are none.
[[nodiscard]] std::vector<std::string> names_of(const char* const* names, std::size_t count);

[[nodiscard]] freshet_event event_of(const RecordedEvent& event);

// What freshet_append, and those like it, are called with. The command has no name where it has an id alone.
struct AppendCall {
  const char* category;
  const char* id;
  int64_t expected;
  const freshet_new_event* events;
  size_t events_count;
  freshet_command command;
  freshet_projecting projecting;
};

// Throws Error `invalid` for one without an id or a name.
[[nodiscard]] freshet_command given_command(const freshet_command* command);

// By way of a log or a transaction; writes the answer to `appended`, which may be NULL, and to `error` what a key that
// is used again was used for first.
freshet_code append(EventLog& log, const AppendCall& call, freshet_appended* appended, freshet_error* error);
freshet_code append(AppendTransaction& transaction, const AppendCall& call, freshet_appended* appended,
                    freshet_error* error);

[[nodiscard]] ReadRequest read_request_of(const freshet_request& request);

// Hands the parameters on to `run`, which takes Values; borrowed as they were.
[[nodiscard]] std::vector<Value> values_of(const freshet_value* values, std::size_t count);

}  // namespace freshet::c
