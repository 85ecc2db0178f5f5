#!/usr/bin/env python3
"""The C interface as another language sees it: the shared library through ctypes, rules in Python."""

import contextlib
import ctypes
import os
import pathlib
import queue
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock as mock
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint64, c_void_p

LIBRARY = ctypes.CDLL(os.environ["FRESHET_LIBRARY"])

PATIENCE = 60  # Seconds after which what has not come is taken for lost.
OK, CONFLICT, NOT_FRESH, KEY_REUSED = 0, 1, 2, 3
UPGRADE_COPY, UPGRADE_NO_COPY, UPGRADE_NEVER = 0, 1, 2
IO, READ_ONLY, FILE_MISSING, CORRUPT, CLOSED, STALE = 10, 12, 13, 16, 18, 19
UNSUPPORTED_FORMAT, PROJECTION_FAILED, INVALID, FOREIGN_SESSION, FAILURE = 15, 20, 21, 22, 99
ANY, EXISTS, NONE = -1, -2, 0
FORWARDS, BACKWARDS = 0, 1
EVENTUAL, AT_LEAST_VERSION, AT_LEAST_POSITION, MAX_STALENESS, STRONG = range(5)


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("message", c_char * 1024)]


class Value(ctypes.Structure):
    _fields_ = [("type", c_int), ("integer", c_int64), ("real", c_double), ("text", c_char_p), ("text_size", c_size_t)]


class Event(ctypes.Structure):
    _fields_ = [
        *[(name, c_int64) for name in ("position", "version", "stream_number")],
        *[(name, c_char_p) for name in ("category", "id", "type")],
        ("schema_version", c_int), ("data", c_void_p), ("data_size", c_size_t),
        *[(name, c_char_p) for name in ("content_type", "metadata")],
        *[(name, c_int64) for name in ("occurred_at", "recorded_at")],
        *[(name, c_char_p) for name in ("correlation_id", "causation_id")],
        ("append_end", c_int64),
    ]

    def bytes(self):
        return ctypes.string_at(self.data, self.data_size)


CREATE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(Error))
APPLY = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Event), c_void_p, POINTER(Error))


class Projection(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("schema_version", c_int), ("tables", POINTER(c_char_p)),
                ("tables_count", c_size_t), ("context", c_void_p), ("create", CREATE), ("apply", APPLY)]


class NewEvent(ctypes.Structure):
    _fields_ = [("type", c_char_p), ("data", c_char_p), ("data_size", c_size_t), ("content_type", c_char_p),
                ("metadata", c_char_p), ("occurred_at", POINTER(c_int64)), ("schema_version", c_int),
                ("correlation_id", c_char_p), ("causation_id", c_char_p)]


class Command(ctypes.Structure):
    _fields_ = [("id", c_char_p), ("name", c_char_p), ("arguments", POINTER(Value)), ("arguments_count", c_size_t)]


class Appended(ctypes.Structure):
    _fields_ = [("first", c_int64), ("last", c_int64), ("version", c_int64), ("duplicate", c_bool)]


class Request(ctypes.Structure):
    _fields_ = [("projections", POINTER(c_char_p)), ("projections_count", c_size_t), ("category", c_char_p),
                ("id", c_char_p), ("consistency", c_int), ("target", c_int64), ("timeout", c_int64),
                ("fail_if_stale", c_bool)]


class Freshness(ctypes.Structure):
    _fields_ = [("stale", c_bool), *[(name, c_int64) for name in (
        "position", "head", "version", "latest_version", "behind_events", "behind", "waited")]]


class Status(ctypes.Structure):
    _fields_ = [("schema_version", c_int), *[(name, c_int64) for name in (
        "position", "head", "behind_events", "behind", "duplicates_skipped", "dead_letters", "projected_by")]]


class DeadLetter(ctypes.Structure):
    _fields_ = [*[(name, c_char_p) for name in ("projection", "category", "id", "type", "reason")],
                ("position", c_int64), ("version", c_int64), ("attempts", c_int), ("at", c_int64)]


class EventsRequest(ctypes.Structure):
    _fields_ = [("after", c_int64), ("epoch", c_char_p), ("category", c_char_p), ("id", c_char_p),
                ("events_max", c_size_t)]


class LogRequest(ctypes.Structure):
    _fields_ = [("after", c_int64), ("until", c_int64), ("direction", c_int), ("category", c_char_p),
                ("id", c_char_p), ("events_max", c_size_t), ("bytes_max", c_size_t), ("recorded", c_bool)]


class Change(ctypes.Structure):
    _fields_ = [("projection", c_char_p), ("position", c_int64)]


class News(ctypes.Structure):
    _fields_ = [("events", c_void_p), ("changes", POINTER(Change)), ("changes_count", c_size_t),
                ("through", c_int64), ("epoch", c_char_p), ("head", c_int64)]

    def texts(self):
        return [event.bytes().decode() for event in (LIBRARY.freshet_events_at(self.events, index)
                                                     for index in range(LIBRARY.freshet_events_count(self.events)))]

    def positions(self):
        return {self.changes[index].projection.decode(): self.changes[index].position
                for index in range(self.changes_count)}


TOLD = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(News), POINTER(Error))
CONVERT = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, c_void_p, POINTER(Error))
NOTICE = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
BODY = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(Error))
TOKEN_SIZE = 64


def declare(name, result, *arguments):
    function = getattr(LIBRARY, name)
    function.restype = result
    function.argtypes = arguments


