// Freshet for C, and for every language that can call C: open a store, append and read events, keep read
// tables, and read them as fresh as is asked for.
//
// Lifetime: handles are opaque. What a function hands out is freed by the function that its comment names, before the
// store is closed unless it says otherwise; NULL may be freed. Text is UTF-8 and ends with a zero unless it comes with
// a size. Structs are plain values, and all zeros are their defaults; what their pointers show belongs to the handle
// that gave them. Arguments are borrowed for the duration of the call.
//
// Failure: a function that can fail returns a freshet_code and takes a freshet_error as its last argument, which may be
// NULL; it is written only on failure, and a handle that was to be handed out is NULL then. No exception leaves these
// functions. NULL for a handle, a text, a struct, an array with a count, or the place of an answer, and a number that
// is no count, size or enumerator, is FRESHET_INVALID and nothing is done; a function that gives no code stops the
// process with a sentence then, as does a store that is closed before what came from it. Beside what a function names
// it may answer FRESHET_IO or FRESHET_CORRUPT where it looks into the file, and FRESHET_CLOSED once the store has been
// ended by an earlier failure.
//
// Threads: a freshet_store may be used by any thread at any time. Everything else belongs to one thread at a
// time. Callbacks are called on the thread that each of them names. Where they fail they say why in their `error`.
//
// Waiting: a function waits for nothing but the file unless its comment says so, and for how long. All times are
// microseconds. A timeout counts from the call; 0 looks once.
//
// Names here are never renamed or removed; enumerators keep their numbers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)  // What a shared library exports.
#ifdef __cplusplus
extern "C" {
#endif

// Handles: what a store is opened with, the store, who reads their own writes, what was read of its log, its events one
// after the other, a moment of its read tables, the rows of a query, the tables in the hands of a projection, a
// transaction, what a projection could not apply, being told, and what an upcaster gives back.
typedef struct freshet_options freshet_options;
typedef struct freshet_store freshet_store;
typedef struct freshet_session freshet_session;
typedef struct freshet_events freshet_events;
typedef struct freshet_event_range freshet_event_range;
typedef struct freshet_reading freshet_reading;
typedef struct freshet_rows freshet_rows;
typedef struct freshet_tables freshet_tables;
typedef struct freshet_transaction freshet_transaction;
typedef struct freshet_dead_letters freshet_dead_letters;
typedef struct freshet_subscription freshet_subscription;
typedef struct freshet_converted freshet_converted;

// Errors are as in freshet/error.hpp; the others are answers.
typedef enum freshet_code {
  FRESHET_OK = 0,
  FRESHET_CONFLICT = 1,    // Another writer was first. Nothing was recorded.
  FRESHET_NOT_FRESH = 2,   // It was waited for and did not come in time.
  FRESHET_KEY_REUSED = 3,  // The command id was given to another command, which the error names. Nothing was recorded.
  FRESHET_IO = 10,
  FRESHET_DISK_FULL = 11,
  FRESHET_READ_ONLY = 12,
  FRESHET_FILE_MISSING = 13,
  FRESHET_NOT_A_DATABASE = 14,
  FRESHET_UNSUPPORTED_FORMAT = 15,
  FRESHET_CORRUPT = 16,
  FRESHET_BUSY = 17,
  FRESHET_CLOSED = 18,
  FRESHET_STALE = 19,
  FRESHET_PROJECTION_FAILED = 20,
  FRESHET_INVALID = 21,
  FRESHET_FOREIGN_SESSION = 22,
  FRESHET_FAILURE = 99  // Anything else: no memory, or a callback that failed.
} freshet_code;

// A message longer than this is cut.
#define FRESHET_MESSAGE_SIZE 1024

// Why a call has failed; the caller's own, such as a variable.
typedef struct freshet_error {
  freshet_code code;
  char message[FRESHET_MESSAGE_SIZE];  // Lower case, without a full stop.
} freshet_error;

// The release, as "0.1.0". Valid for ever, as is the next one.
const char* freshet_version(void);

// The code's name as it stands in JSON, such as "io_error"; "ok", "conflict" and "not_fresh" for the others.
const char* freshet_code_name(freshet_code code);

// --- Opening ---------------------------------------------------------------------------------------------------

// What opening may do to the file, as in freshet/store.hpp.
typedef enum freshet_mode { FRESHET_CREATE = 0, FRESHET_EXISTING = 1, FRESHET_READ_ONLY_MODE = 2 } freshet_mode;
// What to do with a file of an older format that is to be written, as in freshet/types.hpp.
typedef enum freshet_upgrade {
  FRESHET_UPGRADE_COPY = 0,     // Carry it over, after a copy FILE.format-N was made beside it.
  FRESHET_UPGRADE_NO_COPY = 1,  // Carry it over.
  FRESHET_UPGRADE_NEVER = 2     // FRESHET_UNSUPPORTED_FORMAT.
} freshet_upgrade;
// What a finished append survives, as in freshet/event_log.hpp.
typedef enum freshet_durability { FRESHET_PROCESS_CRASH = 0, FRESHET_POWER_LOSS = 1 } freshet_durability;

// A parameter of a statement; borrowed for the call that it is given to.
typedef enum freshet_type { FRESHET_NULL = 0, FRESHET_INTEGER = 1, FRESHET_REAL = 2, FRESHET_TEXT = 3 } freshet_type;
// The member that `type` names counts, and for text its size as well.
typedef struct freshet_value {
  freshet_type type;
  int64_t integer;
  double real;
  const char* text;
  size_t text_size;
} freshet_value;

// An event as the log holds it. Times are microseconds since 1970, UTC.
typedef struct freshet_event {
  int64_t position;
  int64_t version;
  int64_t stream_number;  // The store's own number of the stream: a good key for read tables.
  const char* category;
  const char* id;
  const char* type;
  int schema_version;  // The form of `data`, from 1; the newest one where upcasters were given.
  const char* data;    // With a zero behind it, which data_size does not count.
  size_t data_size;
  const char* content_type;
  const char* metadata;
  int64_t occurred_at;
  int64_t recorded_at;
  const char* correlation_id;  // NULL: none, and then there is no causation either.
  const char* causation_id;
  int64_t append_end;  // The last position of the append that recorded it; see freshet/event.hpp.
} freshet_event;

// The rules of a projection; see freshet/projection.hpp. What it points to is copied when it is added.
typedef struct freshet_projection {
  const char* name;
  int schema_version;         // From 1.
  const char* const* tables;  // All that `create` makes, as they stand in braces in the SQL.
  size_t tables_count;
  void* context;  // Handed to the callbacks.
  // Create the tables; write what an event means. They run on the store's own thread, on an appending thread
  // (FRESHET_SYNCHRONOUS), or on the caller of freshet_rebuild. Another code than FRESHET_OK is a failure, with
  // the message that they have written to `error`. A full disk or damage that a statement has met is the store's
  // failure and not the event's, whatever code they give.
  freshet_code (*create)(void* context, freshet_tables* tables, freshet_error* error);
  freshet_code (*apply)(void* context, const freshet_event* event, freshet_tables* tables, freshet_error* error);
} freshet_projection;

// The options of a store on this file, all at their defaults; free with freshet_options_free, before or after opening.
// None of what follows looks at the file: opening does, and finds out about projections that cannot be.
// Nothing else in the process opens the file while a store has it open, be it another SQLite library: to close it there
// would drop the store's locks. One that was moved or replaced meanwhile is FRESHET_CLOSED.
freshet_options* freshet_options_new(const char* file);
void freshet_options_free(freshet_options* options);
void freshet_options_set_mode(freshet_options* options, freshet_mode mode);                    // Default: create.
void freshet_options_set_upgrade(freshet_options* options, freshet_upgrade upgrade);           // Default: copy.
void freshet_options_set_durability(freshet_options* options, freshet_durability durability);  // Default: power loss.
// How long a call waits for the turn to write while another process writes: 0 to a day. Default: 5 s.
void freshet_options_set_busy_timeout(freshet_options* options, int64_t microseconds);
// Whether this process projects, on a thread that opening starts and closing ends. Default: true.
void freshet_options_set_projecting(freshet_options* options, bool projecting);
// The bus's delay, such as "50ms" or "exponential(5ms)", the probability of a duplicate, and the seed of both.
// FRESHET_INVALID: it is no delay, or no probability. Default: none, and none.
freshet_code freshet_options_set_bus(freshet_options* options, const char* delay, double duplicate_probability,
                                     uint64_t seed, freshet_error* error);
// The callbacks and their context are used until the stores opened with it are closed.
void freshet_options_add_projection(freshet_options* options, const freshet_projection* projection);
// Makes the data of schema version `from` of a type into the next version's, wherever events are read, on several
// threads at once; see freshet/upcaster.hpp. `convert` gives its data to freshet_converted_set. Used for as long as a
// projection is.
void freshet_options_add_upcaster(freshet_options* options, const char* type, int from,
                                  freshet_code (*convert)(void* context, const char* data, size_t data_size,
                                                          freshet_converted* converted, freshet_error* error),
                                  void* context);
void freshet_converted_set(freshet_converted* converted, const char* data, size_t data_size);  // Which is copied.
// The newest schema version that the application knows of a type without upcasters, or with NULL of all others; 0 is
// whatever an event is recorded with. Default: 1. An event above it is FRESHET_UNSUPPORTED_FORMAT to read.
void freshet_options_set_form(freshet_options* options, const char* type, int newest);
// Called with what an operator may want to know, on any of the store's threads; must not call the store.
// The level is 0 debug, 1 information, 2 warning, 3 error. Default: nobody is told, and nothing is printed.
void freshet_options_set_notice(freshet_options* options, void (*notice)(void* context, int level, const char* message),
                                void* context);

// Opens the file, and registers the projections unless it is for reading only. Waits while another process creates the
// file, and for a turn to write. Close with freshet_close. FRESHET_FILE_MISSING, FRESHET_NOT_A_DATABASE,
// FRESHET_UNSUPPORTED_FORMAT, FRESHET_READ_ONLY and FRESHET_BUSY say what is in the way; FRESHET_INVALID, what is wrong
// with the projections or upcasters.
freshet_code freshet_open(const freshet_options* options, freshet_store** store, freshet_error* error);

// Ends the store's threads and frees the store, also where it reports a failure. Waits for calls that are going on in
// other threads, whose waits are cut short, and for a callback that runs. Not to be called within a callback. First
// free what came from it; subscriptions may be freed later.
freshet_code freshet_close(freshet_store* store, freshet_error* error);

// --- Appending -------------------------------------------------------------------------------------------------

// Expected versions beside those from 1; 0 is a stream that does not exist yet.
enum { FRESHET_ANY = -1, FRESHET_EXISTS = -2, FRESHET_NONE = 0 };

// When the read tables learn of an append: later, by the bus, or in its own transaction.
typedef enum freshet_projecting { FRESHET_ASYNCHRONOUS = 0, FRESHET_SYNCHRONOUS = 1 } freshet_projecting;

// An event that is not recorded yet; see freshet/event.hpp for the bounds.
typedef struct freshet_new_event {
  const char* type;
  const char* data;
  size_t data_size;
  const char* content_type;    // NULL: "application/json".
  const char* metadata;        // NULL: none.
  const int64_t* occurred_at;  // NULL: now.
  int schema_version;          // Of the data; 0: 1.
  // What it belongs to and what led to it; see freshet/correlation.hpp. Both or neither.
  const char* correlation_id;
  const char* causation_id;
} freshet_new_event;

// What was recorded.
typedef struct freshet_appended {
  int64_t first;    // Positions; 0 where no events were recorded.
  int64_t last;     // Inclusive.
  int64_t version;  // Of the stream, right after the append; on a conflict, as it is now.
  bool duplicate;   // The command id was seen before, and this is the first answer.
} freshet_appended;

// All events, side by side in one stream, or none; up to 1000. `command_id` (an idempotency key) may be NULL; with one,
// a second append of the same events to the same stream records nothing and gets the first answer, and any other is
// FRESHET_KEY_REUSED. Their times of occurrence count where they are given. `appended` may be NULL. Waits for an fsync
// or two, and up to the busy timeout while another process writes. FRESHET_CONFLICT is an answer, and so is
// FRESHET_KEY_REUSED, of which the error says what the id was first used for. FRESHET_BUSY: nothing was recorded,
// and a retry may work. After FRESHET_IO, FRESHET_DISK_FULL or FRESHET_CORRUPT what reached the disk is unknown, and
// the store takes no more appends: open it again.
freshet_code freshet_append(freshet_store* store, const char* category, const char* id, int64_t expected,
                            const freshet_new_event* events, size_t events_count, const char* command_id,
                            freshet_projecting projecting, freshet_appended* appended, freshet_error* error);

// A command that is known again when it comes again; see freshet/command_identity.hpp. What its id belongs to, beside
// the stream, are the name and the arguments, in an order that stays, and not the events: give it where those are
// decided on what the stream holds, since a retry comes to other ones, or to none.
typedef struct freshet_command {
  const char* id;                  // An idempotency key, of 1 to 255 bytes.
  const char* name;                // 1 to 255 bytes, such as "pay".
  const freshet_value* arguments;  // None is FRESHET_REAL, of which two that are printed alike may differ.
  size_t arguments_count;
} freshet_command;

// Appends as freshet_append does, under the command's id. Without events it keeps the answer to a command that changed
// nothing.
freshet_code freshet_append_command(freshet_store* store, const char* category, const char* id, int64_t expected,
                                    const freshet_new_event* events, size_t events_count,
                                    const freshet_command* command, freshet_projecting projecting,
                                    freshet_appended* appended, freshet_error* error);

// Runs `body`, once, on this thread, in one write transaction, and commits it. Another code than FRESHET_OK undoes all
// of it and is given back, with the message that `body` has written. Nobody else can write meanwhile: keep it short,
// and write in it through the transaction alone. Waits and fails as freshet_append.
freshet_code freshet_write(freshet_store* store,
                           freshet_code (*body)(void* context, freshet_transaction* transaction, freshet_error* error),
                           void* context, freshet_error* error);

// For the body, while it runs and on its thread: appends in the transaction, as freshet_append. FRESHET_CONFLICT,
// FRESHET_KEY_REUSED and FRESHET_INVALID leave it usable.
freshet_code freshet_transaction_append(freshet_transaction* transaction, const char* category, const char* id,
                                        int64_t expected, const freshet_new_event* events, size_t events_count,
                                        const char* command_id, freshet_projecting projecting,
                                        freshet_appended* appended, freshet_error* error);
freshet_code freshet_transaction_append_command(freshet_transaction* transaction, const char* category, const char* id,
                                                int64_t expected, const freshet_new_event* events, size_t events_count,
                                                const freshet_command* command, freshet_projecting projecting,
                                                freshet_appended* appended, freshet_error* error);
// The application's own tables, under names that begin with "app_", for freshet_tables_execute and
// freshet_tables_query. Written together with the appends or not at all. Valid as long as the transaction.
freshet_tables* freshet_transaction_tables(freshet_transaction* transaction);

// --- Reading the log -------------------------------------------------------------------------------------------

// The last committed position, and a stream's last version; 0 where there is nothing yet.
freshet_code freshet_head(freshet_store* store, int64_t* position, freshet_error* error);
freshet_code freshet_stream_version(freshet_store* store, const char* category, const char* id, int64_t* version,
                                    freshet_error* error);

// Up to `events_max` events above position (or version) `after`, in order; none where there is nothing newer. Free with
// freshet_events_free, which may be done after the store is closed. FRESHET_UNSUPPORTED_FORMAT: an event is newer than
// its upcasters lead to, or than version 1 where it has none.
freshet_code freshet_read_all(freshet_store* store, int64_t after, size_t events_max, freshet_events** events,
                              freshet_error* error);
freshet_code freshet_read_stream(freshet_store* store, const char* category, const char* id, int64_t after,
                                 size_t events_max, freshet_events** events, freshet_error* error);

// Which events of the log, the oldest or the newest first; see freshet/log_request.hpp.
typedef enum freshet_direction { FRESHET_FORWARDS = 0, FRESHET_BACKWARDS = 1 } freshet_direction;
// All zeros are the whole log.
typedef struct freshet_log_request {
  int64_t after;  // Positions, both exclusive: 0 is from the beginning,
  int64_t until;  // and 0 to the end of the log.
  freshet_direction direction;
  const char* category;  // NULL: all events.
  const char* id;        // NULL: of all streams of the category.
  size_t events_max;     // 0: no bound.
  size_t bytes_max;      // Bounds data and metadata: the event that reaches it is the last. 0: no bound.
  bool recorded;         // True: no upcaster is called, the data is what was appended.
} freshet_log_request;

// What the request asks for, in its direction; none where there is none. As freshet_read_all otherwise.
freshet_code freshet_read_log(freshet_store* store, const freshet_log_request* request, freshet_events** events,
                              freshet_error* error);
size_t freshet_events_count(const freshet_events* events);
freshet_event freshet_events_at(const freshet_events* events, size_t index);  // From 0, below the count.
void freshet_events_free(freshet_events* events);

// The same events one after the other, however many there are: those that were committed when it began, read in batches
// of up to 1000 events, of 1 MiB, and of the request's bytes_max, without a read transaction in between. Free with
// freshet_event_range_free.
freshet_code freshet_event_range_begin(freshet_store* store, const freshet_log_request* request,
                                       freshet_event_range** range, freshet_error* error);
// Moves to the next event, from before the first one; `has_event` is false after the last one, and after a failure,
// which ends the range. The event is valid until the next call for the range.
freshet_code freshet_event_range_next(freshet_event_range* range, bool* has_event, freshet_event* event,
                                      freshet_error* error);
void freshet_event_range_free(freshet_event_range* range);

// --- Reading the read tables -----------------------------------------------------------------------------------

typedef enum freshet_consistency {
  FRESHET_EVENTUAL = 0,           // Whatever the read tables hold, at once.
  FRESHET_AT_LEAST_VERSION = 1,   // Of one stream.
  FRESHET_AT_LEAST_POSITION = 2,  // Everything up to the position.
  FRESHET_MAX_STALENESS = 3,      // Everything recorded at least so many microseconds before.
  FRESHET_STRONG = 4              // Everything committed when the read began.
} freshet_consistency;

// What is read, how fresh it has to be, and how long that may be waited for.
typedef struct freshet_request {
  const char* const* projections;  // At least one name, and at most 1000.
  size_t projections_count;
  const char* category;  // With `id`: freshness is judged for this stream alone. NULL: for the whole log.
  const char* id;
  freshet_consistency consistency;
  int64_t target;      // A version, a position, or an age, as `consistency` says.
  int64_t timeout;     // 500,000 is what C++ has as its default; more than ten years are ten.
  bool fail_if_stale;  // FRESHET_STALE or FRESHET_PROJECTION_FAILED instead of a stale answer.
} freshet_request;

// How fresh an answer is, as in freshet/query.hpp.
typedef struct freshet_freshness {
  bool stale;
  int64_t position;  // Everything up to here is in the answer.
  int64_t head;      // The log's last position.
  int64_t version;   // Of one stream: the version that the answer shows, and the last one.
  int64_t latest_version;
  int64_t behind_events;
  int64_t behind;  // The age of the oldest event that the answer lacks.
  int64_t waited;  // How long the read waited for what it asked for.
} freshet_freshness;

// Waits as the request asks, up to its timeout, and holds one moment of the read tables. Free with
// freshet_reading_free, and soon: while it lives the write-ahead log cannot be reset. FRESHET_INVALID: there is no such
// projection. FRESHET_CLOSED: the store was closed meanwhile.
freshet_code freshet_read(freshet_store* store, const freshet_request* request, freshet_reading** reading,
                          freshet_error* error);
freshet_freshness freshet_reading_freshness(const freshet_reading* reading);
// The stream's number, as in freshet_event; 0 if the request names no stream or the log has none.
int64_t freshet_reading_stream_number(const freshet_reading* reading);
// One sentence each, for people; none unless the answer is stale. Valid as long as the reading.
size_t freshet_reading_warnings_count(const freshet_reading* reading);
const char* freshet_reading_warning(const freshet_reading* reading, size_t index);
void freshet_reading_free(freshet_reading* reading);

// Runs SQL that only reads, on the reading's moment; table names stand in braces: {orders}. It takes as long as SQLite
// needs. Free the rows with freshet_rows_free, before the reading: otherwise that ends the program, with a sentence. At
// most one freshet_rows of the same text may be alive. FRESHET_INVALID: SQLite does not accept it, or the number of
// values is not that of its `?`. FRESHET_CORRUPT: a read table is missing, and the message says how it is made again.
freshet_code freshet_query(freshet_reading* reading, const char* sql, const freshet_value* values, size_t values_count,
                           freshet_rows** rows, freshet_error* error);
// Moves to the next row, from before the first one; `has_row` is false after the last one, and after a failure.
freshet_code freshet_rows_next(freshet_rows* rows, bool* has_row, freshet_error* error);
int freshet_rows_columns(const freshet_rows* rows);
// Of the current row, columns from 0; SQLite's conversions apply.
bool freshet_rows_is_null(const freshet_rows* rows, int column);
int64_t freshet_rows_integer(const freshet_rows* rows, int column);
double freshet_rows_real(const freshet_rows* rows, int column);
// Valid until the next call of freshet_rows_next; NULL for an SQL NULL. `size` may be NULL.
const char* freshet_rows_text(freshet_rows* rows, int column, size_t* size);
void freshet_rows_free(freshet_rows* rows);

// Waits until everything up to `position` is applied to the projection: FRESHET_OK, or FRESHET_NOT_FRESH after
// `timeout`, or at once where waiting is of no use, as the message says.
freshet_code freshet_wait(freshet_store* store, const char* projection, int64_t position, int64_t timeout,
                          freshet_error* error);

// --- Sessions --------------------------------------------------------------------------------------------------

// Begins a session: whoever appends and reads through it reads their own writes, and never goes back in time; see
// freshet/session.hpp. With the token of an earlier one, perhaps of another process, it goes on from there; NULL begins
// with nothing seen. FRESHET_INVALID: a mistyped token. FRESHET_FOREIGN_SESSION: it belongs to another store, or to
// this one before a backup of it was restored. Several threads may use one session. Ends with freshet_session_free.
freshet_code freshet_session_begin(freshet_store* store, const char* token, freshet_session** session,
                                   freshet_error* error);
void freshet_session_free(freshet_session* session);

// Append and read as freshet_append, freshet_append_command and freshet_read do. What was recorded, and what the answer
// shows, counts as seen, and a read waits for all that was seen before, up to its timeout.
freshet_code freshet_session_append(freshet_session* session, const char* category, const char* id, int64_t expected,
                                    const freshet_new_event* events, size_t events_count, const char* command_id,
                                    freshet_projecting projecting, freshet_appended* appended, freshet_error* error);
freshet_code freshet_session_append_command(freshet_session* session, const char* category, const char* id,
                                            int64_t expected, const freshet_new_event* events, size_t events_count,
                                            const freshet_command* command, freshet_projecting projecting,
                                            freshet_appended* appended, freshet_error* error);
freshet_code freshet_session_read(freshet_session* session, const freshet_request* request, freshet_reading** reading,
                                  freshet_error* error);

// The position up to which everything counts as seen; and what was seen in another way, an event of the log, say.
int64_t freshet_session_seen(const freshet_session* session);
void freshet_session_note(freshet_session* session, int64_t position);

// A longer token cannot be, its zero included.
#define FRESHET_TOKEN_SIZE 64
// Writes where the session is now as a text that a URL, a command line or a person can carry on.
void freshet_session_token(const freshet_session* session, char token[FRESHET_TOKEN_SIZE]);

// --- Upkeep ----------------------------------------------------------------------------------------------------

// How far a projection is.
typedef struct freshet_status {
  int schema_version;
  int64_t position;       // Everything up to here is applied.
  int64_t head;           // The log's last position.
  int64_t behind_events;  // Those that the read tables lack, dead letters among them.
  int64_t behind;         // The age of the oldest of them.
  int64_t duplicates_skipped;
  int64_t dead_letters;
  int64_t projected_by;  // The process that applies events to it, be it this one; 0 if none does, or unknown.
} freshet_status;

// FRESHET_INVALID, here and below: the store has no such projection.
freshet_code freshet_projection_status(freshet_store* store, const char* projection, freshet_status* status,
                                       freshet_error* error);

// Makes a projection's tables again from the log, on the caller's thread, while the old ones answer. It takes as long
// as the log is long, and closing the store cuts it short (FRESHET_CLOSED); nothing has changed then, as after a
// failure. FRESHET_BUSY: another rebuild goes on past the busy timeout.
freshet_code freshet_rebuild(freshet_store* store, const char* projection, freshet_error* error);

// An event that a projection could not apply, or a later one of its stream.
typedef struct freshet_dead_letter {
  const char* projection;
  const char* category;
  const char* id;
  const char* type;
  const char* reason;
  int64_t position;
  int64_t version;
  int attempts;  // 0: it follows an earlier dead letter of its stream, and was not tried.
  int64_t at;    // Of the last attempt, since 1970, UTC.
} freshet_dead_letter;

// Those of one projection in position order, or with NULL of all. Free with freshet_dead_letters_free, which may be
// done after the store is closed.
freshet_code freshet_dead_letters_read(freshet_store* store, const char* projection, freshet_dead_letters** letters,
                                       freshet_error* error);
size_t freshet_dead_letters_count(const freshet_dead_letters* letters);
freshet_dead_letter freshet_dead_letters_at(const freshet_dead_letters* letters, size_t index);
void freshet_dead_letters_free(freshet_dead_letters* letters);

// Applies them now, or leaves their effect out for good, those of one projection, or with NULL of all; `count` of them,
// which may be NULL. A letter that fails again stays. On the caller's thread, and as long as it takes.
freshet_code freshet_dead_letters_retry(freshet_store* store, const char* projection, int64_t* count,
                                        freshet_error* error);
freshet_code freshet_dead_letters_discard(freshet_store* store, const char* projection, int64_t* count,
                                          freshet_error* error);

// Removes a projection from the file, whether or not this program knows its rules: its read tables, progress and dead
// letters. A program that has it makes it anew from the log when it next opens the file; one that is open meanwhile
// stops projecting. `found`, which may be NULL: whether there was one of this name. Waits for writers up to
// `busy_timeout`.
freshet_code freshet_remove_projection(const char* file, const char* projection, int64_t busy_timeout, bool* found,
                                       freshet_error* error);

// Gives a projection another name, likewise. A name that another projection has is FRESHET_INVALID.
freshet_code freshet_rename_projection(const char* file, const char* projection, const char* new_name,
                                       int64_t busy_timeout, bool* found, freshet_error* error);

// Reads the whole file, while others write: FRESHET_CORRUPT names the first thing that is not as it should be.
freshet_code freshet_verify(freshet_store* store, freshet_error* error);

// Copies the store as it is at one moment into `file`, while others write; a file that is there is FRESHET_IO, or
// replaced. Takes as long as the disk needs. Session tokens of the original are refused by the copy.
freshet_code freshet_backup(freshet_store* store, const char* file, bool replace, freshet_error* error);

// --- Being told ------------------------------------------------------------------------------------------------

// Which events; see freshet/subscription.hpp.
typedef struct freshet_events_request {
  int64_t after;         // A position, exclusive: 0 is from the beginning, freshet_head only what is new.
  const char* epoch;     // The one of the news that `after` was kept from; NULL: `after` is of the file as it is.
  const char* category;  // NULL: all events.
  const char* id;        // NULL: of all streams of the category.
  size_t events_max;     // In one batch, up to 1000; 0: 200.
} freshet_events_request;

// How far a projection is: everything up to `position` is in its rows, and what comes above it may be.
typedef struct freshet_change {
  const char* projection;
  int64_t position;
} freshet_change;

// What has happened: at least one event, or at least one projection whose rows or progress have changed.
typedef struct freshet_news {
  const freshet_events* events;   // Of a subscription to events, otherwise NULL. Not to be freed.
  const freshet_change* changes;  // Of a subscription to changes, otherwise NULL.
  size_t changes_count;
  int64_t through;    // News of events: a later subscription's `after`. Keep it together with the epoch,
  const char* epoch;  // which names the history that it is a place in. Of changes NULL.
  int64_t head;       // The log's last position.
} freshet_news;

// Called on a thread of the store's, one call at a time for all subscriptions of a store, perhaps before subscribing
// has returned. It may use the store, subscribe, and end any subscription, its own included; it must not close the
// store. `news` is valid until it returns. Another code than FRESHET_OK ends its subscription.
typedef freshet_code (*freshet_told)(void* context, const freshet_news* news, freshet_error* error);

// Events: those that the log holds already and then those that are appended, by whichever process, in position order,
// none left out and none twice. Changes: at once, and whenever rows or progress have changed; who is slow is told the
// newest state. Without a callback (NULL) the news wait for freshet_take. The first of a store starts the thread that
// tells. Ends with freshet_unsubscribe. FRESHET_INVALID: a bound is broken, `after` is above
// the log's last position, or there is no such projection. FRESHET_FOREIGN_SESSION: a backup was restored, or this is
// another store, and `after` is no place in this history.
freshet_code freshet_subscribe_to_events(freshet_store* store, const freshet_events_request* request, freshet_told told,
                                         void* context, freshet_subscription** subscription, freshet_error* error);
freshet_code freshet_subscribe_to_changes(freshet_store* store, const char* const* projections,
                                          size_t projections_count, freshet_told told, void* context,
                                          freshet_subscription** subscription, freshet_error* error);

// From here on the callback does not run. Waits for a call that is going on, unless this is within it. Before or after
// the store is closed.
void freshet_unsubscribe(freshet_subscription* subscription);

// Whether nothing more will come: the callback or the reading of the log has failed, or the store is closed. Then
// `why`, which may be NULL, says it.
bool freshet_subscription_ended(const freshet_subscription* subscription, freshet_error* why);

// Both only without a callback. The descriptor is to be polled: readable while there is something to take, or the
// subscription has ended; do not read or close it. Taking does not wait: `has_news` is false if there is nothing yet,
// and the code is FRESHET_CLOSED if nothing more will come. News are valid until the next call for the subscription.
int freshet_subscription_descriptor(const freshet_subscription* subscription);
freshet_code freshet_take(freshet_subscription* subscription, freshet_news* news, bool* has_news, freshet_error* error);

// --- For the callbacks of a projection -------------------------------------------------------------------------

// Runs one statement that returns no rows, within the transaction that the callback is in. Table names stand in braces:
// {orders}. Give a failure back as the callback's own. FRESHET_INVALID: as of freshet_query.
freshet_code freshet_tables_execute(freshet_tables* tables, const char* sql, const freshet_value* values,
                                    size_t values_count, freshet_error* error);
// Free the rows with freshet_rows_free before the callback returns; likewise.
freshet_code freshet_tables_query(freshet_tables* tables, const char* sql, const freshet_value* values,
                                  size_t values_count, freshet_rows** rows, freshet_error* error);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
