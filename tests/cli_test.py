#!/usr/bin/env python3
"""Tests of the whole program, as a user runs it: words in, text or JSON out, an exit code.

    FRESHET=BUILD/src/cli/freshet tests/cli_test.py [TEST...]

Each test has a directory of its own. Nothing here sleeps and hopes: what is waited for is a line of
output, an event in the file or the end of a process. Closes with the line 'N passed, N failed'.
"""

import contextlib
import json
import os
import pty
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

FRESHET = os.path.abspath(os.environ.get("FRESHET", "build/src/cli/freshet"))
PATIENCE = 120  # Seconds until a process or a wait counts as stuck, on a machine with other work to do.
REAL_ORDERS = Path(__file__).resolve().parents[2] / "shared/data/orders.jsonl.gz"


class Ran:
    """What a process said, and how it ended."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.out = (completed.stdout or b"").decode("utf-8", "replace")
        self.err = (completed.stderr or b"").decode("utf-8", "replace")

    def __repr__(self):
        return f"exit {self.code}\nout: {self.out}\nerr: {self.err}"


class ProgramTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        self.db = self.path / "freshet.db"
        hidden = {"FRESHET_DB", "FRESHET_SESSION", "NO_COLOR"}
        self.env = {name: value for name, value in os.environ.items() if name not in hidden}

    def run_program(self, *words, **options):
        options = {"cwd": self.path, "env": self.env, "timeout": PATIENCE, "input": b"", **options}
        if "stdin" in options:
            del options["input"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return Ran(subprocess.run([FRESHET, *words], **{**streams, **options}))

    def start(self, *words, **options):
        pipe = subprocess.PIPE
        options = {"cwd": self.path, "env": self.env, "stdin": pipe, "stdout": pipe, "stderr": pipe, **options}
        process = subprocess.Popen([FRESHET, *words], **options)
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def text(self, *words, **options):
        """The text of a command that must succeed."""
        ran = self.run_program(*words, **options)
        self.assertEqual(ran.code, 0, ran)
        return ran.out

    def lines(self, *words, **options):
        """The documents of a command that must succeed, one a line."""
        out = self.text("--json", *words, **options)
        self.assertTrue(out == "" or out.endswith("\n"), out)
        return [json.loads(line) for line in out.split("\n")[:-1]]  # Other ends of lines may stand in a text.

    def ok(self, *words, **options):
        """The one document of a command that must succeed."""
        documents = self.lines(*words, **options)
        self.assertEqual(len(documents), 1, documents)
        return documents[0]

    def fails(self, code, name, *words, **options):
        """The error object of a command that must fail so; nothing may stand on standard output."""
        ran = self.run_program("--json", *words, **options)
        self.assertEqual((ran.code, ran.out), (code, ""), ran)
        error = json.loads(ran.err.splitlines()[-1])["error"]
        self.assertEqual(error["code"], name, ran)
        self.assertTrue(error["message"] and "\n" not in error["message"], ran)
        return error

    def usage(self, *words, **options):
        return self.fails(2, "usage", *words, **options)["message"]

    def place(self, order="1", *words):
        return self.ok("order", "place", order, "--customer", "c9", "--item", "book:1:49.99", *words)

    def order(self, order="1", *words):
        return self.ok("order", "get", order, *words)

    def sql(self, statement, *values):
        connection = sqlite3.connect(self.db, isolation_level=None)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def head(self):
        return self.sql("SELECT coalesce(max(position), 0) FROM events")[0][0] if self.db.exists() else 0

    def wait_until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.005)

    def write_orders(self, count, name="orders.jsonl"):
        """A file that places and pays `count` orders."""
        lines = []
        for number in range(count):
            order = {"at": "2020-01-01T00:00:00Z", "order": f"o{number}"}
            items = [{"sku": "a", "quantity": 1, "unit_price_minor": 250}]
            lines.append({**order, "command": "place", "customer": "c", "currency": "EUR", "items": items})
            lines.append({**order, "command": "pay"})
        return self.write_lines(lines, name)

    def write_lines(self, lines, name="orders.jsonl"):
        file = self.path / name
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return file


class HelpTest(ProgramTest):
    GROUPS = {
        "order": "place pay ship deliver cancel refund import get list stats history",
        "log": "show verify",
        "projection": "list rebuild",
    }

    def test_every_command_has_a_help_with_an_example_that_fits_100_columns(self):
        for group, names in self.GROUPS.items():
            for words in [[group], *[[group, name] for name in names.split()]]:
                text = self.text(*words, "--help")
                self.assertIn("Example:\n  freshet ", text)
                self.assertIn("Usage: freshet " + " ".join(words), text)
                self.assertLessEqual(max(map(len, text.splitlines())), 100, text)
                self.assertIn("\n  freshet " + " ".join(words), text.split("Example:")[1])

    def test_the_programs_help_names_groups_and_global_options_with_defaults(self):
        text = self.text("--help")
        for word in ["-h, --help", "order", "log", "projection", "FRESHET_DB", "--config", "default: 5s",
                     "default: 30s", "--seed"]:
            self.assertIn(word, text)
        self.assertIn("default: 500ms", self.text("order", "get", "--help"))

    def test_the_version_is_shown_as_text_and_as_json(self):
        self.assertRegex(self.text("--version"), r"^freshet \d+\.\d+\.\d+\n(.|\n)*SQLite")
        self.assertTrue(self.ok("--version")["version"].startswith("freshet "))
        self.assertIn("Usage", self.ok("--help")["help"])


class UsageTest(ProgramTest):
    def test_a_misspelt_word_is_answered_with_the_nearest(self):
        self.assertIn("did you mean 'freshet order'?", self.usage("ordr"))
        self.assertIn("did you mean 'freshet order place'?", self.usage("order", "plcae"))
        self.assertIn("did you mean 'freshet order place'?", self.usage("place"))
        self.assertIn("did you mean '--amount'?", self.usage("order", "pay", "1", "--amout", "5"))
        self.assertIn("did you mean '--busy-timeout'?", self.usage("--busy-timeot", "5s", "order", "list"))
        self.assertIn("see 'freshet order list --help'", self.usage("order", "list", "--zzzzzzzzz"))
        for words in [["foo"], ["help"], ["order", "it"], ["order", "get", "--a"]]:
            self.assertNotIn("did you mean", self.usage(*words))

    def test_what_is_missing_or_too_much_is_named(self):
        self.assertRegex(self.usage(), "missing command: 'freshet' takes one of order, .*log, .*projection")
        self.assertIn("takes one of show, verify", self.usage("log"))
        self.assertIn("missing ID", self.usage("order", "get"))
        self.assertIn("missing --customer", self.usage("order", "place", "--item", "a:1:1"))
        self.assertIn("missing --item", self.usage("order", "place", "--customer", "a"))
        self.assertIn("unexpected argument 'x'", self.usage("order", "get", "1", "x"))
        self.assertIn("--reason needs a value", self.usage("order", "cancel", "1", "--reason"))
        self.assertIn("--limit was given more than once", self.usage("order", "list", "--limit", "1", "--limit", "2"))
        self.assertIn("--sync takes no value", self.usage("order", "ship", "1", "--sync=maybe"))
        self.assertIn("missing NAME", self.usage("projection", "rebuild"))
        self.assertIn("exclude each other", self.usage("projection", "rebuild", "orders", "--all"))

    def test_bad_values_are_refused(self):
        get, place = ["order", "get", "1"], ["order", "place", "1", "--customer", "c", "--item", "a:1:1"]
        for words in [
            ["--delay", "5"], ["--delay", "uniform(5ms,1ms)"], ["--delay", "-1ms"], ["--duplicate", "1.5"],
            ["--duplicate", "nan"], ["--redeliver-after", "0ms"], ["--seed", "-1"], ["--seed", "1x"],
            ["--busy-timeout", "soon"], ["--durability", "half"], ["--color", "maybe"], ["--log-level", "loud"],
            ["--db", ""], ["--timeout", "5"], ["--timeout", "25h"], ["--min-version", "-1"], ["--min-version", "x"],
            ["--min-version", "99999999999999999999"], ["--min-position", "1.5"], ["--max-staleness", "1"],
            ["--as-of", "yesterday"], ["--as-of", "2017-02-30"],
        ]:
            self.assertIn(f"bad value '{words[1]}' for {words[0]}: expected", self.usage(*get, *words))
        for words in [["--expect-version", "-1"], ["--idempotency-key", ""], ["--idempotency-key", "k" * 256],
                      ["--at", "noon"], ["--freight", "-1"], ["--freight", "1.234"], ["--currency", "euro"]]:
            self.usage(*place, *words)
        for words in [["list", "--limit", "0"], ["list", "--limit", "10001"], ["list", "--status", "lost"],
                      ["list", "--status", "none"], ["import", "x", "--on-error", "cry"]]:
            self.usage("order", *words)
        for words in [["--from", "0"], ["--limit", "0"], ["--stream", "/1"], ["--stream", "a/"], ["--last", "0"],
                      ["--last", "-1"], ["--last", "9223372036854775808"], ["--category", ""], ["--category", "a/b"]]:
            self.assertIn(f"bad value '{words[1]}' for {words[0]}: expected", self.usage("log", "show", *words))
        for one, other in [(["--last", "1"], ["--from", "1"]), (["--last", "1"], ["--limit", "1"]),
                           (["--stream", "1"], ["--category", "order"])]:
            for words in [[*one, *other], [*other, *one]]:
                self.assertIn("exclude each other: give one of them", self.usage("log", "show", *words))
        self.assertFalse(self.db.exists())

    def test_items_and_amounts_are_checked(self):
        for item in ["", "a", "a:1", ":1:1", "a:0:1", "a:-1:1", "a:1:-1", "a:1:1.234", "a:1:x", "a:1:1,5", "a:x:1",
                     "a:1000000001:1", "a:1:90071992547409.92", "a:1000000000:90071992547409.91", "s" * 201 + ":1:1"]:
            self.usage("order", "place", "1", "--customer", "c", "--item", item)
        self.usage("order", "place", "1", "--customer", "c", "--item", "a:1:90071992547409.91", "--freight", "0.01")
        jpy = ["--currency", "JPY"]
        self.assertIn("book:1:4999, with a quantity from 1 to 1000000000 and a price of 0 to 9007199254740991 JPY",
                      self.usage("order", "place", "1", "--customer", "c", "--item", "a:1:1.5", *jpy))
        self.assertIn("0.00 to 90071992547409.91 EUR", self.usage("order", "place", "1", "--customer", "c", "--item",
                                                                  "a:1:1", "--freight", "90071992547409.92"))
        for time in ["1677-12-31", "2262-01-01"]:
            self.assertIn("from 1678 to 2261", self.usage("order", "pay", "1", "--at", time))
        self.assertFalse(self.db.exists())

    def test_ids_are_checked(self):
        for order in ["", "x" * 201, b"\xff\xfe", "a\nb"]:
            for command in ["get", "history", "pay"]:
                self.usage("order", command, order)
            self.usage("order", "place", order, "--customer", "c", "--item", "a:1:1")
        for customer in ["", "x" * 201, b"\xff"]:
            self.usage("order", "place", "1", "--customer", customer, "--item", "a:1:1")
        self.usage("order", "place", "1", "--customer=", "--item", "a:1:1")
        self.usage("order", "cancel", "1", "--reason", "x" * 4001)

    def test_behind_two_dashes_everything_is_an_argument(self):
        self.assertEqual(self.usage("order", "get", "1", "--", "--strong"),
                         "unexpected argument '--strong': options stand before the --")
        self.assertIn("unexpected argument '--'", self.usage("order", "get", "1", "--", "--", "--", "--"))
        self.assertIn("unexpected argument 'x'", self.usage("order", "get", "1", "--", "--", "x"))

    def test_a_value_beyond_its_bounds_is_told_them(self):
        self.assertIn("up to 24h", self.usage("order", "get", "1", "--timeout", "25h"))
        self.assertIn("from 0 to 9223372036854775807", self.usage("order", "get", "1", "--min-version", str(2**63)))
        self.assertIn("from 0 to 18446744073709551615", self.usage("order", "list", "--seed", str(2**64)))

    def test_freshness_options_exclude_each_other(self):
        options = [["--min-version", "1"], ["--min-position", "1"], ["--max-staleness", "1s"], ["--strong"],
                   ["--read-your-writes"], ["--as-of", "1"]]
        for one in options:
            for other in options:
                if one != other:
                    self.assertIn("exclude each other", self.usage("order", "get", "1", *one, *other))
        self.assertIn("exclude each other", self.usage("order", "list", "--strong", "--min-position", "1"))
        self.usage("order", "stats", "--min-version", "1")

    def test_a_message_does_not_repeat_a_very_long_word_in_full(self):
        message = self.usage("order", "list", "--limit", "x" * 50_000 + "é" * 25_000)
        self.assertRegex(message, r"^bad value 'x+ \[\d+ bytes\] é+' for --limit: expected a whole number")
        self.assertLess(len(message), 2100)

    def test_errors_as_text_are_one_line_on_standard_error(self):
        ran = self.run_program("order", "list", "--limit", "x")
        self.assertEqual((ran.code, ran.out), (2, ""))
        self.assertRegex(ran.err, r"^freshet: bad value 'x' for --limit: [^\n]*\n$")

    def test_json_behind_the_bad_word_still_counts(self):
        ran = self.run_program("order", "list", "--limit", "x", "--json")
        self.assertEqual(json.loads(ran.err)["error"]["code"], "usage")


class OrderCommandTest(ProgramTest):
    def test_an_order_goes_its_way(self):
        self.assertEqual(self.place("123", "--item", "pen:3:1.20", "--freight", "3.50"),
                         {"order_id": "123", "version": 1, "position": 1, "event": "OrderCreated",
                          "status": "created", "duplicate": False})
        self.assertEqual(self.ok("order", "pay", "123")["event"], "OrderPaid")
        self.assertEqual(self.ok("order", "ship", "123", "--carrier", "DHL", "--tracking", "T1")["status"], "shipped")
        self.assertEqual(self.ok("order", "deliver", "123")["version"], 4)
        self.assertEqual(self.ok("order", "refund", "123", "--reason", "broken")["position"], 5)
        order = self.order("123")
        self.assertEqual(order["items"][1], {"sku": "pen", "quantity": 3, "unit_price_minor": 120})
        self.assertEqual((order["amount_minor"], order["freight_minor"], order["paid_minor"]), (5709, 350, 5709))
        self.assertEqual((order["status"], order["version"], order["customer"]), ("refunded", 5, "c9"))

    def test_the_answer_as_text_is_one_line(self):
        words = ["order", "place", "1", "--customer", "c", "--item", "a:1:1"]
        self.assertEqual(self.text(*words), "order 1 is created: OrderCreated, version 1, position 1\n")

    def test_an_id_is_made_up_when_left_out(self):
        first, second = (self.ok("order", "place", "--customer", "c", "--item", "a:1:1") for _ in range(2))
        self.assertNotEqual(first["order_id"], second["order_id"])
        self.assertEqual(self.order(second["order_id"])["status"], "created")

    def test_a_sku_may_hold_colons_and_brackets_and_a_currency_has_its_decimals(self):
        self.ok("order", "place", "1", "--customer", "[c]", "--item", "[a:b]:2:1500", "--currency", "JPY")
        order = self.order("1")
        self.assertEqual((order["amount_minor"], order["items"][0]["sku"]), (3000, "[a:b]"))
        self.assertIn("3000 JPY", self.text("order", "get", "1"))

    def test_the_rules_forbid(self):
        self.place()
        error = self.fails(3, "rejected", "order", "ship", "1")
        self.assertEqual((error["order_id"], error["command"]), ("1", "ship"))
        self.fails(3, "rejected", "order", "place", "1", "--customer", "c", "--item", "a:1:1")
        self.ok("order", "pay", "1")
        self.fails(3, "rejected", "order", "pay", "1")
        self.assertEqual(self.head(), 2)

    def test_an_order_that_does_not_exist_is_not_found(self):
        self.place()
        for command in ["pay", "ship", "deliver", "cancel", "refund"]:
            self.assertIn("'9'", self.fails(5, "not_found", "order", command, "9")["message"])
        self.fails(5, "not_found", "order", "pay", "9", "--amount", "5")

    def test_an_expected_version_that_does_not_match_is_a_conflict(self):
        self.place()
        error = self.fails(4, "version_conflict", "order", "pay", "7", "--expect-version", "2")
        self.assertTrue(error["message"].startswith("order '7' does not exist and is at version 0, not at version 2"))
        error = self.fails(4, "version_conflict", "order", "pay", "1", "--expect-version", "2")
        self.assertEqual((error["expected_version"], error["actual_version"]), (2, 1))
        self.assertEqual(self.ok("order", "pay", "1", "--expect-version", "1")["version"], 2)
        self.assertEqual(self.place("2", "--expect-version", "0")["version"], 1)

    def test_an_idempotency_key_answers_a_retry_as_before(self):
        self.place()
        refusal = self.fails(3, "rejected", "order", "ship", "1", "--idempotency-key", "early")
        first = self.ok("order", "pay", "1", "--idempotency-key", "k")
        again = self.ok("order", "pay", "1", "--idempotency-key", "k")
        self.assertEqual(again, {**first, "duplicate": True})
        refused_again = {**refusal, "duplicate": True, "message": refusal["message"] + " (as answered before)"}
        self.assertFalse(refusal["duplicate"])
        self.assertEqual(self.fails(3, "rejected", "order", "ship", "1", "--idempotency-key", "early"), refused_again)
        self.assertEqual(self.head(), 2)

    def key_reused(self, *words):
        return self.fails(2, "key_reused", "order", *words, "--idempotency-key", "k")

    def test_a_key_that_was_given_to_another_command_is_refused_with_what_it_was_used_for(self):
        self.place()
        self.ok("order", "pay", "1", "--amount", "49.99", "--idempotency-key", "k")
        error = self.key_reused("ship", "1")
        self.assertEqual((error["idempotency_key"], error["stream"], error["command"]), ("k", "order/1", "pay"))
        self.assertIn("was used for 'pay 1': take a new key", error["message"])
        self.assertIn("'pay 1' with other arguments", self.key_reused("pay", "1", "--amount", "50")["message"])
        self.assertIn("'pay 1' with other arguments", self.key_reused("pay", "1")["message"])
        self.assertEqual(self.key_reused("pay", "9", "--amount", "49.99")["stream"], "order/1")
        self.assertEqual(self.key_reused("place", "--customer", "c", "--item", "a:1:1")["command"], "pay")
        again = self.ok("order", "pay", "1", "--amount", "49.99", "--idempotency-key", "k", "--no-drain", "--sync",
                        "--expect-version", "7")
        self.assertEqual((again["duplicate"], again["version"]), (True, 2))
        self.assertEqual(self.head(), 2)

    def test_an_id_that_is_given_is_an_argument_and_one_that_is_made_up_is_none(self):
        words = ("place", "--customer", "c", "--item", "a:1:1")
        first = self.ok("order", *words, "--idempotency-key", "k")
        self.assertEqual(self.ok("order", *words, "--idempotency-key", "k"), {**first, "duplicate": True})
        self.assertEqual(self.key_reused("place", first["order_id"], *words[1:])["command"], "place")
        self.assertEqual(self.key_reused(*words, "--at", "2017-10-02T10:56:33Z")["command"], "place")
        self.assertEqual(self.head(), 1)

    def test_a_payment_may_differ_from_the_amount_and_keeps_to_the_currency(self):
        self.place()
        self.assertIn("EUR has 2 decimals", self.usage("order", "pay", "1", "--amount", "1.234"))
        self.usage("order", "pay", "1", "--amount", "-1")
        self.usage("order", "pay", "1", "--amount", "90071992547409.92")
        self.ok("order", "pay", "1", "--amount", "50")
        self.assertEqual(self.ok("order", "stats")["revenue"], [{"currency": "EUR", "amount_minor": 5000}])

    def test_at_says_when_it_happened(self):
        self.place("1", "--at", "2017-10-02T12:56:33+02:00")
        event = self.ok("order", "history", "1")
        self.assertEqual(event["at"], "2017-10-02T10:56:33.000000Z")
        self.assertNotEqual(event["recorded_at"], event["at"])

    def test_sync_leaves_no_window(self):
        self.place("1", "--sync", "--no-drain", "--delay", "1h")
        self.assertFalse(self.order("1")["freshness"]["stale"])
        self.ok("order", "pay", "1", "--no-drain", "--delay", "1h")
        self.assertTrue(self.order("1")["freshness"]["stale"])
        self.ok("order", "ship", "1", "--sync", "--no-drain", "--delay", "1h")
        self.assertEqual(self.order("1")["status"], "shipped")

    def test_the_answer_comes_before_the_delivery_and_the_process_waits_for_that(self):
        process = self.start("--json", "order", "place", "1", "--customer", "c", "--item", "a:1:1", "--delay", "2s")
        self.assertEqual(json.loads(process.stdout.readline())["position"], 1)
        self.assertIsNone(process.poll())
        self.fails(5, "not_found", "order", "get", "1")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(self.order("1")["status"], "created")

    def test_only_place_and_import_make_a_file(self):
        for command in ["pay", "ship", "deliver", "cancel", "refund"]:
            self.fails(1, "file_missing", "order", command, "1")
        self.assertEqual(list(self.path.iterdir()), [])


class OrderQueryTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.place("1", "--at", "2020-01-01T00:00:00Z")
        self.ok("order", "pay", "1", "--at", "2020-01-02T00:00:00Z")

    def fall_behind(self):
        """Ships order 1 and leaves the read tables at version 2."""
        self.ok("order", "ship", "1", "--no-drain", "--delay", "1h")

    def test_get_says_how_fresh_it_is(self):
        self.assertEqual(self.order()["freshness"], {
            "source": "read_model", "stale": False, "version": 2, "latest_version": 2, "behind_events": 0,
            "behind_ms": 0.0, "waited_ms": 0.0})
        self.fall_behind()
        order = self.order()
        self.assertEqual((order["status"], order["version"]), ("paid", 2))
        freshness = order["freshness"]
        self.assertEqual((freshness["stale"], freshness["latest_version"], freshness["behind_events"]), (True, 3, 1))
        self.assertGreater(freshness["behind_ms"], 0)
        self.assertEqual(len(order["warnings"]), 1)

    def test_get_as_text(self):
        fresh = self.run_program("order", "get", "1")
        self.assertRegex(fresh.out, r"status +paid\namount +49\.99 EUR\n")
        self.assertIn("1 x book at 49.99 EUR", fresh.out)
        self.assertIn("fresh, from the read tables", fresh.out)
        self.assertEqual(fresh.err, "")
        self.fall_behind()
        stale = self.run_program("order", "get", "1")
        self.assertIn("STALE: shows version 2 of 3", stale.out)
        self.assertTrue(stale.err.startswith("warning: "), stale)

    def test_waiting_reads_wait_and_see(self):
        for words in [["--min-version", "2"], ["--min-position", "HERE"], ["--strong"], ["--max-staleness", "0ms"]]:
            with self.subTest(words):
                order = "order" + "".join(words)
                self.place(order)
                place = self.ok("order", "pay", order, "--no-drain", "--delay", "1h")["position"]
                words = [word.replace("HERE", str(place)) for word in words]
                answer = self.order(order, *words, "--timeout", "20s")
                self.assertEqual((answer["version"], answer["freshness"]["stale"]), (2, False))

    def test_a_wait_that_ends_in_vain_gives_the_stale_answer_with_a_warning(self):
        self.fall_behind()
        late = ["--timeout", "20ms", "--delay", "1h"]
        order = self.order("1", "--min-version", "3", *late)
        self.assertEqual((order["version"], order["freshness"]["stale"]), (2, True))
        self.assertGreaterEqual(order["freshness"]["waited_ms"], 20)
        self.assertIn("version 3", order["warnings"][0])
        error = self.fails(6, "stale", "order", "get", "1", "--strong", "--require-fresh", *late)
        self.assertEqual(error["freshness"]["latest_version"], 3)
        for words in [["list"], ["stats"]]:
            error = self.fails(6, "stale", "order", *words, "--min-position", "3", "--require-fresh", *late)
            self.assertEqual((error["freshness"]["position"], error["freshness"]["head"]), (2, 3))

    def test_a_version_that_nobody_wrote_is_said_to_be_missing(self):
        order = self.order("1", "--min-version", "9", "--timeout", "5ms")
        self.assertIn("no version 9", order["warnings"][0])

    def test_read_your_writes_replays_the_log(self):
        self.fall_behind()
        order = self.order("1", "--read-your-writes", "--require-fresh")
        self.assertEqual((order["status"], order["freshness"]["source"]), ("shipped", "event_log"))

    def test_as_of_shows_the_order_as_it_was(self):
        self.assertEqual(self.order("1", "--as-of", "1")["status"], "created")
        self.assertEqual(self.order("1", "--as-of", "2020-01-01T12:00:00Z")["version"], 1)
        self.assertEqual(self.order("1", "--as-of", "2020-01-02")["version"], 2)
        for moment in ["0", "3", "2019-12-31T23:59:59Z"]:
            self.fails(5, "not_found", "order", "get", "1", "--as-of", moment)

    def test_an_unknown_order_is_not_found(self):
        self.fails(5, "not_found", "order", "history", "9")
        for words in [[], ["--read-your-writes"], ["--as-of", "1"], ["--strong"]]:
            self.fails(5, "not_found", "order", "get", "9", *words)

    def test_an_order_that_only_the_log_has_is_not_found_and_the_way_out_is_told(self):
        self.place("2", "--no-drain", "--delay", "1h")
        error = self.fails(5, "not_found", "order", "get", "2")
        self.assertIn("--read-your-writes or --min-version 1", error["message"])
        self.assertEqual((error["latest_version"], error["freshness"]["stale"]), (1, True))
        self.fails(6, "stale", "order", "get", "2", "--require-fresh")
        self.assertEqual(self.order("2", "--min-version", "1", "--timeout", "20s")["version"], 1)

    def test_an_order_that_never_came_says_what_was_waited_for(self):
        error = self.fails(6, "stale", "order", "get", "zz", "--min-version", "1", "--timeout", "10ms",
                           "--require-fresh")
        self.assertTrue(error["warnings"], error)
        self.assertIn("no such order 'zz'", error["message"])
        self.assertIn(error["warnings"][0], error["message"])

    def test_list_filters_and_pages(self):
        for number in range(2, 6):
            self.place(str(number), "--at", f"2020-02-0{number}T00:00:00Z")
        self.ok("order", "place", "6", "--customer", "other", "--item", "a:1:1")
        ids = lambda page: [order["order_id"] for order in page["orders"]]
        self.assertEqual(ids(self.ok("order", "list", "--status", "paid")), ["1"])
        self.assertEqual(ids(self.ok("order", "list", "--customer", "other")), ["6"])
        self.assertEqual(ids(self.ok("order", "list", "--customer", "nobody")), [])
        seen, words = [], []
        while True:
            page = self.ok("order", "list", "--limit", "2", *words)
            self.assertLessEqual(len(page["orders"]), 2)
            seen += ids(page)
            if page["next"] is None:
                break
            words = ["--after", page["next"]]
        self.assertEqual(sorted(seen), ["1", "2", "3", "4", "5", "6"])
        self.usage("order", "list", "--after", "nonsense")
        self.assertEqual(page["freshness"]["position"], page["freshness"]["head"])

    def test_list_and_stats_as_text(self):
        listed = self.text("order", "list")
        self.assertRegex(listed, r"ORDER +STATUS +AMOUNT .*\n1 +paid +49\.99 EUR +c9 +2 +2020-01-01T")
        text = self.text("order", "stats")
        for line in ["orders 1", "  paid  1", "  49.99 EUR", "2020-01-02", "fresh, from the read tables"]:
            self.assertIn(line, text)

    def test_stats_count_orders_and_revenue(self):
        stats = self.ok("order", "stats", "--strong")
        self.assertEqual((stats["orders"], stats["by_status"]), (1, {"paid": 1}))
        self.assertEqual(stats["by_day"], [
            {"day": "2020-01-01", "currency": "EUR", "orders": 1, "revenue_minor": 0},
            {"day": "2020-01-02", "currency": "EUR", "orders": 0, "revenue_minor": 4999}])
        self.ok("order", "refund", "1")
        self.assertEqual(self.ok("order", "stats")["revenue"], [{"currency": "EUR", "amount_minor": 0}])

    def test_history_is_one_line_an_event(self):
        created, paid = self.lines("order", "history", "1")
        self.assertEqual(created["data"]["amount_minor"], 4999)
        self.assertEqual({name: paid[name] for name in ["position", "order_id", "version", "event", "at"]},
                         {"position": 2, "order_id": "1", "version": 2, "event": "OrderPaid",
                          "at": "2020-01-02T00:00:00.000000Z"})
        self.assertEqual(len(self.text("order", "history", "1").splitlines()), 2)

    def test_queries_write_nothing(self):
        self.fall_behind()
        before = self.db.read_bytes()
        self.order()
        self.ok("order", "list")
        self.ok("order", "stats")
        self.order("1", "--read-your-writes")
        self.assertEqual(self.sql("SELECT max(position) FROM projections")[0][0], 2)
        self.assertEqual(self.db.read_bytes(), before)


class ImportTest(ProgramTest):
    def counts(self, document):
        return [document[name] for name in ["lines", "applied", "duplicates", "rejected", "invalid"]]

    def test_a_file_is_carried_out_and_a_second_time_changes_nothing(self):
        file = self.write_orders(600)
        first = self.ok("order", "import", file)
        self.assertEqual(self.counts(first), [1200, 1200, 0, 0, 0])
        self.assertGreater(first["seconds"], 0)
        self.assertEqual(self.counts(self.ok("order", "import", file)), [1200, 0, 1200, 0, 0])
        stats = self.ok("order", "stats")
        self.assertEqual((stats["by_status"], stats["revenue"][0]["amount_minor"]), ({"paid": 600}, 600 * 250))
        self.assertEqual(self.ok("log", "verify"), {"events": 1200, "streams": 600, "problems": []})

    def test_standard_input_is_read_and_bad_lines_are_reported_by_number(self):
        lines = b'{"at": "2020-01-01", "command": "pay", "order": "9"}\nnonsense\n'
        ran = self.run_program("order", "import", "-", "--json", input=lines)
        self.assertEqual((ran.code, self.counts(json.loads(ran.out))), (0, [2, 0, 0, 1, 1]), ran)
        self.assertIn("line 1: rejected: ", ran.err)
        self.assertIn("line 2: invalid: ", ran.err)

    def test_on_error_stop_ends_there_and_keeps_what_came_before(self):
        good = {"at": "2020-01-01", "command": "place", "order": "1", "customer": "c", "currency": "EUR",
                "items": [{"sku": "a", "quantity": 1, "unit_price_minor": 1}]}
        bad = {"at": "2020-01-01", "command": "ship", "order": "1"}
        error = self.fails(3, "rejected", "order", "import", self.write_lines([good, bad, good]), "--on-error", "stop")
        self.assertEqual((error["line"], error["applied"], error["rejected"]), (2, 1, 1))
        self.assertEqual(self.order("1")["status"], "created")
        file = self.write_lines([good, {"command": "?"}], "invalid.jsonl")
        error = self.fails(2, "usage", "order", "import", file, "--on-error", "stop")
        self.assertEqual((error["line"], error["duplicates"], error["invalid"]), (2, 1, 1))
        ran = self.run_program("order", "import", file, "--on-error", "stop")
        self.assertRegex(ran.err, r"^freshet: line 2: invalid: [^\n]*\n$")

    def test_a_file_that_cannot_be_read_is_an_error_and_makes_no_database(self):
        self.fails(1, "io_error", "order", "import", "missing.jsonl")
        self.fails(1, "io_error", "order", "import", self.path)
        self.assertFalse(self.db.exists())

    def test_a_line_without_an_end_is_an_error_with_its_number(self):
        error = self.fails(2, "usage", "order", "import", "/dev/zero")
        self.assertIn("line 1: invalid: no end within", error["message"])
        self.assertEqual((error["line"], self.counts(error)), (1, [1, 0, 0, 0, 1]))
        self.assertIn("line 1: longer than 33554432 bytes", self.usage("log", "import", "/dev/zero"))

    def test_a_signal_ends_an_import_inside_a_line_that_is_too_long(self):
        process = self.start("order", "import", "-")
        process.stdin.write(b"x" * (40 << 20))
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)

    def test_the_database_itself_is_no_input(self):
        self.place()
        os.symlink(self.db, self.path / "link")
        for words in (["order", "import"], ["log", "import"], ["run"]):
            for name in (self.db, "link"):
                self.assertIn("it is the database itself", self.usage(*words, name))

    def test_a_pipe_that_nobody_writes_to_is_waited_for_until_a_signal(self):
        pipe = self.path.resolve() / "pipe"
        os.mkfifo(pipe)
        process = self.start("order", "import", pipe)
        files = Path(f"/proc/{process.pid}/fd")
        self.wait_until(lambda: any(file.is_fifo() and file.samefile(pipe) for file in files.iterdir()))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)

    def test_a_standard_input_that_is_closed_is_an_error(self):
        for words in [["order", "import", "-"], ["log", "import", "-"], ["run", "-"], ["shell"]]:
            ran = self.run_program(*words, stdin=None, preexec_fn=lambda: os.close(0))
            self.assertEqual((ran.code, ran.err), (1, "freshet: cannot read standard input: Bad file descriptor\n"))

    def test_an_empty_file_is_no_lines(self):
        self.assertEqual(self.counts(self.ok("order", "import", "-")), [0, 0, 0, 0, 0])

    def test_delays_and_duplicates_change_nothing(self):
        file = self.write_orders(50)
        self.ok("order", "import", file, "--delay", "exponential(2ms)", "--duplicate", "0.3", "--seed", "7")
        self.assertEqual(self.ok("order", "stats", "--strong")["revenue"][0]["amount_minor"], 50 * 250)
        self.assertEqual(self.ok("log", "verify")["problems"], [])

    def interrupt(self, how):
        """Starts an import that never ends, and sends the signal once something of it is in the file."""
        lines = self.write_orders(1000).read_bytes()
        process = self.start("--json", "order", "import", "-")
        process.stdin.write(lines)
        process.stdin.flush()
        self.wait_until(lambda: self.head() > 0)
        process.send_signal(how)
        return process

    def finish_import(self):
        done = self.counts(self.ok("order", "import", self.path / "orders.jsonl"))
        self.assertEqual((done[0], done[1] + done[2]), (2000, 2000))
        self.assertEqual(self.ok("order", "stats", "--strong")["by_status"], {"paid": 1000})
        self.assertEqual(self.ok("log", "verify")["events"], 2000)

    def test_an_import_ends_well_at_a_signal_and_can_be_run_again(self):
        process = self.interrupt(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)
        self.assertEqual(process.stdout.read(), b"")
        error = json.loads(process.stderr.read())["error"]
        self.assertEqual((error["code"], error["applied"]), ("interrupted", self.head()))
        self.finish_import()

    def test_sigterm_ends_it_as_well(self):
        self.assertEqual(self.interrupt(signal.SIGTERM).wait(PATIENCE), 143)
        self.finish_import()

    def test_an_import_that_was_killed_can_be_run_again(self):
        self.interrupt(signal.SIGKILL).wait(PATIENCE)
        self.finish_import()

    @unittest.skipUnless(REAL_ORDERS.exists() and os.environ.get("FRESHET_REAL_DATA"), "wants FRESHET_REAL_DATA")
    def test_real_orders(self):
        import gzip
        lines = gzip.decompress(REAL_ORDERS.read_bytes())
        self.assertEqual(self.counts(self.ok("order", "import", "-", input=lines)), [18936, 18899, 0, 37, 0])
        stats = self.ok("order", "stats", "--strong")
        self.assertEqual(stats["by_status"], {"created": 3, "paid": 214, "shipped": 283, "delivered": 4151,
                                              "cancelled": 349})
        self.assertEqual(stats["revenue"], [{"currency": "BRL", "amount_minor": 84160171}])


class LogTest(ProgramTest):
    def test_show_prints_events_in_order(self):
        self.place("1")
        self.place("2")
        self.ok("order", "pay", "1")
        events = self.lines("log", "show")
        self.assertEqual([(event["position"], event["stream"], event["version"]) for event in events],
                         [(1, "order/1", 1), (2, "order/2", 1), (3, "order/1", 2)])
        self.assertEqual((events[2]["event"], events[2]["metadata"]), ("OrderPaid", None))
        self.assertEqual(events[2]["data"], {"amount_minor": 4999, "currency": "EUR"})
        positions = lambda *words: [event["position"] for event in self.lines("log", "show", *words)]
        self.assertEqual(positions("--from", "2"), [2, 3])
        self.assertEqual(positions("--from", "2", "--limit", "1"), [2])
        self.assertEqual(positions("--stream", "1"), [1, 3])
        self.assertEqual(positions("--stream", "order/1", "--from", "2"), [3])
        self.assertEqual(positions("--from", "4"), [])
        self.assertIn("the log ends at 3", self.usage("log", "show", "--from", "5"))
        self.assertIn("the log ends at 3", self.usage("log", "show", "--from", "5", "--follow"))
        self.assertEqual(len(self.text("log", "show").splitlines()), 3)
        self.fails(5, "not_found", "log", "show", "--stream", "9")

    def write_two_categories(self):
        """Orders at 1, 3 and 5, notes at 2 and 4."""
        note = lambda number: (f"n{number}", "Noted", {}, {"stream": f"note/n{number}"})
        order = lambda number: (f"o{number}", "OrderCreated", self.CREATED, {})
        self.ok("log", "import", self.write_events(order(1), note(1), order(2), note(1), order(3)))

    def positions(self, *words):
        return [event["position"] for event in self.lines("log", "show", *words)]

    def test_show_last_is_the_end_of_what_there_is_the_oldest_first(self):
        self.write_two_categories()
        for words, positions in [
                (["1"], [5]), (["3"], [3, 4, 5]), (["5"], [1, 2, 3, 4, 5]), (["9223372036854775807"], [1, 2, 3, 4, 5]),
                (["1", "--category", "note"], [4]), (["2", "--category", "order"], [3, 5]),
                (["9", "--category", "order"], [1, 3, 5]), (["1", "--stream", "note/n1"], [4]),
                (["9", "--stream", "o2"], [3])]:
            with self.subTest(words=words):
                self.assertEqual(self.positions("--last", *words), positions)
        self.assertEqual(len(self.text("log", "show", "--last", "2").splitlines()), 2)
        self.fails(5, "not_found", "log", "show", "--last", "1", "--stream", "o9")

    def test_show_category_leaves_the_others_out(self):
        self.write_two_categories()
        self.assertEqual(self.positions("--category", "note"), [2, 4])
        self.assertEqual(self.positions("--category", "order", "--from", "2", "--limit", "1"), [3])
        self.assertEqual(self.positions("--category", "order", "--from", "6"), [])
        self.assertEqual(self.positions("--category", "note", "--follow", "--limit", "2"), [2, 4])
        self.assertIn("no such category 'notes'",
                      self.fails(5, "not_found", "log", "show", "--category", "notes")["message"])

    def test_follow_begins_with_the_last_events_and_goes_on_without_a_gap(self):
        self.write_two_categories()
        process = self.start("--json", "log", "show", "--follow", "--last", "2", "--category", "order")
        position = lambda: json.loads(process.stdout.readline())["position"]
        self.assertEqual([position(), position()], [3, 5])
        self.place("7")
        self.ok("order", "pay", "7")
        self.assertEqual([position(), position()], [6, 7])
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.wait(PATIENCE), process.stdout.read()), (0, b""))

    def test_follow_of_the_last_event_of_an_order_waits_for_it(self):
        self.write_two_categories()
        process = self.start("--json", "log", "show", "--follow", "--last", "1", "--stream", "2024/1")
        self.place("2024/0")
        self.place("2024/1")
        self.assertEqual(json.loads(process.stdout.readline())["stream"], "order/2024/1")

    def test_show_takes_the_id_of_an_order_with_a_slash(self):
        self.place("p/q")
        for stream in ["p/q", "order/p/q"]:
            self.assertEqual([event["stream"] for event in self.lines("log", "show", "--stream", stream)],
                             ["order/p/q"])
        followed = self.lines("log", "show", "--stream", "p/q", "--follow", "--limit", "1")
        self.assertEqual(followed[0]["stream"], "order/p/q")
        self.assertIn("'p/r'", self.fails(5, "not_found", "log", "show", "--stream", "p/r")["message"])

    def test_follow_waits_for_an_order_with_a_slash_that_does_not_exist_yet(self):
        self.place("1")
        process = self.start("--json", "log", "show", "--follow", "--stream", "2024/2", "--limit", "2")
        self.place("2024/1")
        self.place("2024/2")
        self.ok("order", "pay", "2024/2")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual([json.loads(line)["event"] for line in process.stdout], ["OrderCreated", "OrderPaid"])

    def write_events(self, *events):
        """A log to import, of (order, event, data, more) each."""
        versions, lines = {}, []
        for order, event, data, more in events:
            versions[order] = versions.get(order, 0) + 1
            line = {"position": len(lines) + 1, "stream": f"order/{order}", "version": versions[order], "type": event,
                    "occurred_at": "2024-01-02T00:00:00Z", "recorded_at": "2024-01-02T00:00:00Z", "data": data}
            lines.append({**line, **more})
        return self.write_lines(lines)

    CREATED = {"customer": "c", "currency": "EUR", "items": [{"sku": "a", "quantity": 1, "unit_price_minor": 100}],
               "freight_minor": 0, "amount_minor": 100}

    def test_dead_letters_take_the_id_of_an_order_with_a_slash(self):
        self.run_program("log", "import", self.write_events(("2024/001", "OrderPaid", {}, {})))
        letters = lambda stream: self.ok("projection", "dead-letters", "--stream", stream)["dead_letters"]
        for stream in ["2024/001", "order/2024/001"]:
            self.assertEqual(len(letters(stream)), 2)
        message = self.fails(5, "not_found", "order", "get", "2024/001")["message"]
        self.assertIn("has 2 dead letters", message)
        self.assertEqual(self.ok("projection", "dead-letters", "discard", "--stream", "2024/001"), {"discarded": 2})
        message = self.fails(5, "not_found", "order", "get", "2024/001")["message"]
        self.assertIn("its dead letters were discarded", message)
        self.assertNotIn("--min-version", message)

    def test_events_of_a_newer_release_are_refused_and_never_shown_as_fresh(self):
        newer = [("A", "OrderCreated", self.CREATED, {}), ("A", "OrderNoted", {"note": "newer"}, {}),
                 ("B", "OrderCreated", self.CREATED, {"schema_version": 2})]
        self.run_program("log", "import", self.write_events(*newer))
        shown = self.order("A", "--min-version", "2")
        self.assertEqual((shown["version"], shown["freshness"]["stale"]), (1, True))
        for order in ["A", "B"]:
            self.assertIn("use a newer release", self.fails(1, "unsupported_format", "order", "pay", order)["message"])
        self.assertTrue(self.ok("order", "stats")["freshness"]["stale"])
        self.assertEqual(self.ok("log", "verify")["problems"], [])
        self.assertEqual(len(self.lines("log", "show")), 3)
        self.assertEqual(len(self.lines("order", "history", "A")), 2)

    def test_one_event_from_the_future_dates_no_other(self):
        self.place("A")
        paid = {"position": 2, "stream": "order/A", "version": 2, "type": "OrderPaid",
                "occurred_at": "2024-01-01T00:00:00Z", "recorded_at": "2099-01-01T00:00:00Z",
                "data": {"amount_minor": 4999, "currency": "EUR"}}
        imported = self.run_program("log", "import", self.write_lines([paid]))
        self.assertEqual(imported.code, 0, imported)
        self.assertIn("position 2 is recorded at 2099-01-01T00:00:00.000000Z, and the clock shows 2", imported.err)
        self.place("B")
        self.ok("order", "pay", "B")
        events = self.lines("order", "history", "B")
        self.assertTrue(all(event["at"] < "2099" <= event["recorded_at"] for event in events), events)
        self.assertEqual([day["day"] < "2099" for day in self.ok("order", "stats", "--strong")["by_day"]], [True] * 2)
        self.assertEqual(self.order("B", "--as-of", "2098-01-01")["version"], 2)
        self.assertEqual(self.order("B", "--as-of", "1")["freshness"]["behind_ms"], 0.0)
        self.text("order", "place", "C", "--customer", "c", "--item", "a:1:1", "--no-drain", "--delay", "1h")
        self.fails(6, "stale", "order", "list", "--max-staleness", "1s", "--timeout", "0s", "--require-fresh",
                   "--delay", "1h")

    def test_as_of_a_time_says_what_it_leaves_out(self):
        self.place("1", "--at", "2024-03-01")
        self.ok("order", "pay", "1", "--at", "2024-01-01")
        self.ok("order", "ship", "1", "--at", "2024-05-01")
        error = self.fails(5, "not_found", "order", "get", "1", "--as-of", "2024-02-01")
        self.assertIn("did not exist at 2024-02-01T00:00:00.000000Z: version 2 had happened by then", error["message"])
        shown = self.order("1", "--as-of", "2024-04-01")
        self.assertEqual((shown["version"], shown["warnings"]), (2, []))

    def test_the_source_of_an_export_is_a_uri(self):
        self.place()
        export = ["log", "export", "--format", "cloudevents", "--source"]
        for source in ["a b", "", "ä", "a\\b", "<x>"]:
            self.assertIn("expected a URI", self.usage(*export, source))
        for source in ["https://example.com/a?b=c#d", "urn:x:1", "/shop", "a%20b"]:
            self.assertEqual(self.lines(*export, source)[0]["source"], source)

    def test_a_long_log_is_shown_whole(self):
        self.ok("order", "import", self.write_orders(600))
        self.assertEqual([event["position"] for event in self.lines("log", "show")], list(range(1, 1201)))

    def test_text_with_quotes_and_line_ends_stays_on_its_line(self):
        self.place()
        self.text("order", "cancel", "1", "--reason", 'a "quoted"\nreason')
        cancelled = self.lines("log", "show")[1]
        self.assertEqual(cancelled["data"]["reason"], 'a "quoted"\nreason')
        self.assertEqual(len(self.text("log", "show").splitlines()), 2)

    def test_follow_shows_new_events_until_ctrl_c(self):
        self.place("1")
        process = self.start("--json", "log", "show", "--follow")
        self.assertEqual(json.loads(process.stdout.readline())["position"], 1)
        self.place("2")
        self.assertEqual(json.loads(process.stdout.readline())["stream"], "order/2")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(process.stderr.read(), b"")

    def test_follow_waits_for_a_stream_that_does_not_exist_yet_and_ends_at_its_limit(self):
        self.place("1")
        process = self.start("--json", "log", "show", "--follow", "--stream", "2", "--limit", "1")
        self.place("2")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(json.loads(process.stdout.read())["stream"], "order/2")

    def test_follow_ends_when_nobody_reads_any_more(self):
        self.place("1")
        process = self.start("log", "show", "--follow")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_verify_finds_a_damaged_event(self):
        self.place()
        self.ok("order", "pay", "1")
        self.assertEqual(self.ok("log", "verify"), {"events": 2, "streams": 1, "problems": []})
        self.assertIn("no problems", self.text("log", "verify"))
        self.sql("DROP TRIGGER events_are_not_updated")
        self.sql("UPDATE events SET data = replace(data, '4999', '1999') WHERE position = 2")
        error = self.fails(7, "corrupt", "log", "verify")
        self.assertEqual((error["events"], error["streams"]), (2, 1))
        self.assertTrue(any("2" in problem for problem in error["problems"]), error)
        self.fails(7, "corrupt", "order", "history", "1")

    def test_verify_finds_read_tables_that_differ_from_a_replay(self):
        self.place()
        table = self.sql("SELECT name FROM sqlite_master WHERE sql LIKE '%order_id TEXT%'")[0][0]
        self.sql(f'UPDATE "{table}" SET customer = \'thief\'')
        self.assertTrue(self.fails(7, "corrupt", "log", "verify")["problems"])
        self.ok("projection", "rebuild", "orders")
        self.assertEqual(self.ok("log", "verify")["problems"], [])


class ProjectionTest(ProgramTest):
    def test_list_says_how_far_each_is(self):
        self.place()
        self.ok("order", "pay", "1", "--no-drain", "--delay", "1h")
        orders, revenue = self.ok("projection", "list")["projections"]
        behind_ms = orders.pop("behind_ms")
        self.assertGreater(behind_ms, 0)
        self.assertEqual(orders, {"name": "orders", "schema_version": 1, "mode": "async", "position": 1, "head": 2,
                                  "behind_events": 1, "duplicates_skipped": 0, "dead_letters": 0,
                                  "projected_by": None})
        self.assertEqual(revenue["name"], "revenue")
        self.assertRegex(self.text("projection", "list"), r"orders +1 +async +1 of 2 +1 ")

    def test_rebuild_gives_the_same_tables(self):
        self.ok("order", "import", self.write_orders(30))
        before = self.ok("order", "stats")
        one = self.ok("projection", "rebuild", "orders")["rebuilt"]
        self.assertEqual([(rebuilt["name"], rebuilt["events"]) for rebuilt in one], [("orders", 60)])
        names = [rebuilt["name"] for rebuilt in self.ok("projection", "rebuild", "--all")["rebuilt"]]
        self.assertEqual(names, ["orders", "revenue"])
        self.assertEqual(self.ok("order", "stats"), before)
        self.assertIn("from 60 events", self.text("projection", "rebuild", "revenue"))

    def test_an_unknown_projection_is_not_found(self):
        self.place()
        self.assertIn("orders, revenue", self.fails(5, "not_found", "projection", "rebuild", "sales")["message"])


class FileTest(ProgramTest):
    READS = [["order", "get", "1"], ["order", "get", "1", "--strong"], ["order", "list"], ["order", "stats"],
             ["order", "history", "1"], ["log", "show"], ["log", "verify"], ["projection", "list"],
             ["projection", "rebuild", "--all"]]
    PLACE = ["order", "place", "1", "--customer", "c", "--item", "a:1:1"]

    def test_a_reading_command_makes_no_file(self):
        for words in self.READS:
            self.assertIn("freshet.db", self.fails(1, "file_missing", *words)["message"])
        self.assertEqual(list(self.path.iterdir()), [])

    def test_the_option_goes_before_the_environment_and_that_before_the_default(self):
        self.env["FRESHET_DB"] = "env.db"
        self.ok(*self.PLACE)
        self.ok(*self.PLACE, "--db", "option.db")
        self.assertTrue((self.path / "env.db").exists() and (self.path / "option.db").exists())
        self.assertFalse(self.db.exists())

    def test_a_missing_directory_and_a_directory_are_errors(self):
        self.fails(1, "io_error", "--db", "missing/x.db", *self.PLACE)
        self.fails(1, "not_a_database", "--db", ".", *self.PLACE)

    def test_what_is_no_database_is_left_alone(self):
        for content in [b"not a database at all, and long enough to be looked at" * 20, b"short"]:
            self.db.write_bytes(content)
            for words in [self.PLACE, *self.READS]:
                message = self.fails(1, "not_a_database", *words)["message"]
                self.assertIn("is no database: name a store's file, or one that does not exist yet", message)
            self.assertEqual(self.db.read_bytes(), content)

    def test_a_foreign_database_is_left_alone(self):
        self.sql("CREATE TABLE songs (title TEXT)")
        before = self.db.read_bytes()
        for words in [self.PLACE, ["order", "list"], ["log", "verify"]]:
            self.fails(1, "not_a_database", *words)
        self.assertEqual(self.db.read_bytes(), before)

    def test_a_newer_format_is_left_alone(self):
        self.place()
        self.sql("PRAGMA user_version = 99")
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        before = self.db.read_bytes()
        for words in [self.PLACE, ["order", "list"], ["log", "verify"]]:
            self.fails(1, "unsupported_format", *words)
        self.assertEqual(self.db.read_bytes(), before)

    @unittest.skipIf(os.geteuid() == 0, "root may write everything")
    def test_a_read_only_file_is_an_error_for_commands(self):
        self.place()
        self.db.chmod(0o444)
        self.fails(1, "read_only", "order", "pay", "1")

    @unittest.skipUnless(os.geteuid() == 0, "only root may run programs as other users")
    def test_a_reader_who_may_not_write_does_not_lock_the_owner_out(self):
        as_user = lambda user: {"user": user, "group": user, "extra_groups": []}
        self.path.chmod(0o777)
        program = shutil.copy(FRESHET, self.path / "program")  # The build may lie where nobody else may look.
        options = {"env": self.env, "timeout": PATIENCE, "cwd": self.path, "stdin": subprocess.DEVNULL}
        run = lambda user, *words: Ran(subprocess.run([program, "--json", *words], capture_output=True, **options,
                                                      **as_user(user)))
        self.assertEqual(run(65533, "order", "place", "1", "--customer", "c", "--item", "a:1:1").code, 0)
        for words in (["order", "get", "1"], ["order", "list"], ["log", "show"], ["log", "verify"],
                      ["projection", "list"], ["log", "backup", "copy.db"]):
            ran = run(65534, *words)
            self.assertEqual(ran.code, 0, ran)
            self.assertEqual([file.name for file in self.path.glob("freshet.db?*")], [], words)
        for words in (["get", "1", "--min-version", "1"], ["list", "--strong"], ["stats", "--min-position", "1"]):
            ran = run(65534, "order", *words, "--require-fresh")
            self.assertEqual(ran.code, 0, ran)
        self.assertEqual(run(65534, "order", "pay", "1").code, 1)
        paid = run(65533, "order", "pay", "1")
        self.assertEqual(paid.code, 0, paid)

    def test_the_name_of_a_file_is_nothing_but_a_name(self):
        for name in ("file:plain.db", ":memory:", "file::memory:?cache=shared"):
            self.ok("--db", name, "order", "place", "1", "--customer", "c", "--item", "a:1:1")
            self.assertTrue((self.path / name).is_file(), name)
            self.assertEqual(self.ok("--db", name, "log", "verify")["events"], 1)
        self.usage("--db", "", "order", "list")
        self.assertFalse((self.path / "plain.db").exists())

    def test_a_full_disk_loses_nothing_that_was_reported(self):
        file = self.write_orders(800)
        limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                         resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)))
        ran = self.run_program("--json", "order", "import", file, preexec_fn=limit)
        self.assertEqual((ran.code, ran.out), (1, ""), ran)
        error = json.loads(ran.err.splitlines()[-1])["error"]
        if error["code"] == "closed":  # The projector has met it first, and the log was closed for that.
            self.assertIn("after a failure: ", error["message"])
        else:
            self.assertIn(error["code"], ["io_error", "disk_full"])
        done = self.ok("order", "import", file)
        self.assertEqual(done["applied"] + done["duplicates"], 1600)
        self.assertEqual(self.ok("log", "verify")["events"], 1600)

    def test_a_file_that_fails_is_named_and_no_sql_is_shown(self):
        for file, code, what in [("/proc/x.db", "io_error", "change their permissions, or name another file"),
                                 ("/dev/null", "not_a_database", "is a pipe, a socket or a device: name a file")]:
            message = self.fails(1, code, "--db", file, *self.PLACE)["message"]
            self.assertRegex(message, what)
            self.assertNotIn("PRAGMA", message)

    def test_a_bound_on_the_size_of_files_is_told_as_one(self):
        def bound():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

        message = self.fails(1, "disk_full", *self.PLACE, preexec_fn=bound)["message"]
        self.assertRegex(message, "cannot use '.*': the file may not grow any further")
        self.assertNotIn("PRAGMA", message)
        error = self.fails(1, "not_a_database", "order", "list")
        self.assertIn("a store was begun and not finished", error["message"])
        self.place()

    def test_a_locked_database_is_busy_after_the_timeout(self):
        self.place()
        other = sqlite3.connect(self.db, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.fails(8, "busy", "order", "pay", "1", "--busy-timeout", "30ms")
        self.assertEqual(self.order("1")["status"], "created")
        other.execute("ROLLBACK")
        self.assertEqual(self.ok("order", "pay", "1")["version"], 2)

    def test_two_processes_write_one_file(self):
        self.place("0")
        commands = [["order", "place", f"{number}", "--customer", "c", "--item", "a:1:1"] for number in range(1, 7)]
        processes = [self.start(*words) for words in commands]
        self.assertEqual([process.wait(PATIENCE) for process in processes], [0] * 6)
        self.assertEqual(self.ok("order", "stats", "--strong", "--timeout", "20s")["orders"], 7)
        self.assertEqual(self.ok("log", "verify")["problems"], [])


class SettingsTest(ProgramTest):
    def config(self, text):
        file = self.path / "freshet.toml"
        file.write_text(text, encoding="utf-8")
        return ["--config", file]

    def test_any_option_can_stand_in_a_config_file(self):
        config = self.config('db = "other.db"\njson = true\ndelay = "uniform(1ms,2ms)"\ndurability = "normal"\n'
                             '[order.place]\ncustomer = "c"\nitem = ["a:1:2", "b:1:3"]\n[order.list]\nlimit = 1\n')
        for order in ["1", "2"]:
            self.assertEqual(json.loads(self.text(*config, "order", "place", order))["version"], 1)
        self.assertTrue((self.path / "other.db").exists())
        self.assertEqual(len(json.loads(self.text(*config, "order", "list"))["orders"]), 1)
        self.assertEqual(len(json.loads(self.text("order", "list", *config, "--limit", "5"))["orders"]), 2)
        self.assertEqual(self.order("1", "--db", "other.db")["amount_minor"], 500)

    def bad_config(self, text):
        """What is said of it behind its name; no command may do anything."""
        message = self.usage(*self.config(text), "order", "list")
        self.assertFalse(self.db.exists())
        file, _, why = message.partition("freshet.toml': ")
        self.assertTrue(file.startswith("bad config file '"), message)
        return why

    def test_what_is_no_option_in_a_config_file_is_an_error_with_its_line(self):
        for text, why in [
            ("nonsense = 1", "line 1: unknown option 'nonsense': see 'freshet --help'"),
            ("\ndelya = 1", "line 2: unknown option 'delya': did you mean 'delay'?"),
            ("[order.place]\ncustmer = 1", "line 2: unknown option 'order.place.custmer': "
                                           "did you mean 'order.place.customer'?"),
            ("[order.nonsense]\nx = 1", "line 2: unknown option 'order.nonsense.x': see 'freshet --help'"),
            ("[order]\nlist = 1", "line 2: unknown option 'order.list': see 'freshet --help'"),
            ('[order.get]\n"++" = 1', "line 2: unknown option 'order.get.++': see 'freshet --help'"),
            ('config = "other.toml"', "line 1: unknown option 'config': see 'freshet --help'"),
            ("[log.show]\nfollow = []", "line 2: 'log.show.follow' is true or false"),
            ("json = 5", "line 1: 'json' is true or false"),
            ('json = true\ndelay = "x"', "line 2: bad value 'x' for --delay: expected a duration"),
            ("[log.show]\nlimit = 1\n[order.list]\nlimit = 0", "line 4: bad value '0' for --limit: expected"),
        ]:
            self.assertTrue(self.bad_config(text).startswith(why), self.bad_config(text))
        self.assertEqual(self.usage(*self.config("[order.list]\nlimit = 0"), "order", "list", "--limit=0"),
                         "bad value '0' for --limit: expected a whole number from 1 to 10000")

    def test_what_is_no_toml_is_an_error_with_its_line(self):
        for text, line, why in [
            ("\njson", 2, "there is no '=' behind 'json'"),
            ('db = "x.db', 1, 'the quote " is not closed'),
            ("db = 'x.db\njson = true", 1, "the quote ' is not closed"),
            ("[order.list\nlimit = 1", 1, "] is missing"),
            ("[[order.list]]\nlimit = 1", 1, "one pair of brackets"),
            ('[order.place]\nitem = ["a:1:1",\n"b:1:1"\n', 2, "the list is not closed"),
            ('[order.place]\nitem = ["a:1:1" "b:1:1"]\n', 2, "the list is not closed"),
            ("json =", 1, "a value was expected"),
            ("json = true false", 1, "'false' was not expected here"),
            ("delay = uniform(1ms,2ms)", 1, "',2ms)' was not expected here"),
            ("= 1", 1, "a name was expected, not '= 1'"),
            ("x", 1, "there is no '=' behind 'x'"),
            ("[", 1, "a name was expected, not ''"),
            ("; old", 1, "a name was expected, not '; old'"),
            ("json = true\n# more\njson = false", 3, "'json' was given before"),
            ('db = "a\\q"', 1, "a backslash stands before"),
            ("db = \"a\x01\"", 1, "control character"),
            ("\n" * 10_000 + "json = true", 10_001, "the file is too long"),
            ("json = true #" + "x" * 65_536, 1, "longer than 65536 bytes"),
            ("\n[[=q", 2, "one pair of brackets"),
            ("\n\n [ = 1]", 3, "a name was expected, not '= 1]'"),
            ("ü = 1", 1, "a name was expected, not 'ü = 1'"),
            ("item = " + "[" * 10_000, 1, "a value was expected"),
        ]:
            message = self.bad_config(text)
            self.assertTrue(message.startswith(f"line {line}: "), message)
            self.assertIn(why, message)

    def test_a_config_file_that_cannot_be_read_is_a_usage_error(self):
        for file in ["missing.toml", "."]:
            self.assertIn(f"'{file}'", self.usage("--config", file, "order", "list"))
        self.assertIn("'/dev/zero': line 1: longer than", self.usage("--config", "/dev/zero", "order", "list"))

    def test_a_config_file_is_toml_with_quotes_comments_and_lists(self):
        text = ('\ufeff# first\r\n"db" = "a#b \\"c\\".db" # not a part of it\n\tdelay=\'uniform(1ms,2ms)\'\n'
                'busy-timeout = 5s\n[ order . place ]\nitem = [ # two\n  "a:1:2",\n\n  "b:1:3", ]\n'
                '[order]\nplace.customer = "c"')
        self.ok(*self.config(text), "order", "place", "1")
        self.assertEqual(self.ok("--db", 'a#b "c".db', "order", "get", "1")["amount_minor"], 500)

    def test_numbers_and_times_of_a_config_file_are_exact(self):
        self.ok(*self.config('[order.place]\ncustomer = "c"\nitem = ["a:1:1"]\nfreight = 90071992547400.93\n'
                             'at = 2017-10-02T10:56:33.25Z\n'), "order", "place", "1")
        self.assertEqual(self.order()["amount_minor"], 9007199254740193)
        self.assertEqual(self.order()["placed_at"], "2017-10-02T10:56:33.250000Z")

    def test_global_options_can_stand_anywhere(self):
        place = ["place", "1", "--customer", "c", "--item", "a:1:1"]
        self.ok("--db", "x.db", "order", "--delay", "1ms", *place, "--seed", "3")
        self.assertEqual(self.ok("order", "get", "1", "--db", "x.db")["version"], 1)

    def test_words_that_name_commands_or_begin_with_a_dash_can_be_ids(self):
        for order in ["list", "order", "-5"]:
            self.place(order)
            self.assertEqual(self.order(order)["order_id"], order)
        self.ok("order", "place", "--customer", "c", "--item", "a:1:1", "--", "--odd")
        self.assertEqual(self.ok("order", "get", "--", "--odd")["order_id"], "--odd")

    def test_the_log_level_decides_what_is_logged(self):
        self.place()
        self.assertEqual(self.run_program("order", "pay", "1", "--log-level", "off").err, "")
        self.assertEqual(self.run_program("order", "ship", "1").err, "")

    def test_the_debug_log_tells_what_the_store_does_and_stays_off_standard_output(self):
        options = ["--log-level", "debug", "--duplicate", "1"]
        self.place()
        ran = self.run_program("--json", "order", "pay", "1", *options)
        self.assertEqual((ran.code, json.loads(ran.out)["version"]), (0, 2), ran)
        for line in ["opening 'freshet.db'", "opened: 1 events; orders is at position 1, 0 behind", "runs here",
                     "appended: position 2, OrderPaid of order/1, version 2", "delivered: position 2",
                     "applied: position 2 to orders", "waiting until the read tables", "closing", "closed"]:
            self.assertRegex(ran.err, rf"(?m)^\S+Z debug: .*{line}")
        self.assertLess(ran.err.index("opening"), ran.err.index("closed"))

    def test_durability_normal_works(self):
        self.assertEqual(self.place("1", "--durability", "normal")["version"], 1)


class StreamTest(ProgramTest):
    PLACE = ["order", "place", "new", "--customer", "c", "--item", "a:1:1"]

    def into(self, descriptor, *words):
        """Runs the program with its standard output going to the descriptor, which is then closed."""
        try:
            return Ran(subprocess.run([FRESHET, *words], stdin=subprocess.DEVNULL, stdout=descriptor,
                                      stderr=subprocess.PIPE, cwd=self.path, env=self.env, timeout=PATIENCE))
        finally:
            os.close(descriptor)

    def setUp(self):
        super().setUp()
        self.ok("order", "import", self.write_orders(300))

    def test_a_closed_pipe_is_no_error(self):
        for words in [["log", "show"], ["order", "list"], ["order", "get", "o1"], ["--help"], self.PLACE]:
            reader, writer = os.pipe()
            os.close(reader)
            ran = self.into(writer, *words)
            self.assertEqual((ran.code, ran.err), (0, ""), words)
        self.assertEqual(self.order("new")["version"], 1)

    def test_an_output_that_cannot_be_written_is_an_error(self):
        for words in [["log", "show"], ["order", "list"], ["order", "get", "o1"], ["--version"], self.PLACE]:
            ran = self.into(os.open("/dev/full", os.O_WRONLY), *words)
            self.assertEqual(ran.code, 1, words)
            self.assertRegex(ran.err, r"^freshet: cannot write to standard output: [^\n]*\n$")
        self.assertEqual(self.order("new", "--read-your-writes")["version"], 1)

    def on_terminal(self, stream, *words, **options):
        """Runs the program with one of its streams on a terminal. Returns what the terminal got."""
        controller, terminal = pty.openpty()
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: terminal}
        if "input" in options:
            del streams["stdin"]
        env = {**self.env, "TERM": "xterm", **options.pop("env", {})}
        ran = subprocess.run([FRESHET, *words], cwd=self.path, env=env, timeout=PATIENCE, **streams, **options)
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # How the end of a terminal shows.
                break
            if not part:
                break
            shown += part
        os.close(controller)
        self.assertEqual(ran.returncode, 0, shown)
        return shown.decode()

    def test_colours_are_for_terminals_and_can_be_asked_for(self):
        get = ["order", "get", "o1"]
        self.assertNotIn("\x1b[", self.text(*get))
        self.assertIn("\x1b[", self.text(*get, "--color", "always"))
        self.assertIn("\x1b[", self.on_terminal("stdout", *get))
        self.assertNotIn("\x1b[", self.on_terminal("stdout", *get, "--color", "never"))
        self.assertNotIn("\x1b[", self.on_terminal("stdout", *get, env={"NO_COLOR": "1"}))
        self.assertNotIn("\x1b[", self.on_terminal("stdout", *get, "--json"))

    def test_a_progress_bar_is_for_terminals(self):
        self.assertEqual(self.run_program("order", "import", self.path / "orders.jsonl").err, "")
        lines = self.write_orders(10, "more.jsonl").read_bytes()
        self.assertIn("import: 20", self.on_terminal("stderr", "order", "import", "-", input=lines))
        self.assertEqual(self.run_program("projection", "rebuild", "--all").err, "")

    def test_control_characters_do_not_reach_the_terminal(self):
        clear = "\x1b[2J"
        self.ok("order", "cancel", "o1", "--reason", clear)
        self.assertIn("[2J", self.text("order", "history", "o1"))
        self.assertNotIn(clear, self.text("order", "history", "o1"))
        self.assertNotIn(clear, self.run_program("order", "get", clear).err)

    def test_what_nobody_sees_is_printed_as_an_escape(self):
        for hidden, shown in [("\u202e", "202e"), ("\u200b", "200b"), ("\u2028", "2028"), ("\U000e0041", "e0041"),
                              ("\ue000", "e000")]:
            order = f"\u00fc{hidden}9"
            self.assertEqual(self.place(order)["order_id"], order)
            for words in [["order", "get", order], ["order", "list"], ["log", "show", "--stream", order],
                          ["order", "pay", order]]:
                out = self.text(*words)
                self.assertIn(f"\u00fc\\u{{{shown}}}9", out)
                self.assertNotIn(hidden, out)
            self.assertIn(f"\\u{{{shown}}}", self.run_program("order", "get", hidden).err)
            self.assertEqual(self.order(order)["order_id"], order)


class BadInputTest(ProgramTest):
    """Words that make no sense, and files that are not what they should be: one error, and nothing half done."""

    def setUp(self):
        super().setUp()
        (self.path / "folder").mkdir()
        (self.path / "text").write_text("no database\n", encoding="utf-8")
        self.long = "x" * 300

    def test_files_that_are_none(self):
        self.place()
        before = sorted(os.listdir(self.path))
        for words, wanted in [
            (["order", "import"], {"": "usage", "missing": "io_error", "folder": "io_error", self.long: "io_error",
                                   "text/x": "io_error"}),
            (["log", "import"], {"": "usage", "missing": "io_error", "folder": "io_error", self.long: "io_error",
                                 "text": "usage", "text/x": "io_error"}),
            (["run"], {"": "usage", "missing": "not_found", "folder": "io_error", self.long: "io_error",
                       "text": "usage"}),
            (["order", "list", "--db"], {"": "usage", "missing": "file_missing", "folder": "not_a_database",
                                         "text": "not_a_database"}),
            (["order", "list", "--config"], {"": "usage", "missing": "usage", "folder": "usage", "text": "usage",
                                             self.long: "usage"}),
            (["log", "backup"], {"": "usage", "no/x": "io_error", "folder": "io_error", self.long: "io_error",
                                 "text": "io_error", "text/x": "io_error"}),
            (["log", "export", "--output"], {"": "usage", "no/x": "io_error", "folder": "io_error",
                                             self.long: "io_error", "text": "io_error", "text/x": "io_error"}),
            (["demo", "sync", "--clock", "virtual", "--keep"], {"": "usage", "no/x": "io_error", "folder": "usage",
                                                                "text": "usage", self.long: "io_error"}),
        ]:
            for file, name in wanted.items():
                with self.subTest(words=words, file=file):
                    code = {"usage": 2, "not_found": 5}.get(name, 1)
                    message = self.fails(code, name, *words, file)["message"]
                    self.assertNotIn("filesystem error", message)
        self.assertEqual(sorted(os.listdir(self.path)), before)

    def test_words_that_contradict_each_other(self):
        for words in [["demo", "list", "--html", "x"], ["demo", "list", "--keep", "x"],
                      ["demo", "sync", "--print", "--mermaid", "x"], ["demo", "sync", "--print", "--keep", "x"],
                      ["projection", "rebuild", "orders", "--all"], ["projection", "dead-letters", "retry", "--all"],
                      ["order", "get", "1", "--strong", "--as-of", "1"], ["order", "get", "1", "--config", ""],
                      ["order", "pay", "1", "--expect-version", "1", "--expect-version", "2"]]:
            with self.subTest(words=words):
                self.usage(*words)
        self.assertEqual(sorted(os.listdir(self.path)), ["folder", "text"])

    def test_bytes_that_are_no_text(self):
        self.place()
        for words in [["order", "get"], ["order", "pay"], ["order", "history"], ["order", "list", "--customer"],
                      ["order", "list", "--after"], ["log", "show", "--stream"], ["order", "list", "--status"],
                      ["order", "place", "2", "--item", "a:1:1", "--customer"], ["order", "pay", "1", "--at"],
                      ["order", "pay", "1", "--idempotency-key"], ["log", "export", "--source"]]:
            with self.subTest(words=words):
                self.usage(*words, b"\xff\xfe")
        self.fails(5, "not_found", "projection", "rebuild", b"\xff\xfe")

    def test_a_working_directory_that_is_gone(self):
        gone = self.path / "gone"
        gone.mkdir()
        words = ["sh", "-c", 'rmdir "$PWD" && exec "$0" "$@"', FRESHET]
        for given, code in [(["order", "list"], 1), (["order", "place", "1", "--customer", "c", "--item", "a:1:1"], 1),
                            (["log", "verify"], 1), (["run", "x"], 5), (["log", "backup", "y"], 1)]:
            gone.mkdir(exist_ok=True)
            with self.subTest(words=given):
                ran = Ran(subprocess.run([*words, "--json", *given], cwd=gone, env=self.env, capture_output=True,
                                         timeout=PATIENCE, check=False))
                self.assertEqual((ran.code, ran.out), (code, ""), ran)
                error = json.loads(ran.err.splitlines()[-1])["error"]
                self.assertIn(error["code"], ["io_error", "file_missing", "not_found"])
                self.assertNotIn("filesystem error", error["message"])

    def test_the_environment_is_blamed_for_what_it_says(self):
        self.place()
        self.env["FRESHET_SESSION"] = "garbage"
        for words in [["log", "verify"], ["log", "show"], ["projection", "list"], ["log", "export"],
                      ["demo", "sync", "--clock", "virtual"], ["projection", "rebuild", "--all"]]:
            self.text(*words)
        for words in [["order", "get", "1"], ["order", "list"], ["order", "pay", "1"], ["--db", "new.db", "order",
                      "place", "2", "--customer", "c", "--item", "a:1:1"]]:
            message = self.usage(*words)
            self.assertIn("bad value 'garbage' of FRESHET_SESSION in the environment: expected new, or", message)
            self.assertNotIn("--session", message)
        self.assertFalse((self.path / "new.db").exists())
        self.assertIn("for --session", self.usage("order", "get", "1", "--session", "rubbish"))
        config = self.path / "config.toml"
        config.write_text('session = "waste"\n', encoding="utf-8")
        self.assertIn("config.toml': line 1: bad value 'waste'", self.usage("--config", str(config), "order", "list"))
        del self.env["FRESHET_SESSION"]
        for file, name in [("missing.db", "file_missing"), ("text", "not_a_database")]:
            self.env["FRESHET_DB"] = file
            message = self.fails(1, name, "order", "list")["message"]
            self.assertTrue(message.startswith("FRESHET_DB in the environment: "), message)
            self.assertNotIn("FRESHET_DB", self.fails(1, name, "order", "list", "--db", file)["message"])
        del self.env["FRESHET_DB"]
        self.env["TMPDIR"] = str(self.path / "nowhere")
        self.assertIn("TMPDIR", self.fails(1, "io_error", "demo", "sync", "--clock", "virtual")["message"])


class SignalTest(ProgramTest):
    def test_a_signal_ends_the_delivery_and_what_was_answered_stays(self):
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            order = f"order-{code}"
            place = ["order", "place", order, "--customer", "c", "--item", "a:1:1"]
            process = self.start("--json", *place, "--delay", "1h")
            self.assertEqual(json.loads(process.stdout.readline())["order_id"], order)
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), code)
            self.assertEqual(json.loads(process.stderr.read())["error"]["code"], "interrupted")
            self.assertEqual(self.ok("order", "get", order, "--strong", "--timeout", "20s")["version"], 1)

    def test_a_verification_that_is_interrupted_says_so(self):
        self.place()
        # The program waits with what it says first until it has been sent the signal.
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while os.write(writer, b"." * 4096):
                continue
        os.set_blocking(writer, True)
        process = self.start("--json", "log", "verify", "--log-level", "debug", stderr=writer)
        os.close(writer)
        status = Path(f"/proc/{process.pid}/status")
        self.wait_until(lambda: int(re.search(r"SigCgt:\s+(\w+)", status.read_text())[1], 16) >> signal.SIGINT - 1 & 1)
        process.send_signal(signal.SIGINT)
        with open(reader, "rb", closefd=False) as stream:
            err = stream.read().lstrip(b".").splitlines()
        self.assertEqual((process.wait(PATIENCE), process.stdout.read()), (130, b""))
        self.assertEqual(json.loads(err[-3])["error"]["code"], "interrupted", err)

    def test_a_query_ends_at_once(self):
        self.ok("order", "place", "1", "--customer", "c", "--item", "a:1:1")
        process = self.start("order", "get", "1", "--min-version", "2", "--timeout", "1h", "--log-level", "debug")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)


def main():
    # Where the tests run in the background a shell has it ignored, which a program that they start would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    program = unittest.main(verbosity=1, exit=False)
    result = program.result
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
    main()
