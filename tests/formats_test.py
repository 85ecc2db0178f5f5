#!/usr/bin/env python3
"""Tests of files that earlier releases have written: each opens, is carried over, and says what it said.

    FRESHET=BUILD/src/cli/freshet tests/formats_test.py [TEST...]

The files are formats/format-N.db, with what their own release exports of them; formats/make.py has made them.
"""

import json
import re
import shutil
from pathlib import Path

from cli_test import ProgramTest, main

FORMATS = Path(__file__).parent / "formats"
NEWEST = 4


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
