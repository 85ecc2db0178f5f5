#!/usr/bin/env python3
"""Every function of the C interface with NULL, and with numbers that are no counts, sizes or enumerators.

The header says which functions and parameters there are; one that the table leaves out fails the test.
"""

import os
import pathlib
import re
import signal
import sys
import tempfile
import unittest
from ctypes import byref, c_bool, c_char_p, c_int, c_int64, c_size_t, c_void_p

from c_interface_test import (BODY, CONVERT, CREATE, APPLY, ERROR, INVALID, LIBRARY, NONE, NOTICE, OK, POINTER, TOLD,
                              Appended, Command, Error, Event, EventsRequest, LogRequest, Names, NewEvent, News,
                              Projection, Request, Session, Status, Store, Subscription, Value, declare, names,
                              new_events, values)

HEADER = pathlib.Path(__file__).resolve().parent.parent / "include" / "freshet" / "freshet.h"
NEGATIVE = 2**64 - 1  # As a size_t, -1.
STOPS = "stops"       # The process ends by abort(), with a sentence.
FINE = "fine"         # It means something.

declare("freshet_stream_version", c_int, c_void_p, c_char_p, c_char_p, POINTER(c_int64), ERROR)
declare("freshet_tables_query", c_int, c_void_p, c_char_p, POINTER(Value), c_size_t, POINTER(c_void_p), ERROR)

APPENDING = {"category": INVALID, "id": INVALID, "events": INVALID, "events_count": INVALID, "command_id": FINE,
             "projecting": INVALID, "appended": FINE}
COMMANDING = {**{name: FINE if name == "appended" else INVALID for name in APPENDING if name != "command_id"},
              "command": INVALID}
QUERYING = {"sql": INVALID, "values": INVALID, "values_count": INVALID}