ERROR = POINTER(Error)
declare("freshet_version", c_char_p)
declare("freshet_code_name", c_char_p, c_int)
declare("freshet_options_new", c_void_p, c_char_p)
declare("freshet_options_free", None, c_void_p)
declare("freshet_options_set_mode", None, c_void_p, c_int)
declare("freshet_options_set_upgrade", None, c_void_p, c_int)
declare("freshet_options_set_durability", None, c_void_p, c_int)
declare("freshet_options_set_projecting", None, c_void_p, c_bool)
declare("freshet_options_set_bus", c_int, c_void_p, c_char_p, c_double, c_uint64, ERROR)
declare("freshet_options_add_projection", None, c_void_p, POINTER(Projection))
declare("freshet_options_set_notice", None, c_void_p, NOTICE, c_void_p)
declare("freshet_options_set_busy_timeout", None, c_void_p, c_int64)
declare("freshet_options_set_form", None, c_void_p, c_char_p, c_int)
declare("freshet_options_add_upcaster", None, c_void_p, c_char_p, c_int, CONVERT, c_void_p)
declare("freshet_converted_set", None, c_void_p, c_char_p, c_size_t)
declare("freshet_open", c_int, c_void_p, POINTER(c_void_p), ERROR)
declare("freshet_close", c_int, c_void_p, ERROR)
declare("freshet_append", c_int, c_void_p, c_char_p, c_char_p, c_int64, POINTER(NewEvent), c_size_t, c_char_p, c_int,
        POINTER(Appended), ERROR)
declare("freshet_transaction_append", c_int, c_void_p, c_char_p, c_char_p, c_int64, POINTER(NewEvent), c_size_t,
        c_char_p, c_int, POINTER(Appended), ERROR)
for like in ("freshet_append", "freshet_transaction_append", "freshet_session_append"):
    declare(like + "_command", c_int, c_void_p, c_char_p, c_char_p, c_int64, POINTER(NewEvent), c_size_t,
            POINTER(Command), c_int, POINTER(Appended), ERROR)
declare("freshet_transaction_tables", c_void_p, c_void_p)
declare("freshet_write", c_int, c_void_p, BODY, c_void_p, ERROR)
declare("freshet_session_begin", c_int, c_void_p, c_char_p, POINTER(c_void_p), ERROR)
declare("freshet_session_free", None, c_void_p)
declare("freshet_session_append", c_int, c_void_p, c_char_p, c_char_p, c_int64, POINTER(NewEvent), c_size_t, c_char_p,
        c_int, POINTER(Appended), ERROR)
declare("freshet_session_read", c_int, c_void_p, POINTER(Request), POINTER(c_void_p), ERROR)
declare("freshet_session_seen", c_int64, c_void_p)
declare("freshet_session_note", None, c_void_p, c_int64)
declare("freshet_session_token", None, c_void_p, c_char_p)
declare("freshet_projection_status", c_int, c_void_p, c_char_p, POINTER(Status), ERROR)
declare("freshet_dead_letters_read", c_int, c_void_p, c_char_p, POINTER(c_void_p), ERROR)
declare("freshet_dead_letters_count", c_size_t, c_void_p)
declare("freshet_dead_letters_at", DeadLetter, c_void_p, c_size_t)
declare("freshet_dead_letters_free", None, c_void_p)
declare("freshet_dead_letters_retry", c_int, c_void_p, c_char_p, POINTER(c_int64), ERROR)
declare("freshet_dead_letters_discard", c_int, c_void_p, c_char_p, POINTER(c_int64), ERROR)
declare("freshet_remove_projection", c_int, c_char_p, c_char_p, c_int64, POINTER(c_bool), ERROR)
declare("freshet_rename_projection", c_int, c_char_p, c_char_p, c_char_p, c_int64, POINTER(c_bool), ERROR)
declare("freshet_verify", c_int, c_void_p, ERROR)
declare("freshet_backup", c_int, c_void_p, c_char_p, c_bool, ERROR)
declare("freshet_head", c_int, c_void_p, POINTER(c_int64), ERROR)
declare("freshet_read_all", c_int, c_void_p, c_int64, c_size_t, POINTER(c_void_p), ERROR)
declare("freshet_read_stream", c_int, c_void_p, c_char_p, c_char_p, c_int64, c_size_t, POINTER(c_void_p), ERROR)
declare("freshet_read_log", c_int, c_void_p, POINTER(LogRequest), POINTER(c_void_p), ERROR)
declare("freshet_event_range_begin", c_int, c_void_p, POINTER(LogRequest), POINTER(c_void_p), ERROR)
declare("freshet_event_range_next", c_int, c_void_p, POINTER(c_bool), POINTER(Event), ERROR)
declare("freshet_event_range_free", None, c_void_p)
declare("freshet_events_count", c_size_t, c_void_p)
declare("freshet_events_at", Event, c_void_p, c_size_t)
declare("freshet_events_free", None, c_void_p)
declare("freshet_read", c_int, c_void_p, POINTER(Request), POINTER(c_void_p), ERROR)
declare("freshet_reading_freshness", Freshness, c_void_p)
declare("freshet_reading_stream_number", c_int64, c_void_p)
declare("freshet_reading_warnings_count", c_size_t, c_void_p)
declare("freshet_reading_warning", c_char_p, c_void_p, c_size_t)
declare("freshet_reading_free", None, c_void_p)
declare("freshet_query", c_int, c_void_p, c_char_p, POINTER(Value), c_size_t, POINTER(c_void_p), ERROR)
declare("freshet_rows_columns", c_int, c_void_p)
declare("freshet_rows_next", c_int, c_void_p, POINTER(c_bool), ERROR)
declare("freshet_rows_is_null", c_bool, c_void_p, c_int)
declare("freshet_rows_integer", c_int64, c_void_p, c_int)
declare("freshet_rows_real", c_double, c_void_p, c_int)
declare("freshet_rows_text", c_void_p, c_void_p, c_int, POINTER(c_size_t))
declare("freshet_rows_free", None, c_void_p)
declare("freshet_wait", c_int, c_void_p, c_char_p, c_int64, c_int64, ERROR)
declare("freshet_rebuild", c_int, c_void_p, c_char_p, ERROR)
declare("freshet_subscribe_to_events", c_int, c_void_p, POINTER(EventsRequest), TOLD, c_void_p, POINTER(c_void_p),
        ERROR)
declare("freshet_subscribe_to_changes", c_int, c_void_p, POINTER(c_char_p), c_size_t, TOLD, c_void_p,
        POINTER(c_void_p), ERROR)
declare("freshet_unsubscribe", None, c_void_p)
declare("freshet_subscription_ended", c_bool, c_void_p, ERROR)
declare("freshet_subscription_descriptor", c_int, c_void_p)
declare("freshet_take", c_int, c_void_p, POINTER(News), POINTER(c_bool), ERROR)
declare("freshet_tables_execute", c_int, c_void_p, c_char_p, POINTER(Value), c_size_t, ERROR)


