// Appending: one by one, through a session, and several in one transaction.
#include <utility>

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
  require(event.type != nullptr && (event.data != nullptr || event.data_size == 0), "an event has a type and data");
  require(event.data_size <= event_data_bytes_max, "an event's data and metadata are at most 8388608 bytes each");
  NewEvent made{.type = event.type, .data = event.data_size == 0 ? "" : std::string(event.data, event.data_size)};
  if (event.content_type != nullptr) made.content_type = event.content_type;
  if (event.metadata != nullptr) made.metadata = event.metadata;
  if (event.schema_version != 0) made.schema_version = event.schema_version;
  require((event.correlation_id == nullptr) == (event.causation_id == nullptr),
          "an event has both a correlation and a causation, or neither");
  if (event.correlation_id != nullptr) {
    made.correlation = {event.correlation_id, event.causation_id};
  }
  if (event.occurred_at != nullptr) made.occurred_at = Timestamp{Duration{*event.occurred_at}};
  return made;
}

CommandIdentity identity_from(const freshet_command& command) {
  CommandIdentity identity(command.name);
  for (const Value& value : values_of(command.arguments, command.arguments_count)) {
    require(!std::holds_alternative<double>(value), "an argument of a command is no FRESHET_REAL: give it as a text");
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      identity.add(*number);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      identity.add(*text);
    } else {
      identity.add(std::optional<std::string>{});
    }
  }
  return identity;
}

std::string sentence(const KeyReused& reused, const std::string& key) {
  const std::string command = reused.command.empty() ? "an append" : "'" + reused.command + "'";
  return "the command id '" + key + "' belongs to another command, " + command + " on '" + reused.stream.category +
         '/' + reused.stream.id + "': take a new one for a new command";
}

template <typename Target>
freshet_code append_to(Target& target, const AppendCall& call, freshet_appended* appended, freshet_error* error) {
  require(call.events != nullptr || call.events_count == 0, "an array of events is not NULL unless its count is 0");
  require(call.events_count <= append_events_max, "an append is of at most 1000 events");
  require(call.projecting == FRESHET_ASYNCHRONOUS || call.projecting == FRESHET_SYNCHRONOUS,
          "how an append is projected is one of those named");
  std::vector<NewEvent> made;
  made.reserve(call.events_count);
  for (size_t index = 0; index < call.events_count; ++index) made.push_back(event_from(call.events[index]));
  Append request{
      .stream = {given_text(call.category), given_text(call.id)},
      .expected = expected_version(call.expected),
      .events = made,
      .projecting = call.projecting == FRESHET_SYNCHRONOUS ? Projecting::synchronous : Projecting::asynchronous};
  if (call.command.id != nullptr) request.command_id = call.command.id;
  if (call.command.name != nullptr) request.identity = identity_from(call.command);
  const AppendResult result = target.append(request);
  freshet_appended answered{};
  freshet_code code = FRESHET_OK;
  if (const auto* conflict = std::get_if<Conflict>(&result)) {
    answered.version = conflict->actual.value;
    code = FRESHET_CONFLICT;
  } else if (const auto* reused = std::get_if<KeyReused>(&result)) {
    code = report(error, FRESHET_KEY_REUSED, sentence(*reused, *request.command_id));
  } else {
    const auto& recorded = std::get<Appended>(result);
    answered = {recorded.first.value, recorded.last.value, recorded.version.value, recorded.duplicate};
  }
  if (appended != nullptr) *appended = answered;
  return code;
}

// A failure of the callback's, on its way through the transaction.
struct Undone {
  freshet_error error;
};

}  // namespace

freshet_command given_command(const freshet_command* command) {
  require(command != nullptr && command->id != nullptr && command->name != nullptr, "a command has an id and a name");
  return *command;
}

freshet_code append(EventLog& log, const AppendCall& call, freshet_appended* appended, freshet_error* error) {
  return append_to(log, call, appended, error);
}

freshet_code append(AppendTransaction& transaction, const AppendCall& call, freshet_appended* appended,
                    freshet_error* error) {
  return append_to(transaction, call, appended, error);
}

}  // namespace freshet::c

using freshet::c::given;
using freshet::c::given_command;
using freshet::c::guarded;

freshet_code freshet_append(freshet_store* store, const char* category, const char* id, int64_t expected,
                            const freshet_new_event* events, size_t events_count, const char* command_id,
                            freshet_projecting projecting, freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    return freshet::c::append(given(store).store.log(),
                              {category, id, expected, events, events_count, {.id = command_id}, projecting}, appended,
                              error);
  });
}

freshet_code freshet_transaction_append(freshet_transaction* transaction, const char* category, const char* id,
                                        int64_t expected, const freshet_new_event* events, size_t events_count,
                                        const char* command_id, freshet_projecting projecting,
                                        freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    return freshet::c::append(given(transaction).transaction,
                              {category, id, expected, events, events_count, {.id = command_id}, projecting}, appended,
                              error);
  });
}

freshet_code freshet_append_command(freshet_store* store, const char* category, const char* id, int64_t expected,
                                    const freshet_new_event* events, size_t events_count,
                                    const freshet_command* command, freshet_projecting projecting,
                                    freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    return freshet::c::append(given(store).store.log(),
                              {category, id, expected, events, events_count, given_command(command), projecting},
                              appended, error);
  });
}

freshet_code freshet_transaction_append_command(freshet_transaction* transaction, const char* category, const char* id,
                                                int64_t expected, const freshet_new_event* events, size_t events_count,
                                                const freshet_command* command, freshet_projecting projecting,
                                                freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    return freshet::c::append(given(transaction).transaction,
                              {category, id, expected, events, events_count, given_command(command), projecting},
                              appended, error);
  });
}

freshet_tables* freshet_transaction_tables(freshet_transaction* transaction) {
  return &freshet::c::sure(transaction).tables;
}

freshet_code freshet_write(freshet_store* store,
                           freshet_code (*body)(void* context, freshet_transaction* transaction, freshet_error* error),
                           void* context, freshet_error* error) {
  return guarded(error, [&] {
    freshet::c::require(body != nullptr, "a transaction has a body");
    try {
      given(store).store.log().write([&](freshet::AppendTransaction& transaction) {
        freshet_transaction handle{transaction, {transaction.tables()}};
        freshet_error why{};
        why.code = body(context, &handle, &why);
        if (why.code != FRESHET_OK) throw freshet::c::Undone{why};
      });
      return FRESHET_OK;
    } catch (const freshet::c::Undone& undone) {
      return freshet::c::report(error, undone.error.code, undone.error.message);
    }
  });
}