# Of each parameter but `context` and `error`: what NULL does, or a number that is none.
TABLE = {
    "freshet_version": {},
    "freshet_code_name": {"code": FINE},
    "freshet_options_new": {"file": STOPS},
    "freshet_options_free": {"options": FINE},
    "freshet_options_set_mode": {"options": STOPS, "mode": STOPS},
    "freshet_options_set_upgrade": {"options": STOPS, "upgrade": STOPS},
    "freshet_options_set_durability": {"options": STOPS, "durability": STOPS},
    "freshet_options_set_busy_timeout": {"options": STOPS, "microseconds": STOPS},
    "freshet_options_set_projecting": {"options": STOPS},
    "freshet_options_set_bus": {"options": INVALID, "delay": INVALID, "duplicate_probability": INVALID},
    "freshet_options_add_projection": {"options": STOPS, "projection": STOPS},
    "freshet_options_add_upcaster": {"options": STOPS, "type": STOPS, "convert": STOPS},
    "freshet_converted_set": {"converted": STOPS, "data": STOPS, "data_size": STOPS},
    "freshet_options_set_form": {"options": STOPS, "type": FINE, "newest": STOPS},
    "freshet_options_set_notice": {"options": STOPS, "notice": FINE},
    "freshet_open": {"options": INVALID, "store": INVALID},
    "freshet_close": {"store": FINE},
    "freshet_append": {"store": INVALID, **APPENDING},
    "freshet_append_command": {"store": INVALID, **COMMANDING},
    "freshet_write": {"store": INVALID, "body": INVALID},
    "freshet_transaction_append": {"transaction": INVALID, **APPENDING},
    "freshet_transaction_append_command": {"transaction": INVALID, **COMMANDING},
    "freshet_transaction_tables": {"transaction": STOPS},
    "freshet_head": {"store": INVALID, "position": INVALID},
    "freshet_stream_version": {"store": INVALID, "category": INVALID, "id": INVALID, "version": INVALID},
    "freshet_read_all": {"store": INVALID, "after": FINE, "events_max": FINE, "events": INVALID},
    "freshet_read_stream": {"store": INVALID, "category": INVALID, "id": INVALID, "after": FINE, "events_max": FINE,
                            "events": INVALID},
    "freshet_read_log": {"store": INVALID, "request": INVALID, "events": INVALID},
    "freshet_event_range_begin": {"store": INVALID, "request": INVALID, "range": INVALID},
    "freshet_event_range_next": {"range": INVALID, "has_event": INVALID, "event": INVALID},
    "freshet_event_range_free": {"range": FINE},
    "freshet_events_count": {"events": STOPS},
    "freshet_events_at": {"events": STOPS, "index": STOPS},
    "freshet_events_free": {"events": FINE},
    "freshet_read": {"store": INVALID, "request": INVALID, "reading": INVALID},
    "freshet_reading_freshness": {"reading": STOPS},
    "freshet_reading_stream_number": {"reading": STOPS},
    "freshet_reading_warnings_count": {"reading": STOPS},
    "freshet_reading_warning": {"reading": STOPS, "index": STOPS},
    "freshet_reading_free": {"reading": FINE},
    "freshet_query": {"reading": INVALID, **QUERYING, "rows": INVALID},
    "freshet_rows_next": {"rows": INVALID, "has_row": INVALID},
    "freshet_rows_columns": {"rows": STOPS},
    "freshet_rows_is_null": {"rows": STOPS, "column": FINE},
    "freshet_rows_integer": {"rows": STOPS, "column": FINE},
    "freshet_rows_real": {"rows": STOPS, "column": FINE},
    "freshet_rows_text": {"rows": STOPS, "column": FINE, "size": FINE},
    "freshet_rows_free": {"rows": FINE},
    "freshet_wait": {"store": INVALID, "projection": INVALID, "position": FINE, "timeout": FINE},
    "freshet_session_begin": {"store": INVALID, "token": FINE, "session": INVALID},
    "freshet_session_free": {"session": FINE},
    "freshet_session_append": {"session": INVALID, **APPENDING},
    "freshet_session_append_command": {"session": INVALID, **COMMANDING},
    "freshet_session_read": {"session": INVALID, "request": INVALID, "reading": INVALID},
    "freshet_session_seen": {"session": STOPS},
    "freshet_session_note": {"session": STOPS, "position": FINE},
    "freshet_session_token": {"session": STOPS, "token": STOPS},
    "freshet_projection_status": {"store": INVALID, "projection": INVALID, "status": INVALID},
    "freshet_rebuild": {"store": INVALID, "projection": INVALID},
    "freshet_dead_letters_read": {"store": INVALID, "projection": FINE, "letters": INVALID},
    "freshet_dead_letters_count": {"letters": STOPS},
    "freshet_dead_letters_at": {"letters": STOPS, "index": STOPS},
    "freshet_dead_letters_free": {"letters": FINE},
    "freshet_dead_letters_retry": {"store": INVALID, "projection": FINE, "count": FINE},
    "freshet_dead_letters_discard": {"store": INVALID, "projection": FINE, "count": FINE},
    "freshet_remove_projection": {"file": INVALID, "projection": INVALID, "busy_timeout": FINE, "found": FINE},
    "freshet_rename_projection": {"file": INVALID, "projection": INVALID, "new_name": INVALID, "busy_timeout": FINE,
                                  "found": FINE},
    "freshet_verify": {"store": INVALID},
    "freshet_backup": {"store": INVALID, "file": INVALID},
    "freshet_subscribe_to_events": {"store": INVALID, "request": INVALID, "told": FINE, "subscription": INVALID},
    "freshet_subscribe_to_changes": {"store": INVALID, "projections": INVALID, "projections_count": INVALID,
                                     "told": FINE, "subscription": INVALID},
    "freshet_unsubscribe": {"subscription": FINE},
    "freshet_subscription_ended": {"subscription": STOPS, "why": FINE},
    "freshet_subscription_descriptor": {"subscription": STOPS},
    "freshet_take": {"subscription": INVALID, "news": INVALID, "has_news": INVALID},
    "freshet_tables_execute": {"tables": INVALID, **QUERYING},
    "freshet_tables_query": {"tables": INVALID, **QUERYING, "rows": INVALID},
}


