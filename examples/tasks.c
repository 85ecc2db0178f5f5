// The to-do list of tasks.cpp again, in C: a projection of two functions, an append, and a read that sees it.
#include <freshet/freshet.h>
#include <stdio.h>
#include <string.h>

static freshet_code create(void* context, freshet_tables* tables, freshet_error* error) {
  (void)context;
  const freshet_code code =
      freshet_tables_execute(tables, "CREATE TABLE {open_tasks} (count INTEGER NOT NULL) STRICT", NULL, 0, error);
  if (code != FRESHET_OK) return code;
  return freshet_tables_execute(tables, "INSERT INTO {open_tasks} VALUES (0)", NULL, 0, error);
}

// A sum, and right whatever is delivered twice. Every event comes here, also those of types that are added later.
static freshet_code apply(void* context, const freshet_event* event, freshet_tables* tables, freshet_error* error) {
  (void)context;
  const bool is_added = strcmp(event->type, "TaskAdded") == 0;
  if (!is_added && strcmp(event->type, "TaskFinished") != 0) return FRESHET_OK;
  const freshet_value change = {.type = FRESHET_INTEGER, .integer = is_added ? 1 : -1};
  return freshet_tables_execute(tables, "UPDATE {open_tasks} SET count = count + ?", &change, 1, error);
}

static const char* const open_tasks[] = {"open_tasks"};

// Prints how many tasks are open, everything up to `position` included.
static freshet_code show(freshet_store* store, int64_t position, freshet_error* error) {
  const freshet_request request = {.projections = open_tasks,
                                   .projections_count = 1,
                                   .consistency = FRESHET_AT_LEAST_POSITION,
                                   .target = position,
                                   .timeout = 500000};
  freshet_reading* reading = NULL;
  freshet_rows* rows = NULL;
  bool has_row = false;
  freshet_code code = freshet_read(store, &request, &reading, error);
  if (code == FRESHET_OK) code = freshet_query(reading, "SELECT count FROM {open_tasks}", NULL, 0, &rows, error);
  if (code == FRESHET_OK) code = freshet_rows_next(rows, &has_row, error);
  if (has_row) {
    printf("%lld open, %s\n", (long long)freshet_rows_integer(rows, 0),
           freshet_reading_freshness(reading).stale ? "stale" : "fresh");
  }
  freshet_rows_free(rows);
  freshet_reading_free(reading);
  return code;
}

// Adds a task that is not there yet.
static freshet_code add(freshet_store* store, const char* task, freshet_appended* appended, freshet_error* error) {
  const freshet_new_event added = {.type = "TaskAdded", .data = "{}", .data_size = 2};
  return freshet_append(store, "task", task, FRESHET_NONE, &added, 1, NULL, FRESHET_ASYNCHRONOUS, appended, error);
}

int main(int argument_count, char** arguments) {
  const freshet_projection projection = {.name = "open_tasks",
                                         .schema_version = 1,
                                         .tables = open_tasks,
                                         .tables_count = 1,
                                         .create = create,
                                         .apply = apply};
  freshet_options* options = freshet_options_new(argument_count > 1 ? arguments[1] : "tasks.db");
  freshet_options_add_projection(options, &projection);

  freshet_error error = {0};
  freshet_appended appended = {0};
  freshet_store* store = NULL;
  freshet_code code = freshet_open(options, &store, &error);
  freshet_options_free(options);
  if (code == FRESHET_OK) code = add(store, "write", &appended, &error);
  if (code == FRESHET_OK) code = show(store, appended.last, &error);
  if (code == FRESHET_CONFLICT) puts("the task is there already");
  if (code != FRESHET_OK && code != FRESHET_CONFLICT)
    fprintf(stderr, "%s: %s\n", freshet_code_name(code), error.message);
  freshet_close(store, NULL);
  return code == FRESHET_OK ? 0 : code == FRESHET_CONFLICT ? 3 : 1;
}