class Failed(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def call(name, *arguments, answers=(OK,)):
    """Calls a function whose last argument is an error; gives its code, or raises Failed."""
    error = Error()
    code = getattr(LIBRARY, name)(*arguments, byref(error))
    if code not in answers:
        raise Failed(code, error.message.decode())
    return code


def names(*texts):
    return (c_char_p * len(texts))(*[text.encode() for text in texts])


def values(*given):
    def value(one):
        if one is None:
            return Value(0)
        if isinstance(one, int):
            return Value(1, one)
        if isinstance(one, float):
            return Value(2, 0, one)
        return Value(3, 0, 0.0, one.encode(), len(one.encode()))
    return (Value * len(given))(*[value(one) for one in given])


class Names:
    """One row a stream: its last text, and how often it changed."""

    def __init__(self, refuses=lambda text: False):
        def create(_context, tables, error):
            return LIBRARY.freshet_tables_execute(
                tables, b"CREATE TABLE {names} (id TEXT PRIMARY KEY, text TEXT, times INTEGER)", None, 0, error)

        def apply(_context, event, tables, error):
            text = event.contents.bytes().decode()
            if refuses(text):
                error.contents.message = b"no such text"
                return INVALID
            sql = (b"INSERT INTO {names} VALUES (?, ?, 1) "
                   b"ON CONFLICT DO UPDATE SET text = excluded.text, times = times + 1")
            return LIBRARY.freshet_tables_execute(tables, sql, values(event.contents.id.decode(), text), 2, error)

        # Kept for as long as the store may call them.
        self.create, self.apply, self.tables = CREATE(create), APPLY(apply), names("names")
        self.rules = Projection(b"names", 1, self.tables, 1, None, self.create, self.apply)


def new_events(*texts, content_type=None, schema_version=0, correlation=(None, None)):
    return (NewEvent * len(texts))(*[
        NewEvent(b"Named", text if isinstance(text, bytes) else text.encode(), len(text), content_type, None, None,
                 schema_version, *correlation) for text in texts])


def append(function, handle, stream, events, expected=ANY, key=None):
    appended = Appended()
    code = call(function, handle, b"name", stream.encode(), expected, events, len(events), key, 0, byref(appended),
                answers=(OK, CONFLICT))
    return code, appended


def rows_of(query, handle, sql, *parameters):
    rows, has_row, found = c_void_p(), c_bool(), []
    call(query, handle, sql.encode(), values(*parameters), len(parameters), byref(rows))
    try:
        while call("freshet_rows_next", rows, byref(has_row)) == OK and has_row:
            size = c_size_t()
            text = LIBRARY.freshet_rows_text(rows, 0, byref(size))
            found.append(None if text is None else ctypes.string_at(text, size.value).decode())
        return found
    finally:
        LIBRARY.freshet_rows_free(rows)


def read(function, handle, sql, *parameters, stream=None, consistency=EVENTUAL, target=0, timeout=5_000_000,
         fail_if_stale=False):
    category = None if stream is None else b"name"
    request = Request(names("names"), 1, category, stream, consistency, target, timeout, fail_if_stale)
    reading = c_void_p()
    call(function, handle, byref(request), byref(reading))
    try:
        freshness = LIBRARY.freshet_reading_freshness(reading)
        warnings = LIBRARY.freshet_reading_warnings_count(reading)
        return rows_of("freshet_query", reading, sql, *parameters), freshness, warnings
    finally:
        LIBRARY.freshet_reading_free(reading)


class Store:
    def __init__(self, file, rules=None, mode=0, upgrade=0, delay=None, upcasters=(), forms=(),
                 notice=lambda level, message: None):
        self.rules = rules or Names()
        options = LIBRARY.freshet_options_new(str(file).encode())
        LIBRARY.freshet_options_set_mode(options, mode)
        LIBRARY.freshet_options_set_upgrade(options, upgrade)
        LIBRARY.freshet_options_set_durability(options, 0)
        if delay:
            call("freshet_options_set_bus", options, delay.encode(), 0.0, 1)
        LIBRARY.freshet_options_add_projection(options, byref(self.rules.rules))
        self.notice = NOTICE(lambda _context, level, message: notice(level, message.decode()))
        LIBRARY.freshet_options_set_notice(options, self.notice, None)
        LIBRARY.freshet_options_set_busy_timeout(options, 60_000_000)
        self.upcasters = [CONVERT(upcaster) for upcaster in upcasters]
        for version, upcaster in enumerate(self.upcasters, start=1):
            LIBRARY.freshet_options_add_upcaster(options, b"Named", version, upcaster, None)
        for name, newest in forms:
            LIBRARY.freshet_options_set_form(options, name, newest)
        self.handle = c_void_p()
        try:
            call("freshet_open", options, byref(self.handle))
        finally:
            LIBRARY.freshet_options_free(options)

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        call("freshet_close", self.handle)

    def append(self, stream, *texts, expected=ANY, key=None, content_type=None):
        return append("freshet_append", self.handle, stream, new_events(*texts, content_type=content_type),
                      expected=expected, key=key)

    def read_stream(self, stream, after=0):
        events = c_void_p()
        call("freshet_read_stream", self.handle, b"name", stream.encode(), after, 1000, byref(events))
        read = [(event.version, event.type, event.bytes())
                for event in (LIBRARY.freshet_events_at(events, index)
                              for index in range(LIBRARY.freshet_events_count(events)))]
        LIBRARY.freshet_events_free(events)
        return read

    def read_log(self, **request):
        """The positions of the events, read at once and one after the other."""
        events, range_, has_event, event = c_void_p(), c_void_p(), c_bool(), Event()
        call("freshet_read_log", self.handle, byref(LogRequest(**request)), byref(events))
        at_once = [LIBRARY.freshet_events_at(events, index).position
                   for index in range(LIBRARY.freshet_events_count(events))]
        LIBRARY.freshet_events_free(events)
        call("freshet_event_range_begin", self.handle, byref(LogRequest(**request)), byref(range_))
        one_by_one = []
        while call("freshet_event_range_next", range_, byref(has_event), byref(event)) == OK and has_event:
            one_by_one.append(event.position)
        LIBRARY.freshet_event_range_free(range_)
        return at_once, one_by_one

    def first_event(self):
        """Its schema version and its metadata, beside its data."""
        events = c_void_p()
        call("freshet_read_all", self.handle, 0, 1, byref(events))
        event = LIBRARY.freshet_events_at(events, 0)
        read = event.schema_version, event.metadata, event.bytes()
        LIBRARY.freshet_events_free(events)
        return read

    def correlation_of_first_event(self):
        """Both ids, and the end of its append."""
        events = c_void_p()
        call("freshet_read_all", self.handle, 0, 1, byref(events))
        event = LIBRARY.freshet_events_at(events, 0)
        read = event.correlation_id, event.causation_id, event.append_end
        LIBRARY.freshet_events_free(events)
        return read

    def read(self, sql, *parameters, **request):
        return read("freshet_read", self.handle, sql, *parameters, **request)

    def write(self, body):
        """`body` has the transaction, and gives a code."""
        return call("freshet_write", self.handle, BODY(lambda _context, transaction, error: body(transaction, error)),
                    None)

    def status(self):
        status = Status()
        call("freshet_projection_status", self.handle, b"names", byref(status))
        return status

    def dead_letters(self):
        letters = c_void_p()
        call("freshet_dead_letters_read", self.handle, b"names", byref(letters))
        found = [(letter.id, letter.version, letter.attempts, letter.reason)
                 for letter in (LIBRARY.freshet_dead_letters_at(letters, index)
                                for index in range(LIBRARY.freshet_dead_letters_count(letters)))]
        LIBRARY.freshet_dead_letters_free(letters)
        return found

    def settle(self, how):
        count = c_int64()
        call(f"freshet_dead_letters_{how}", self.handle, None, byref(count))
        return count.value


class Session:
    """Whoever reads their own writes; ends with the block."""

    def __init__(self, store, token=None):
        self.handle = c_void_p()
        call("freshet_session_begin", store.handle, token, byref(self.handle))

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        LIBRARY.freshet_session_free(self.handle)

    def append(self, stream, *texts):
        return append("freshet_session_append", self.handle, stream, new_events(*texts))

    def read(self, sql, **request):
        return read("freshet_session_read", self.handle, sql, **request)

    def seen(self):
        return LIBRARY.freshet_session_seen(self.handle)

    def token(self):
        token = ctypes.create_string_buffer(TOKEN_SIZE)
        LIBRARY.freshet_session_token(self.handle, token)
        return token.value


class Subscription:
    """To events, or to changes of the read table; ends with the block."""

    def __init__(self, store, after=0, category=None, stream=None, events_max=0, changes=False, told=None, epoch=None):
        self.handle = c_void_p()
        self.told = TOLD(told) if told else TOLD()  # Kept for as long as the store may call it.
        if changes:
            call("freshet_subscribe_to_changes", store.handle, names("names"), 1, self.told, None, byref(self.handle))
        else:
            request = EventsRequest(after, epoch, category, stream, events_max)
            call("freshet_subscribe_to_events", store.handle, byref(request), self.told, None, byref(self.handle))

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.end()

    def end(self):
        LIBRARY.freshet_unsubscribe(self.handle)
        self.handle = c_void_p()

    def why_ended(self):
        why = Error()
        return why.message.decode() if LIBRARY.freshet_subscription_ended(self.handle, byref(why)) else None

    def take(self):
        """The news, or None where there are none yet."""
        news, has_news = News(), c_bool()
        call("freshet_take", self.handle, byref(news), byref(has_news))
        return news if has_news else None

    def wait(self):
        descriptor = LIBRARY.freshet_subscription_descriptor(self.handle)
        readable, _, _ = select.select([descriptor], [], [], PATIENCE)
        assert readable, "nothing came"
        return self.take()


def elsewhere(program):
    """Runs it in a process of its own: how it ended, and what it said on either stream."""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE,
                         check=False, cwd=pathlib.Path(__file__).parent)
    return ran.returncode, ran.stdout, ran.stderr


class CInterfaceTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.file = pathlib.Path(place.name) / "names.db"

    def assert_fails(self, code, words, function, *arguments, **named):
        with self.assertRaises(Failed) as caught:
            function(*arguments, **named)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertIn(words, str(caught.exception))

    def test_a_read_at_the_position_of_an_append_shows_it(self):
        with Store(self.file, delay="20ms") as store:
            _, appended = store.append("a", "one", "two")
            self.assertEqual((appended.first, appended.last, appended.version, appended.duplicate), (1, 2, 2, False))
            found, freshness, warnings = store.read(
                "SELECT text FROM {names} WHERE id = ?", "a", consistency=AT_LEAST_POSITION, target=appended.last)
            self.assertEqual((found, freshness.stale, freshness.head, warnings), (["two"], False, 2, 0))

    def test_a_conflict_is_an_answer_and_tells_the_version_that_is_there(self):
        with Store(self.file) as store:
            store.append("a", "one", "two", expected=NONE)
            code, answered = store.append("a", "three", expected=1)
            self.assertEqual((code, answered.version), (CONFLICT, 2))
            self.assertEqual(store.append("a", "three", expected=EXISTS)[0], OK)
            self.assertEqual([version for version, _, _ in store.read_stream("a", after=1)], [2, 3])

    def test_a_second_append_with_a_key_gets_the_first_answer(self):
        with Store(self.file) as store:
            store.append("a", "one", key=b"k")
        with Store(self.file) as store:
            _, again = store.append("a", "one", key=b"k")
            self.assertEqual((again.duplicate, again.version), (True, 1))
            self.assertEqual(store.read_stream("a"), [(1, b"Named", b"one")])

    def test_a_key_that_was_given_to_another_append_is_told_and_nothing_is_recorded(self):
        with Store(self.file) as store:
            store.append("a", "one", key=b"k")
            self.assert_fails(KEY_REUSED, "'k' belongs to another command, an append on 'name/a'",
                              store.append, "a", "other", key=b"k")
            self.assert_fails(KEY_REUSED, "'name/a'", store.append, "b", "one", key=b"k")
            self.assertEqual(LIBRARY.freshet_code_name(KEY_REUSED), b"key_reused")

            def write(transaction, error):
                second = new_events("two")
                codes.extend(
                    LIBRARY.freshet_transaction_append(transaction, b"name", b"a", ANY, events, 1, key, 0, None, error)
                    for events, key in [(second, b"k"), (new_events("one"), b"k"), (second, b"l"), (second, b"l")])
                return OK
            codes = []
            store.write(write)
            self.assertEqual(codes, [KEY_REUSED, OK, OK, OK])
            self.assertEqual([data for _, _, data in store.read_stream("a")], [b"one", b"two"])

    def test_a_command_is_known_by_its_name_and_arguments_whatever_the_events(self):
        def append_command(name, *given, stream=b"a", text="one", id=b"k"):
            appended = Appended()
            call("freshet_append_command", store.handle, b"name", stream, ANY, new_events(text), 1,
                 byref(Command(id, name, values(*given), len(given))), 0, byref(appended))
            return appended.duplicate, appended.version

        with Store(self.file) as store:
            self.assertEqual(append_command(b"rename", "x", 7, None), (False, 1))
        with Store(self.file) as store:
            self.assertEqual(append_command(b"rename", "x", 7, None, text="two"), (True, 1))
            for given in [("x", 8, None), ("y", 7, None), ("x", 7, ""), ("x", 7), ("x7", None)]:
                self.assert_fails(KEY_REUSED, "'rename' on 'name/a'", append_command, b"rename", *given)
            self.assert_fails(KEY_REUSED, "'rename'", append_command, b"name", "x", 7, None)
            self.assert_fails(KEY_REUSED, "'rename'", append_command, b"rename", "x", 7, None, stream=b"b")
            self.assert_fails(KEY_REUSED, "'rename'", store.append, "a", "one", key=b"k")
            self.assert_fails(INVALID, "no FRESHET_REAL", append_command, b"rename", 0.5)
            self.assert_fails(INVALID, "an id and a name", append_command, None)
            self.assert_fails(INVALID, "a command's name", append_command, b"")
            with Session(store) as session:
                appended = Appended()
                call("freshet_session_append_command", session.handle, b"name", b"a", ANY, None, 0,
                     byref(Command(b"k", b"rename", values("x", 7, None), 3)), 0, byref(appended))
                self.assertEqual((appended.duplicate, session.seen()), (True, 1))

            def write(transaction, error):
                codes.extend(LIBRARY.freshet_transaction_append_command(
                    transaction, b"name", b"a", ANY, new_events("two"), 1, byref(Command(b"l", name)), 0, None, error)
                    for name in (b"one", b"one", b"other"))
                return OK
            codes = []
            store.write(write)
            self.assertEqual(codes, [OK, OK, KEY_REUSED])
            self.assertEqual([data for _, _, data in store.read_stream("a")], [b"one", b"two"])

    def test_bytes_come_back_as_they_were(self):
        with Store(self.file, Names(refuses=lambda text: False)) as store:
            call("freshet_wait", store.handle, b"names", 0, 0)
            store.append("a", b"x\0y", content_type=b"application/octet-stream")
            self.assertEqual(store.read_stream("a"), [(1, b"Named", b"x\0y")])

    def test_the_log_is_read_in_both_directions_by_stream_and_by_category(self):
        with Store(self.file) as store:
            for stream in ("a", "b", "a"):
                store.append(stream, "x", "y")
            for positions, request in [
                    ([1, 2, 3, 4, 5, 6], {}), ([6, 5, 4, 3, 2, 1], {"direction": BACKWARDS}),
                    ([3, 4], {"after": 2, "until": 5}), ([4, 3], {"after": 2, "until": 5, "direction": BACKWARDS}),
                    ([6, 5], {"direction": BACKWARDS, "events_max": 2}),
                    ([1, 2, 5, 6], {"category": b"name", "id": b"a"}),
                    ([6, 5, 4], {"direction": BACKWARDS, "category": b"name", "events_max": 3}),
                    ([], {"category": b"other"}), ([], {"after": 6}), ([], {"after": 77, "until": 99})]:
                with self.subTest(request=request):
                    self.assertEqual(store.read_log(**request), (positions, positions))
            # Of a range the bytes are those of a batch.
            self.assertEqual(store.read_log(bytes_max=2), ([1, 2], [1, 2, 3, 4, 5, 6]))
            self.assert_fails(INVALID, "a category and an id", store.read_log, id=b"a")
            self.assert_fails(INVALID, "a direction", store.read_log, direction=2)

    def test_a_range_shows_what_was_committed_when_it_began(self):
        with Store(self.file) as store:
            store.append("a", "one", "two")
            range_, has_event, event = c_void_p(), c_bool(), Event()
            call("freshet_event_range_begin", store.handle, byref(LogRequest(bytes_max=1)), byref(range_))
            seen = []
            while call("freshet_event_range_next", range_, byref(has_event), byref(event)) == OK and has_event:
                seen.append(event.bytes())
                store.append("a", "three")
            self.assertEqual(seen, [b"one", b"two"])
            call("freshet_event_range_next", range_, byref(has_event), byref(event))
            self.assertFalse(has_event.value)
            LIBRARY.freshet_event_range_free(range_)

    def test_an_append_from_each_of_four_threads_is_recorded_once(self):
        with Store(self.file) as store:
            threads = [threading.Thread(target=store.append, args=(f"s{number}", "x")) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            head = c_int64()
            call("freshet_head", store.handle, byref(head))
            self.assertEqual(head.value, 4)
            found, _, _ = store.read("SELECT id FROM {names} ORDER BY id", consistency=STRONG)
            self.assertEqual(found, ["s0", "s1", "s2", "s3"])

    def test_a_wait_that_is_not_met_is_an_answer_of_its_own(self):
        with Store(self.file) as store:
            self.assert_fails(NOT_FRESH, "the log itself holds no position 9 yet",
                              call, "freshet_wait", store.handle, b"names", 9, 1000)

    def test_a_stale_read_fails_where_that_was_asked_for(self):
        with Store(self.file, delay="1h") as store:
            store.append("a", "one")
            self.assert_fails(STALE, "stale", store.read, "SELECT text FROM {names}", consistency=STRONG,
                              timeout=1000, fail_if_stale=True)
            found, freshness, warnings = store.read("SELECT text FROM {names}")
            self.assertEqual((found, freshness.stale, freshness.behind_events, warnings), ([], True, 1, 1))

    def test_an_event_that_the_rules_refuse_becomes_a_dead_letter_with_their_reason(self):
        with Store(self.file, Names(refuses=lambda text: text == "bad")) as store:
            store.append("a", "bad")
            _, good = store.append("b", "good")
            found, freshness, warnings = store.read("SELECT id FROM {names}", consistency=AT_LEAST_POSITION,
                                                    target=good.last)
            self.assertEqual((found, freshness.stale, warnings), (["b"], True, 1))

    def test_a_rebuild_gives_the_same_rows(self):
        with Store(self.file) as store:
            store.append("a", "one", "two")
            before = store.read("SELECT times FROM {names}", consistency=STRONG)[0]
            call("freshet_rebuild", store.handle, b"names")
            self.assertEqual(store.read("SELECT times FROM {names}", consistency=STRONG)[0], before)

    def test_a_query_keeps_its_values_when_the_caller_has_overwritten_them(self):
        with Store(self.file) as store:
            store.append("a", "a text that is looked for")
            store.read("SELECT 1", consistency=STRONG)
            reading, rows, has_row = c_void_p(), c_void_p(), c_bool()
            call("freshet_read", store.handle, byref(Request(names("names"), 1, None, None, EVENTUAL)), byref(reading))
            text = ctypes.create_string_buffer(b"a text that is looked for")
            given = (Value * 1)(Value(3, 0, 0.0, ctypes.cast(text, c_char_p), len(text.value)))
            sql = ctypes.create_string_buffer(b"SELECT text FROM {names} WHERE text = ?")
            call("freshet_query", reading, ctypes.cast(sql, c_char_p), given, 1, byref(rows))
            ctypes.memset(text, ord("#"), len(text.value))
            ctypes.memset(sql, ord("#"), len(sql.value))
            call("freshet_rows_next", rows, byref(has_row))
            self.assertTrue(has_row)
            LIBRARY.freshet_rows_free(rows)
            LIBRARY.freshet_reading_free(reading)

    def test_a_subscription_brings_what_is_in_the_log_and_then_what_is_appended(self):
        with Store(self.file) as store:
            store.append("a", "one", "two", "three")
            with Subscription(store, after=1, events_max=1) as subscription:
                self.assertEqual(subscription.wait().texts(), ["two"])
                news = subscription.wait()
                self.assertEqual((news.texts(), news.through, news.head), (["three"], 3, 3))
                through, epoch = news.through, bytes(news.epoch)
                self.assertIsNone(subscription.take())
                store.append("b", "four")
                self.assertEqual(subscription.wait().texts(), ["four"])
            with Subscription(store, after=through, epoch=epoch) as subscription:
                self.assertEqual(subscription.wait().texts(), ["four"])
            self.assert_fails(INVALID, "the log ends at 4", Subscription, store, after=5)
            self.assert_fails(FOREIGN_SESSION, "another history", Subscription, store, after=1, epoch=b"another")

    def test_a_subscription_to_a_stream_or_a_category_leaves_the_rest_out(self):
        with Store(self.file) as store:
            store.append("a", "one")
            store.append("b", "two")
            with Subscription(store, category=b"name", stream=b"b") as stream, \
                    Subscription(store, category=b"name") as category, Subscription(store, category=b"other") as other:
                self.assertEqual(stream.wait().texts(), ["two"])
                self.assertEqual(category.wait().texts(), ["one", "two"])
                self.assertIsNone(other.take())

    def test_a_callback_is_told_on_another_thread_of_each_event_once(self):
        told = queue.Queue()

        def tell(_context, news, _error):
            for text in news.contents.texts():
                told.put((text, threading.get_ident()))
            return OK
        with Store(self.file) as store, Subscription(store, told=tell):
            store.append("a", "one")
            store.append("a", "two")
            found = [told.get(timeout=PATIENCE) for _ in range(2)]
            self.assertEqual([text for text, _ in found], ["one", "two"])
            self.assertNotIn(threading.get_ident(), [thread for _, thread in found])

    def test_a_callback_may_use_the_store_and_end_its_own_subscription(self):
        told, subscribed = queue.Queue(), threading.Event()
        with Store(self.file) as store:
            def tell(_context, news, _error):
                subscribed.wait(PATIENCE)
                subscription.end()
                store.append("b", "from within")
                told.put(news.contents.texts())
                return OK
            subscription = Subscription(store, told=tell)
            subscribed.set()
            store.append("a", "one")
            self.assertEqual(told.get(timeout=PATIENCE), ["one"])
            store.append("a", "two")
            with Subscription(store) as later:  # When it has been told, the first one would have been.
                seen = []
                while len(seen) < 3:
                    seen += later.wait().texts()
            self.assertTrue(told.empty())

    def test_a_callback_that_fails_ends_its_subscription_with_its_reason(self):
        called = threading.Event()

        def tell(_context, _news, error):
            error.contents.message = b"the window is gone"
            called.set()
            return FAILURE
        with Store(self.file) as store, Subscription(store, told=tell) as subscription:
            self.assertIsNone(subscription.why_ended())
            store.append("a", "one")
            self.assertTrue(called.wait(PATIENCE))
            with Subscription(store) as later:  # Told after it, by the same thread.
                later.wait()
            self.assertIn("the window is gone", subscription.why_ended())

    def test_changes_of_a_read_table_tell_how_far_it_is(self):
        with Store(self.file) as store, Subscription(store, changes=True) as subscription:
            store.append("a", "one", "two")
            reached = 0
            while reached < 2:
                reached = subscription.wait().positions()["names"]
            self.assertEqual(store.read("SELECT text FROM {names}")[0], ["two"])
            self.assert_fails(INVALID, "no projection", call, "freshet_subscribe_to_changes", store.handle,
                              names("other"), 1, TOLD(), None, byref(c_void_p()))

    def test_closing_the_store_ends_its_subscriptions(self):
        with Store(self.file) as store:
            subscription = Subscription(store)
        self.assert_fails(CLOSED, "the store is closed", subscription.wait)
        subscription.end()

    def test_a_session_reads_what_it_has_written_and_another_one_does_not_wait_for_it(self):
        with Store(self.file, delay="50ms") as store, Session(store) as session, Session(store) as other:
            session.append("a", "one")
            self.assertEqual((session.seen(), other.seen()), (1, 0))
            self.assertEqual(session.read("SELECT text FROM {names}")[0], ["one"])
            _, freshness, _ = other.read("SELECT text FROM {names}")
            self.assertEqual(freshness.waited, 0)

    def test_a_session_does_not_go_back_behind_what_it_was_shown(self):
        with Store(self.file) as store, Session(store) as session:
            store.append("a", "one")
            store.read("SELECT text FROM {names}", consistency=STRONG)
            self.assertEqual(session.read("SELECT text FROM {names}")[0], ["one"])
            self.assertEqual(session.seen(), 1)
            LIBRARY.freshet_session_note(session.handle, 7)
            _, freshness, warnings = session.read("SELECT text FROM {names}", timeout=1000)
            self.assertEqual((freshness.stale, warnings), (True, 1))
            self.assert_fails(STALE, "position 7, which was seen before", session.read, "SELECT 1", timeout=1000,
                              fail_if_stale=True)

    def test_a_session_goes_on_in_another_process_by_its_token(self):
        with Store(self.file, delay="50ms") as store, Session(store) as session:
            session.append("a", "one")
            there = ("from c_interface_test import *\n"
                     f"with Store({str(self.file)!r}) as store, Session(store, {session.token()!r}) as session:\n"
                     "    print(session.seen(), *session.read('SELECT text FROM {names}', timeout=60_000_000)[0])\n")
            self.assertEqual(elsewhere(there), (0, "1 one\n", ""))

    def test_a_token_that_belongs_elsewhere_is_refused(self):
        with Store(self.file) as store, Session(store) as session:
            session.append("a", "one")
            token = session.token()
            call("freshet_backup", store.handle, str(self.file).encode() + b"-copy", False)
            self.assert_fails(INVALID, "no session token", Session, store, token[:-1])
        with Store(self.file.with_name("other.db")) as other:
            self.assert_fails(FOREIGN_SESSION, "another store", Session, other, token)
        with Store(self.file.with_name("names.db-copy")) as restored:
            self.assert_fails(FOREIGN_SESSION, "before a backup was restored", Session, restored, token)

    def test_a_projection_is_renamed_and_removed(self):
        with Store(self.file) as store:
            store.append("a", "one")
        file, found = str(self.file).encode(), c_bool()
        call("freshet_rename_projection", file, b"names", b"others", 0, byref(found))
        self.assertTrue(found.value)
        call("freshet_rename_projection", file, b"names", b"others", 0, byref(found))
        self.assertFalse(found.value)
        call("freshet_remove_projection", file, b"others", 0, byref(found))
        self.assertTrue(found.value)
        call("freshet_remove_projection", file, b"others", 0, None)
        with Store(self.file) as store:
            self.assertEqual(store.read("SELECT text FROM {names}", consistency=STRONG)[0], ["one"])

    def test_old_forms_of_events_are_read_in_the_newest_one(self):
        def shout(_context, data, size, converted, _error):
            text = ctypes.string_at(data, size).upper()
            LIBRARY.freshet_converted_set(converted, text, len(text))
            return OK

        def refuse(_context, _data, _size, _converted, error):
            error.contents.message = b"that is no text"
            return FAILURE
        with Store(self.file) as store:
            store.append("a", "one")
        with Store(self.file, upcasters=[shout]) as store:
            self.assertEqual(store.first_event(), (2, b"", b"ONE"))
            self.assert_fails(INVALID, "schema version 2, its newest", store.append, "a", "two")
            append("freshet_append", store.handle, "a", new_events("two", schema_version=2))
            self.assertEqual([data for _, _, data in store.read_stream("a")], [b"ONE", b"two"])
        with Store(self.file, upcasters=[refuse]) as store:
            self.assert_fails(INVALID, "that is no text", store.first_event)
        with Store(self.file) as store:
            self.assertEqual(store.first_event(), (1, b"", b"one"))
            self.assert_fails(UNSUPPORTED_FORMAT, "use a newer release", store.read_stream, "a")
        for forms in [[(b"Named", 0)], [(None, 2), (b"Named", 0)], [(None, 0)]]:
            with Store(self.file, forms=forms) as store:
                self.assertEqual([data for _, _, data in store.read_stream("a")], [b"one", b"two"])

    def test_a_file_of_an_older_format_is_carried_over_as_the_options_say(self):
        copy = pathlib.Path(f"{self.file}.format-3")
        for upgrade in [UPGRADE_COPY, UPGRADE_NO_COPY]:
            shutil.copy(pathlib.Path(__file__).parent / "formats" / "format-3.db", self.file)
            self.assert_fails(UNSUPPORTED_FORMAT, "--upgrade copy", Store, self.file, upgrade=UPGRADE_NEVER)
            with Store(self.file, upgrade=upgrade) as store:
                self.assertEqual(store.correlation_of_first_event(), (None, None, 1))
            self.assertEqual(copy.exists(), upgrade == UPGRADE_COPY)
            copy.unlink(missing_ok=True)

    def test_events_say_what_they_belong_to_and_what_led_to_them(self):
        with Store(self.file) as store:
            events = new_events("one", correlation=(b"a click", b"name/b@1"))
            append("freshet_append", store.handle, "a", events)
            self.assertEqual(store.correlation_of_first_event(), (b"a click", b"name/b@1", 1))
            self.assertEqual(store.first_event()[1], b"")

    def test_own_tables_are_written_with_the_events_or_not_at_all(self):
        def save(transaction, text, error):
            tables = LIBRARY.freshet_transaction_tables(transaction)
            for sql, given in [(b"CREATE TABLE IF NOT EXISTS app_drafts (text TEXT)", ()),
                               (b"INSERT INTO app_drafts VALUES (?)", (text,))]:
                code = LIBRARY.freshet_tables_execute(tables, sql, values(*given), len(given), error)
                if code != OK:
                    return code
            return LIBRARY.freshet_transaction_append(transaction, b"name", b"a", ANY, new_events(text), 1, None, 0,
                                                      None, error)

        def save_and_regret(transaction, error):
            save(transaction, "two", error)
            error.contents.message = b"second thoughts"
            return FAILURE

        def trespass(transaction, error):
            tables = LIBRARY.freshet_transaction_tables(transaction)
            return LIBRARY.freshet_tables_execute(tables, b"DELETE FROM {names}", None, 0, error)
        with Store(self.file) as store:
            store.write(lambda transaction, error: save(transaction, "one", error))
            self.assert_fails(FAILURE, "second thoughts", store.write, save_and_regret)
            self.assert_fails(INVALID, "app_", store.write, trespass)
            self.assertEqual([data for _, _, data in store.read_stream("a")], [b"one"])
            self.assertEqual(store.read("SELECT text FROM app_drafts")[0], ["one"])

    def test_who_opens_for_reading_only_changes_nothing(self):
        with Store(self.file) as store:
            store.append("a", "one")
            store.read("SELECT text FROM {names}", consistency=STRONG)
        with Store(self.file, mode=2) as store:
            self.assertEqual(store.read("SELECT text FROM {names}")[0], ["one"])
            self.assert_fails(READ_ONLY, "reading", store.append, "a", "two")
        self.assert_fails(FILE_MISSING, "there is no file", Store, self.file.with_name("other.db"), mode=2)

    def test_dead_letters_are_told_tried_again_and_discarded(self):
        refused = {"bad", "worse"}
        told = []
        with Store(self.file, Names(refuses=lambda text: text in refused), notice=lambda *it: told.append(it)) as store:
            store.append("a", "bad", "good")
            store.append("b", "worse")
            store.read("SELECT text FROM {names}", consistency=STRONG)
            self.assertEqual(store.dead_letters(), [(b"a", 1, 3, b"no such text"), (b"a", 2, 0, mock.ANY),
                                                    (b"b", 1, 3, b"no such text")])
            self.assertEqual((store.status().position, store.status().dead_letters), (3, 3))
            self.assertIn((2, "the projection 'names' failed on the event at position 1: no such text; it is set aside "
                           "as a dead letter"), told)
            refused.remove("bad")
            self.assertEqual(store.settle("retry"), 2)
            self.assertEqual(store.settle("discard"), 1)
            self.assertEqual((store.dead_letters(), store.status().behind_events), ([], 0))
            self.assertEqual(store.read("SELECT text FROM {names}")[0], ["good"])
            call("freshet_verify", store.handle)
            self.assert_fails(INVALID, "no projection 'other'", call, "freshet_projection_status", store.handle,
                              b"other", byref(Status()))

    def test_a_backup_is_a_store_and_replaces_another_one_only_where_that_is_asked_for(self):
        copy = self.file.with_name("copy.db")
        with Store(self.file) as store:
            store.append("a", "one")
            call("freshet_backup", store.handle, str(copy).encode(), False)
            store.append("a", "two")
            self.assert_fails(IO, str(copy), call, "freshet_backup", store.handle, str(copy).encode(), False)
            call("freshet_backup", store.handle, str(copy).encode(), True)
        with Store(copy) as store:
            self.assertEqual([data for _, _, data in store.read_stream("a")], [b"one", b"two"])

    def test_a_verification_names_what_is_not_as_it_should_be(self):
        with Store(self.file) as store:
            store.append("a", "one")
            store.read("SELECT text FROM {names}", consistency=STRONG)
            with contextlib.closing(sqlite3.connect(self.file)) as foreign:
                foreign.execute("UPDATE names SET text = 'other'")
                foreign.commit()
            self.assert_fails(CORRUPT, "names", call, "freshet_verify", store.handle)

    def test_a_reading_of_one_stream_knows_its_number(self):
        with Store(self.file) as store:
            store.append("a", "one")
            store.append("b", "two")
            request = Request(names("names"), 1, b"name", b"b", EVENTUAL, 0, 0, False)
            reading, rows = c_void_p(), c_void_p()
            call("freshet_read", store.handle, byref(request), byref(reading))
            self.assertEqual(LIBRARY.freshet_reading_stream_number(reading), 2)
            call("freshet_query", reading, b"SELECT id, text FROM {names}", None, 0, byref(rows))
            self.assertEqual(LIBRARY.freshet_rows_columns(rows), 2)
            LIBRARY.freshet_rows_free(rows)
            LIBRARY.freshet_reading_free(reading)

    def test_a_broken_program_is_stopped_with_a_sentence(self):
        opened = f"from c_interface_test import *\nstore = Store({str(self.file)!r})\n"
        for program, sentence in [
                ("LIBRARY.freshet_events_count(None)", "a handle is not NULL"),
                ("session = Session(store); store.__exit__()", "a Session ends before its store is destroyed")]:
            code, _, said = elsewhere(opened + program)
            self.assertEqual(code, -signal.SIGABRT, said)
            self.assertIn(sentence, said)

    def test_failures_have_codes_and_sentences(self):
        self.assert_fails(FILE_MISSING, "there is no file", Store, self.file, mode=1)
        with Store(self.file) as store:
            self.assert_fails(INVALID, "was given 0 values", store.read, "SELECT ?")
            self.assert_fails(INVALID, "no such column", store.read, "SELECT colour FROM {names}")
            self.assert_fails(INVALID, "an expected version", store.append, "a", "x", expected=-7)
            self.assert_fails(INVALID, "category", call, "freshet_append", store.handle, b"", b"a", ANY, None, 0,
                              b"k", 0, None)
        self.assertEqual(LIBRARY.freshet_code_name(FILE_MISSING), b"file_missing")
        self.assertRegex(LIBRARY.freshet_version().decode(), r"^\d+\.\d+\.\d+$")


def main():
    result = unittest.main(verbosity=1, exit=False).result
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
    main()