def declared():
    """Each function of the header with its parameters, as (type, name)."""
    text = re.sub(r"//[^\n]*|#[^\n]*", "", HEADER.read_text(encoding="utf-8"))
    found = {}
    for match in re.finditer(r"\b(freshet_\w+)\(", text):
        depth, end, parts = 1, match.end(), [""]
        while depth > 0:
            letter = text[end]
            depth += (letter == "(") - (letter == ")")
            if letter == "," and depth == 1:
                parts.append("")
            elif depth > 0:
                parts[-1] += letter
            end += 1
        parts = [" ".join(part.split()) for part in parts]
        found[match[1]] = [parameter(part) for part in parts if part and part != "void"]
    return found


def parameter(text):
    pointer = re.search(r"\(\*(\w+)\)", text)
    if pointer:
        return "function", pointer[1]
    kind, name = re.fullmatch(r"(.*?)(\w+)(?:\[\w*\])?", text).groups()
    return kind.strip() + ("*" if "[" in text else ""), name


def can_be_bad(kind, name):
    return name not in ("context", "error") and kind not in ("bool", "uint64_t") and (kind, name) != (
        "int", "from") and name != "expected"


def bad_value(kind, name):
    if "*" in kind or kind in ("function", "freshet_told"):
        return {"body": BODY(), "convert": CONVERT(), "notice": NOTICE(), "told": TOLD()}.get(name)
    return {"size_t": NEGATIVE, "double": -1.0}.get(kind, 77 if kind.startswith("freshet_") else -1)


class World:
    """A store with something in it, and good values for every parameter."""

    def __init__(self, file):
        self.store = Store(file)
        self.store.append("a", "one")
        self.session, self.subscription = Session(self.store), Subscription(self.store)
        call = self.call
        self.events, self.reading, self.rows, self.letters = c_void_p(), c_void_p(), c_void_p(), c_void_p()
        call("freshet_read_all", self.store.handle, 0, 10, byref(self.events), None)
        self.request = Request(names("names"), 1, None, None, 4, 0, 60_000_000, False)
        call("freshet_read", self.store.handle, byref(self.request), byref(self.reading), None)
        call("freshet_query", self.reading, b"SELECT id FROM {names}", None, 0, byref(self.rows), None)
        call("freshet_rows_next", self.rows, byref(c_bool()), None)
        call("freshet_dead_letters_read", self.store.handle, None, byref(self.letters), None)
        self.range = c_void_p()
        call("freshet_event_range_begin", self.store.handle, byref(LogRequest()), byref(self.range), None)
        self.options = LIBRARY.freshet_options_new(str(file).encode())
        self.places = []

    @staticmethod
    def call(name, *arguments):
        assert getattr(LIBRARY, name)(*arguments) == OK, name

    def end(self):
        for name, handle in [("rows", self.rows), ("reading", self.reading), ("events", self.events),
                             ("event_range", self.range), ("dead_letters", self.letters), ("options", self.options)]:
            getattr(LIBRARY, f"freshet_{name}_free")(handle)
        for free, handle in self.places:
            getattr(LIBRARY, free)(handle)
        self.session.__exit__()
        self.subscription.end()
        self.store.__exit__()

    def place(self, name):
        handle = c_void_p()
        self.places.append((name, handle))
        return byref(handle)

    def good(self, function, kind, name, transaction=None):
        """A value that does no harm."""
        by_type = {
            "freshet_store*": self.store.handle, "const freshet_options*": self.options,
            "freshet_options*": self.options, "freshet_session*": self.session.handle,
            "const freshet_session*": self.session.handle, "const freshet_events*": self.events,
            "freshet_reading*": self.reading, "const freshet_reading*": self.reading, "freshet_rows*": self.rows,
            "const freshet_rows*": self.rows, "const freshet_dead_letters*": self.letters,
            "freshet_subscription*": self.subscription.handle,
            "const freshet_subscription*": self.subscription.handle, "freshet_transaction*": transaction,
            "freshet_error*": byref(Error()), "freshet_appended*": byref(Appended()),
            "freshet_status*": byref(Status()), "freshet_news*": byref(News()), "bool*": byref(c_bool()),
            "int64_t*": byref(c_int64()), "size_t*": byref(c_size_t()), "const freshet_new_event*": new_events("x"),
            "const freshet_value*": values("x"), "const freshet_command*": byref(Command(b"k", b"pay")),
            "const char* const*": names("names"), "bool": False,
            "const freshet_request*": byref(self.request), "const freshet_events_request*": byref(EventsRequest()),
            "const freshet_log_request*": byref(LogRequest()), "freshet_event_range*": self.range,
            "freshet_event*": byref(Event()), "freshet_told": TOLD(),
            "const freshet_projection*": byref(self.store.rules.rules), "double": 0.5,
        }
        by_name = {"category": b"name", "id": b"a", "expected": NONE - 1, "command_id": None, "token": None,
                   "delay": b"1ms", "projection": b"names", "new_name": b"others", "sql": b"SELECT ?",
                   "type": b"T", "data": b"x",
                   "context": None, "convert": CONVERT(lambda *_: OK), "notice": NOTICE(lambda *_: None),
                   "body": BODY(lambda *_: OK), "position": 0, "timeout": 0, "column": 0, "events_max": 1}
        if kind.endswith("**"):
            if kind == "freshet_store**":  # Never opened: what it is opened with is the bad value.
                return byref(c_void_p())
            return self.place({"freshet_subscription**": "freshet_unsubscribe"}.get(kind, kind.rstrip("*") + "_free"))
        if kind == "freshet_tables*":
            return LIBRARY.freshet_transaction_tables(transaction)
        if kind == "char*":
            return b" " * 64
        if name == "file":
            return str(self.store_file()).encode()
        if kind in by_type:
            return by_type[kind]
        if name in by_name:
            return by_name[name]
        return 1 if name.endswith("count") or name in ("data_size", "from") else 0

    def store_file(self):
        return "/nowhere/at/all"


