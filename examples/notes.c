// Notes in C, by a program that ends after each command: the session's token is what lets the next one see the last.
//
//   notes FILE write TEXT     prints the token
//   notes FILE list [TOKEN]   shows at least what the session has seen
#include <freshet/freshet.h>
#include <stdio.h>
#include <string.h>

static const char* const tables[] = {"notes"};

static freshet_code create(void* context, freshet_tables* handle, freshet_error* error) {
  (void)context;
  return freshet_tables_execute(handle, "CREATE TABLE {notes} (position INTEGER PRIMARY KEY, text TEXT) STRICT", NULL,
                                0, error);
}

static freshet_code apply(void* context, const freshet_event* event, freshet_tables* handle, freshet_error* error) {
  (void)context;
  const freshet_value row[] = {{.type = FRESHET_INTEGER, .integer = event->position},
                               {.type = FRESHET_TEXT, .text = event->data, .text_size = event->data_size}};
  return freshet_tables_execute(handle, "INSERT INTO {notes} VALUES (?, ?)", row, 2, error);
}

static freshet_code write_note(freshet_session* session, const char* text, freshet_error* error) {
  const freshet_new_event written = {
      .type = "NoteWritten", .data = text, .data_size = strlen(text), .content_type = "text/plain"};
  return freshet_session_append(session, "notes", "all", FRESHET_ANY, &written, 1, NULL, FRESHET_ASYNCHRONOUS, NULL,
                                error);
}

static freshet_code list_notes(freshet_session* session, freshet_error* error) {
  const freshet_request request = {
      .projections = tables, .projections_count = 1, .timeout = 500000, .fail_if_stale = true};
  freshet_reading* reading = NULL;
  freshet_rows* rows = NULL;
  bool has_row = false;
  freshet_code code = freshet_session_read(session, &request, &reading, error);
  if (code == FRESHET_OK)
    code = freshet_query(reading, "SELECT text FROM {notes} ORDER BY position", NULL, 0, &rows, error);
  while (code == FRESHET_OK && (code = freshet_rows_next(rows, &has_row, error)) == FRESHET_OK && has_row) {
    puts(freshet_rows_text(rows, 0, NULL));
  }
  freshet_rows_free(rows);
  freshet_reading_free(reading);
  return code;
}

static freshet_code run(freshet_store* store, const char* verb, const char* argument, freshet_error* error) {
  const bool writing = strcmp(verb, "write") == 0;
  freshet_session* session = NULL;
  freshet_code code = freshet_session_begin(store, writing ? NULL : argument, &session, error);
  if (code == FRESHET_OK) code = writing ? write_note(session, argument, error) : list_notes(session, error);
  if (code == FRESHET_OK && writing) {
    char token[FRESHET_TOKEN_SIZE];
    freshet_session_token(session, token);
    puts(token);
  }
  freshet_session_free(session);
  return code;
}

int main(int argument_count, char** arguments) {
  const char* verb = argument_count > 2 ? arguments[2] : "";
  const char* argument = argument_count > 3 ? arguments[3] : NULL;
  if (strcmp(verb, "list") != 0 && (strcmp(verb, "write") != 0 || argument == NULL)) {
    fputs("usage: notes FILE write TEXT | notes FILE list [TOKEN]\n", stderr);
    return 2;
  }
  const freshet_projection projection = {
      .name = "notes", .schema_version = 1, .tables = tables, .tables_count = 1, .create = create, .apply = apply};
  freshet_options* options = freshet_options_new(arguments[1]);
  freshet_options_add_projection(options, &projection);

  freshet_error error = {0};
  freshet_store* store = NULL;
  freshet_code code = freshet_open(options, &store, &error);
  freshet_options_free(options);
  if (code == FRESHET_OK) code = run(store, verb, argument, &error);
  if (code != FRESHET_OK) fprintf(stderr, "%s: %s\n", freshet_code_name(code), error.message);
  freshet_close(store, NULL);
  return code == FRESHET_OK ? 0 : 1;
}
