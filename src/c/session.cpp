// Sessions.
#include "freshet/session.hpp"

#include "c/guard.hpp"
#include "c/handles.hpp"

using freshet::Session;
using freshet::c::given;
using freshet::c::given_command;
using freshet::c::guarded;
using freshet::c::place;
using freshet::c::sure;

freshet_code freshet_session_begin(freshet_store* store, const char* token, freshet_session** session,
                                   freshet_error* error) {
  return guarded(error, [&] {
    place(session) = nullptr;
    freshet::Store& of = given(store).store;
    *session = new freshet_session{token == nullptr ? Session(of) : Session(of, token)};
    return FRESHET_OK;
  });
}

void freshet_session_free(freshet_session* session) {
  delete session;
}

freshet_code freshet_session_append(freshet_session* session, const char* category, const char* id, int64_t expected,
                                    const freshet_new_event* events, size_t events_count, const char* command_id,
                                    freshet_projecting projecting, freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    return freshet::c::append(given(session).session.log(),
                              {category, id, expected, events, events_count, {.id = command_id}, projecting}, appended,
                              error);
  });
}

freshet_code freshet_session_append_command(freshet_session* session, const char* category, const char* id,
                                            int64_t expected, const freshet_new_event* events, size_t events_count,
                                            const freshet_command* command, freshet_projecting projecting,
                                            freshet_appended* appended, freshet_error* error) {
  return guarded(error, [&] {
    return freshet::c::append(given(session).session.log(),
                              {category, id, expected, events, events_count, given_command(command), projecting},
                              appended, error);
  });
}

freshet_code freshet_session_read(freshet_session* session, const freshet_request* request, freshet_reading** reading,
                                  freshet_error* error) {
  return guarded(error, [&] {
    place(reading) = nullptr;
    *reading = new freshet_reading{
        given(session).session.read(freshet::c::read_request_of(freshet::c::given_struct(request)))};
    return FRESHET_OK;
  });
}

int64_t freshet_session_seen(const freshet_session* session) {
  return sure(session).session.seen().value;
}

void freshet_session_note(freshet_session* session, int64_t position) {
  sure(session).session.note(freshet::Position{position});
}

void freshet_session_token(const freshet_session* session, char token[FRESHET_TOKEN_SIZE]) {
  const std::string text = sure(session).session.token();
  freshet::ensure(token != nullptr, "the place for a token is not NULL");
  freshet::ensure(text.size() < FRESHET_TOKEN_SIZE, "a token is shorter than FRESHET_TOKEN_SIZE");
  token[text.copy(token, FRESHET_TOKEN_SIZE - 1)] = '\0';
}
