#!/usr/bin/env python3
"""Tests of files that earlier releases have written: each opens, is carried over, and says what it said.

    FRESHET=BUILD/src/cli/freshet tests/formats_test.py [TEST...]

The files are formats/format-N.db, with what their own release exports of them; formats/make.py has made them.
"""

import collections
import contextlib
import json
import random
import re
import shutil
import sqlite3
from pathlib import Path

from cli_test import ProgramTest, main
from process_death_test import Victim
from trial import SEED

FORMATS = Path(__file__).parent / "formats"
NEWEST = 4
KILLS = 24


class FormatsTest(ProgramTest):
    def each(self):
        """The number of each format, with its file in the place of the store."""
        files = sorted(FORMATS.glob("format-*.db"))
        self.assertTrue(files)
        for file in files:
            number = int(file.stem.removeprefix("format-"))
            with self.subTest(format=number):
                for leftover in self.path.glob("freshet.db*"):
                    leftover.unlink()
                shutil.copy(file, self.path / "freshet.db")
                self.exported = (FORMATS / f"format-{number}.jsonl").read_text()
                yield number

    def format_of(self):
        return self.sql("PRAGMA user_version")[0][0]

    def answers(self):
        """Whatever does not change when a file is carried over."""
        answers = [self.text("--json", *words) for words in (
            ("log", "export"), ("order", "list", "--limit", "1000"), ("order", "stats"), ("order", "history", "9"),
            ("projection", "dead-letters"), ("projection", "list"))]
        return [re.sub(r'"behind_ms":[0-9.]+', "", answer) for answer in answers]

    def test_to_be_read_a_file_is_left_as_it_is(self):
        for number in self.each():
            before = (self.path / "freshet.db").read_bytes()
            self.assertEqual(self.text("log", "export"), self.exported)
            self.assertEqual(self.ok("log", "verify")["problems"], [])
            self.answers()
            self.ok("log", "backup", str(self.path / "copy.db"))
            (self.path / "copy.db").unlink()
            self.assertEqual((self.path / "freshet.db").read_bytes(), before)
            self.assertEqual(self.format_of(), number)

    def test_to_be_written_a_file_is_carried_over_and_says_the_same(self):
        for _ in self.each():
            before = self.answers()
            # The first answer again, from the key: nothing is appended.
            price = json.loads(self.exported.splitlines()[0])["data"]["items"][0]["unit_price_minor"] / 100
            again = self.ok("order", "place", "0", "--customer", "c9", "--item", f"book:2:{price}",
                            "--idempotency-key", "place-0")
            self.assertTrue(again["duplicate"])
            self.assertEqual(self.format_of(), NEWEST)
            self.assertEqual(self.text("log", "export"), self.exported)
            self.assertEqual(self.answers(), before)
            self.assertEqual(self.ok("log", "verify")["problems"], [])

    def test_before_a_file_is_carried_over_a_copy_is_made(self):
        for number in self.each():
            words = ("order", "place", "new", "--customer", "c", "--item", "a:1:1")
            copy = self.path / f"freshet.db.format-{number}"
            copy.write_text("precious")
            failure = self.fails(1, "io_error", *words)
            self.assertIn(str(copy), failure["message"])
            self.assertIn("--upgrade no-copy", failure["message"])
            self.fails(1, "unsupported_format", "--upgrade", "never", *words)
            self.assertEqual((self.format_of(), copy.read_text()), (number, "precious"))
            copy.unlink()
            done = self.run_program("--json", *words)
            self.assertEqual(done.code, 0)
            self.assertIn(str(copy), done.err)
            self.assertEqual(self.format_of(), NEWEST)
            self.assertEqual(self.text("--db", str(copy), "log", "export"), self.exported)
            self.assertEqual(self.ok("--db", str(copy), "log", "verify")["problems"], [])
            self.assertEqual(sorted(file.name for file in self.path.glob("freshet.db*")), ["freshet.db", copy.name])

    def test_no_copy_is_made_where_none_is_wanted(self):
        for _ in self.each():
            self.ok("--upgrade", "no-copy", "projection", "rebuild", "--all")
            self.assertEqual(self.format_of(), NEWEST)
            self.assertEqual([file.name for file in self.path.glob("freshet.db*")], ["freshet.db"])

    def test_what_is_exported_and_imported_is_the_same_event_as_that_which_was_carried_over(self):
        for _ in self.each():
            self.ok("--upgrade", "no-copy", "projection", "rebuild", "--all")
            columns = "SELECT position, append_end, correlation_id, causation_id, xxh3 FROM events"
            carried = self.sql(columns)
            self.assertTrue(any(row[2] for row in carried))
            for form in ("jsonl", "cloudevents"):
                exported = self.text("log", "export", "--format", form)
                copy = self.path / f"{form}.db"
                self.ok("--db", str(copy), "log", "import", "-", input=exported.encode())
                self.assertEqual(self.text("--db", str(copy), "log", "export", "--format", form), exported)
                with contextlib.closing(sqlite3.connect(copy)) as database:
                    self.assertEqual(database.execute(columns).fetchall(), carried)
                copy.unlink()
                # What is there already is compared, and not appended.
                again = self.ok("log", "import", "-", input=exported.encode())
                self.assertEqual(again["applied"], 0)

    def test_processes_that_open_a_file_at_once_carry_it_over_once(self):
        for number in self.each():
            processes = [self.start("order", "place", f"new-{process}", "--customer", "c", "--item", "a:1:1")
                         for process in range(6)]
            self.assertEqual([process.wait(60) for process in processes], [0] * 6)
            for process in processes:
                self.stop(process)
            self.assertEqual(self.text("--db", f"freshet.db.format-{number}", "log", "export"), self.exported)
            self.assertEqual(len(self.lines("log", "export")), len(self.exported.splitlines()) + 6)
            self.assertEqual(self.ok("log", "verify")["problems"], [])

    def test_who_is_killed_meanwhile_leaves_one_format_or_the_other(self):
        chance = random.Random(f"{SEED}/formats")
        left = collections.Counter()
        for kill in range(KILLS):
            for number in self.each():
                copy = self.path / f"freshet.db.format-{number}"
                victim = Victim(self.start("order", "ship", "nowhere"), "wchar")
                victim.watch(chance.uniform(1, 4 * len(self.exported) * 3))
                victim.kill()
                self.stop(victim.process)
                left[self.format_of() if kill % 2 else None] += 1
                self.assertEqual(self.text("log", "export"), self.exported)
                self.assertEqual(self.ok("log", "verify")["problems"], [])
                if copy.exists():
                    self.assertEqual(self.text("--db", str(copy), "log", "export"), self.exported)
                self.fails(5, "not_found", "order", "ship", "nowhere")
                self.assertEqual(self.format_of(), NEWEST)
                self.assertEqual(self.text("log", "export"), self.exported)
        self.assertGreater(left[NEWEST - 1], 0, left)

    def test_a_file_that_was_carried_over_goes_on(self):
        for _ in self.each():
            self.fails(5, "not_found", "order", "ship", "nowhere", "--idempotency-key", "refused")
            position = self.ok("order", "place", "new", "--customer", "c", "--item", "a:1:1")["position"]
            self.assertEqual(position, len(self.exported.splitlines()) + 1)
            self.ok("projection", "rebuild", "--all")
            self.ok("order", "get", "new", "--strong", "--require-fresh")
            self.assertEqual(self.ok("log", "verify")["problems"], [])

    def test_a_backup_of_a_file_that_was_not_carried_over_is_one(self):
        for _ in self.each():
            copy = self.path / "copy.db"
            self.ok("log", "backup", str(copy))
            copy.rename(self.path / "freshet.db")
            self.place("new")
            self.assertEqual(self.format_of(), NEWEST)
            self.assertTrue(self.text("log", "export").startswith(self.exported))


if __name__ == "__main__":
    main()
