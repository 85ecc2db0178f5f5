#!/usr/bin/env python3
"""Tests of damaged and foreign files, through the program: exit codes and messages.

    FRESHET=BUILD/src/cli/freshet tests/damage_test.py [TEST...]

FRESHET_SEED (1) makes the same choices again; FRESHET_ROUNDS multiplies the number of damaged files. Closes with
the line 'N passed, N failed'.
"""

import json
import random
import shutil
import sqlite3

from cli_test import ProgramTest, main
from trial import SEED, rounds

OK, BROKEN, CORRUPT = 0, 1, 7
PAGE = 4096


class DamageTest(ProgramTest):
    def setUp(self):
        super().setUp()
        lines = "".join(f"order place o-{number} --customer c --item sku:1:1.00\n" for number in range(30))
        self.text("shell", input=lines.encode())

    def damage(self, change):
        content = bytearray(self.db.read_bytes())
        change(content)
        self.db.write_bytes(content)

    def assert_refused(self, code, name, *words):
        """Every command says so, in words and as JSON, and leaves the file as it was."""
        before = self.db.read_bytes() if self.db.is_file() else None
        for command in (["log", "verify"], ["order", "list"], ["order", "pay", "o-1"]):
            ran = self.run_program("--json", *command)
            self.assertEqual(ran.code, code, (command, ran))
            self.assertEqual(json.loads(ran.out or ran.err)["error"]["code"], name, (command, ran))
            for word in words:
                self.assertIn(word, ran.out + ran.err)
        if before is not None:
            self.assertEqual(self.db.read_bytes(), before)

    def test_text_file(self):
        self.db.write_text("not a database, whatever its name says\n" * 200)
        self.assert_refused(BROKEN, "not_a_database", "freshet.db")

    def test_foreign_database(self):
        self.db.unlink()
        with sqlite3.connect(self.db) as foreign:
            foreign.execute("CREATE TABLE theirs (x)")
        foreign.close()
        self.assert_refused(BROKEN, "not_a_database", "freshet.db")

    def test_directory_in_its_place(self):
        self.db.unlink()
        self.db.mkdir()
        self.assert_refused(BROKEN, "not_a_database", "is a directory")

    def test_newer_format(self):
        def raise_version(content):
            content[60:64] = (99).to_bytes(4, "big")

        self.damage(raise_version)
        self.assert_refused(BROKEN, "unsupported_format", "99", "newer release")

    def test_newer_sqlite_schema_format(self):
        def raise_schema_format(content):
            content[44:48] = (9).to_bytes(4, "big")

        self.damage(raise_schema_format)
        self.assert_refused(BROKEN, "unsupported_format", "unsupported file format")

    def test_log_without_its_database(self):
        self.db.rename(self.path / "elsewhere.db")
        log = self.path / "freshet.db-wal"
        log.write_bytes(b"\x37\x7f\x06\x82" + bytes(5000))
        ran = self.run_program("order", "place", "o-new", "--customer", "c", "--item", "sku:1:1.00")
        self.assertEqual(ran.code, CORRUPT, ran)
        self.assertIn("write-ahead log", ran.err)
        self.assertFalse(self.db.exists())
        self.assertEqual(log.stat().st_size, 5004)

    def test_empty_file_with_a_log(self):
        (self.path / "freshet.db-wal").write_bytes(b"\x37\x7f\x06\x82" + bytes(5000))
        self.db.write_bytes(b"")
        self.assert_refused(CORRUPT, "corrupt", "write-ahead log")

    def test_cut_short(self):
        whole = self.db.read_bytes()
        chance = random.Random(f"{SEED}/{self.id()}")
        pages = range(PAGE, len(whole), PAGE)
        for size in [1, 99, PAGE - 1, *pages, *chance.sample(range(1, len(whole)), rounds(10))]:
            self.db.write_bytes(whole[:size])
            ran = self.run_program("--json", "log", "verify")
            self.assertIn(ran.code, (BROKEN, CORRUPT), (size, ran))
            self.assertIn(json.loads(ran.err)["error"]["code"], ("not_a_database", "corrupt"), (size, ran))

    def test_flipped_bits(self):
        """Each answer is the right one or a clear error; where it is another one, verification says so."""
        questions = [["log", "show"], ["order", "list"], ["order", "stats"], ["order", "get", "o-1", "--strong"]]
        answers = [self.text("--json", *words) for words in questions]
        whole = self.db.read_bytes()
        chance = random.Random(f"{SEED}/{self.id()}")
        found = 0
        for _ in range(rounds(40)):
            content = bytearray(whole)
            bits = [chance.randrange(8 * len(whole)) for _ in range(chance.choice([1, 1, 8, 64]))]
            for bit in bits:
                content[bit // 8] ^= 1 << bit % 8
            self.db.write_bytes(content)
            verified = self.run_program("--json", "log", "verify")
            self.assertIn(verified.code, (OK, BROKEN, CORRUPT), (bits, verified))
            found += verified.code != OK
            for words, answer in zip(questions, answers):
                ran = self.run_program("--json", *words)
                if (ran.code, ran.out) != (OK, answer):
                    self.assertNotEqual(verified.code, OK, (bits, words, ran))
                if ran.code != OK:
                    self.assertIn("error", json.loads(ran.err.splitlines()[-1]), (bits, words, ran))
        self.assertGreater(found, 0)

    def test_zeroed_pages(self):
        size = self.db.stat().st_size
        whole = self.db.read_bytes()
        for page in range(1, size // PAGE):
            self.db.write_bytes(whole[: page * PAGE] + bytes(PAGE) + whole[(page + 1) * PAGE :])
            ran = self.run_program("log", "verify")
            self.assertEqual(ran.code, CORRUPT, (page, ran))

    def test_damaged_shared_memory(self):
        holder = self.start("shell", "--json")
        holder.stdin.write(b"order get o-1\n")
        holder.stdin.flush()
        holder.stdout.readline()
        copy = self.path / "copy"
        copy.mkdir()
        for name in ("freshet.db", "freshet.db-wal"):
            if (self.path / name).exists():
                shutil.copy(self.path / name, copy / name)
        (copy / "freshet.db-shm").write_bytes(b"\xa5" * 32768)
        ran = self.run_program("log", "verify", "--json", cwd=copy)
        self.assertEqual(ran.code, 0, ran)


if __name__ == "__main__":
    main()