def prepared(world, function, parameters, bad, transaction=None):
    return [bad_value(kind, name) if name == bad else world.good(function, kind, name, transaction)
            for kind, name in parameters]


class BadArgumentsTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.functions = declared()

    def cases(self, *outcomes):
        for function, outcomes_of in TABLE.items():
            for name, outcome in outcomes_of.items():
                if outcome in outcomes:
                    yield function, self.functions[function], name, outcome

    def test_the_table_has_every_parameter_of_every_function(self):
        wanted = {function: {name for kind, name in parameters if can_be_bad(kind, name)}
                  for function, parameters in self.functions.items()}
        self.assertEqual({function: set(outcomes) for function, outcomes in TABLE.items()}, wanted)

    def check(self, function, arguments, outcome):
        code = getattr(LIBRARY, function)(*arguments)
        if outcome == FINE:
            return
        self.assertEqual(code, INVALID)
        message = arguments[-1]._obj.message.decode()
        self.assertGreater(len(message.split()), 3, message)

    def test_what_has_a_code_to_give_is_invalid_with_a_sentence(self):
        world = World(self.place / "store.db")
        self.addCleanup(world.end)
        within = {"freshet_transaction*", "freshet_tables*"}
        for function, parameters, bad, outcome in self.cases(INVALID, FINE):
            if function in ("freshet_close", "freshet_code_name"):
                getattr(LIBRARY, function)(*[None if kind != "freshet_code" else 77 for kind, _ in parameters])
                continue
            with self.subTest(function=function, parameter=bad):
                if not within & {kind for kind, _ in parameters}:
                    self.check(function, prepared(world, function, parameters, bad), outcome)
                    continue
                problems = []

                def body(_context, transaction, _error, of=(function, parameters, bad, outcome), to=problems):
                    try:
                        self.check(of[0], prepared(world, *of[:3], transaction), of[3])
                    except AssertionError as problem:
                        to.append(problem)
                    return INVALID
                LIBRARY.freshet_write(world.store.handle, BODY(body), None, None)
                self.assertEqual(problems, [])

    def test_what_has_no_code_to_give_stops_the_process_with_a_sentence(self):
        for number, (function, parameters, bad, _) in enumerate(self.cases(STOPS)):
            with self.subTest(function=function, parameter=bad):
                status, said = self.in_a_child(self.place / f"{number}.db", function, parameters, bad)
                self.assertEqual((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, signal.SIGABRT), said)
                self.assertRegex(said, r"^freshet: .*: \w+( \w+)+")

    def in_a_child(self, file, function, parameters, bad):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.dup2(writing, 2)
                getattr(LIBRARY, function)(*prepared(World(file), function, parameters, bad))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "r", encoding="utf-8", errors="replace") as stream:
            said = stream.read()
        return os.waitpid(child, 0)[1], said

    def test_fields_and_elements_are_looked_at_as_arguments_are(self):
        world = World(self.place / "store.db")
        self.addCleanup(world.end)
        store, error = world.store.handle, Error()
        no_names, no_event = (c_char_p * 1)(None), NewEvent(None, b"x", 1)
        for function, *arguments in [
                ("freshet_append", store, b"c", b"i", -1, byref(no_event), 1, None, 0, None),
                ("freshet_append", store, b"c", b"i", -1, byref(NewEvent(b"T", None, 1)), 1, None, 0, None),
                ("freshet_append", store, b"c", b"i", -1, byref(NewEvent(b"T", b"x", NEGATIVE)), 1, None, 0, None),
                ("freshet_append", store, b"c", b"i", -1, new_events("x", correlation=(b"one", None)), 1, None, 0,
                 None),
                ("freshet_read", store, byref(Request(None, 1)), byref(c_void_p())),
                ("freshet_read", store, byref(Request(no_names, 1)), byref(c_void_p())),
                ("freshet_read", store, byref(Request(names("names"), NEGATIVE)), byref(c_void_p())),
                ("freshet_read", store, byref(Request(names("names"), 1, b"c")), byref(c_void_p())),
                ("freshet_read", store, byref(Request(names("names"), 1, None, None, 77)), byref(c_void_p())),
                ("freshet_subscribe_to_changes", store, no_names, 1, TOLD(), None, byref(c_void_p())),
                ("freshet_subscribe_to_events", store, byref(EventsRequest(0, None, None, b"i")), TOLD(), None,
                 byref(c_void_p())),
                ("freshet_subscribe_to_events", store, byref(EventsRequest(0, None, None, None, NEGATIVE)), TOLD(),
                 None, byref(c_void_p())),
                ("freshet_read_log", store, byref(LogRequest(id=b"i")), byref(c_void_p())),
                ("freshet_read_log", store, byref(LogRequest(direction=77)), byref(c_void_p())),
                ("freshet_event_range_begin", store, byref(LogRequest(direction=-1)), byref(c_void_p())),
                ("freshet_query", world.reading, b"SELECT ?", (Value * 1)(Value(77)), 1, byref(c_void_p())),
                ("freshet_query", world.reading, b"SELECT ?", (Value * 1)(Value(3, 0, 0.0, None, 1)), 1,
                 byref(c_void_p())),
                ("freshet_query", world.reading, b"SELECT ?", (Value * 1)(Value(3, 0, 0.0, b"x", NEGATIVE)), 1,
                 byref(c_void_p()))]:
            with self.subTest(function=function, arguments=arguments):
                self.assertEqual(getattr(LIBRARY, function)(*arguments, byref(error)), INVALID)
                self.assertGreater(len(error.message.split()), 3)

    def test_a_projection_without_its_parts_stops_the_process(self):
        for broken in [Projection(None, 1, names("t"), 1, None, CREATE(lambda *_: OK), APPLY(lambda *_: OK)),
                       Projection(b"p", 1, names("t"), 1, None, CREATE(), APPLY(lambda *_: OK)),
                       Projection(b"p", 1, None, 1, None, CREATE(lambda *_: OK), APPLY(lambda *_: OK)),
                       Projection(b"p", 1, names("t"), NEGATIVE, None, CREATE(lambda *_: OK), APPLY(lambda *_: OK))]:
            child = os.fork()
            if child == 0:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                LIBRARY.freshet_options_add_projection(LIBRARY.freshet_options_new(b"x"), byref(broken))
                os._exit(0)
            self.assertEqual(os.WTERMSIG(os.waitpid(child, 0)[1]), signal.SIGABRT)


def main():
    result = unittest.main(verbosity=1, exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
