#!/usr/bin/env python3
"""Tests of the files that commands write beside their answers: they appear as a whole, and destroy nothing.

    FRESHET=BUILD/src/cli/freshet tests/output_files_test.py [TEST...]

Closes with the line 'N passed, N failed'.
"""

import os
import sqlite3
import subprocess
from pathlib import Path

from cli_test import PATIENCE, ProgramTest, main

ORDER = "order place 9 --customer c --item a:1:1\n"


class OutputFilesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.script = self.path / "play.fresh"
        self.script.write_text(ORDER, encoding="utf-8")

    def commands(self, db="freshet.db"):
        """Each command that writes a file, as what stands before the file's name."""
        play = ["run", "play.fresh", "--db", db]
        return [[*play, "--mermaid"], [*play, "--html"], ["demo", "sync", "--clock", "virtual", "--mermaid"],
                ["demo", "all", "--clock", "virtual", "--html"], ["measure", "visibility", "--writes", "1", "--html"],
                ["measure", "throughput", "--events", "1", "--html"], ["--db", db, "log", "export", "--output"],
                ["--db", db, "log", "backup"]]

    def refused(self, words, *given):
        before = self.files()
        message = self.fails(1, "io_error", *words, *given)["message"]
        self.assertTrue(self.files() == before, message)
        return message

    def files(self):
        return {each: each.read_bytes() for each in self.path.iterdir() if each.is_file()}

    def test_what_is_there_stays_unless_it_may_be_replaced(self):
        self.place()
        file = self.path / "old"
        for words in self.commands():
            with self.subTest(words=words):
                file.write_text("mine", encoding="utf-8")
                self.assertIn("'old' exists already: give another name, or replace it with --force",
                              self.refused(words, "old"))
                if "play.fresh" in words:
                    self.script.write_text("order list\n", encoding="utf-8")
                self.ok(*words, "old", "--force")
                self.assertGreater(len(file.read_bytes()), 100)
        self.assertEqual(sorted(os.listdir(self.path)), ["freshet.db", "old", "play.fresh"])

    def test_a_database_is_never_replaced_nor_what_is_beside_one(self):
        self.place()
        foreign = sqlite3.connect(self.path / "foreign.db")
        foreign.execute("CREATE TABLE mine (one)")
        foreign.commit()
        foreign.close()
        self.ok("--db", "other.db", "order", "place", "1", "--customer", "c", "--item", "a:1:1")
        os.symlink("freshet.db", self.path / "link")
        for words in self.commands():
            backs_up = words[-1] == "backup"
            for target in ["foreign.db", "foreign.db-wal", *([] if backs_up else ["other.db"])]:
                with self.subTest(words=words, target=target):
                    self.assertIn("database", self.refused(words, target, "--force").replace("belongs to", "database"))
        for words in self.commands("link") + self.commands():
            if "--db" not in words:
                continue
            for target in ["freshet.db", "link", "./freshet.db", "freshet.db-wal", "link-wal", "freshet.db-lease"]:
                with self.subTest(words=words, target=target):
                    self.assertRegex(self.refused(words, target, "--force"), "the database|belongs to")
        self.assertEqual(self.ok("log", "verify")["events"], 1)

    def test_a_store_that_is_open_elsewhere_is_not_replaced_by_a_copy(self):
        self.place()
        shell = self.start("--db", "other.db", "shell")
        shell.stdin.write(ORDER.encode())
        shell.stdin.flush()
        self.assertIn(b"order 9 is created", shell.stdout.readline())
        error = self.fails(1, "io_error", "log", "backup", "other.db", "--force")
        self.assertIn("open or was not closed", error["message"])
        shell.communicate(timeout=PATIENCE)
        self.ok("log", "backup", "other.db", "--force")

    def test_the_script_and_the_standard_streams_are_in_use(self):
        script = ["run", "play.fresh"]
        self.assertIn("the script that is played", self.refused([*script, "--html"], "play.fresh", "--force"))
        with open(self.script, "rb") as stdin:
            self.assertIn("standard input", self.fails(
                1, "io_error", "run", "-", "--html", "play.fresh", "--force", stdin=stdin)["message"])
        self.assertEqual(self.script.read_text(encoding="utf-8"), ORDER)
        with open(self.path / "answer", "wb") as stdout:
            ran = self.run_program(*script, "--html", "answer", "--force", stdout=stdout)
        self.assertEqual(ran.code, 1)
        self.assertIn("standard output goes there", ran.err)

    def test_a_script_replaces_files_only_where_it_may(self):
        self.place()
        (self.path / "mine").write_text("mine", encoding="utf-8")
        for line in ["log export --output mine --force", "log backup mine --force"]:
            self.script.write_text(ORDER + line + "\n", encoding="utf-8")
            error = self.fails(2, "usage", "run", "play.fresh")
            self.assertIn("line 2: a script replaces files only where it may: play it with 'freshet run --force'",
                          error["message"])
            self.assertEqual((self.path / "mine").read_text(encoding="utf-8"), "mine")
        self.ok("run", "play.fresh", "--force")
        self.assertTrue((self.path / "mine").read_bytes().startswith(b"SQLite"))
        self.script.write_text(ORDER + "log export --output play.fresh --force\n", encoding="utf-8")
        error = self.fails(1, "script_failed", "run", "play.fresh", "--force")
        self.assertIn("line 2: cannot write 'play.fresh': it is the script that is played", error["message"])
        self.assertTrue(self.script.read_text(encoding="utf-8").startswith("order place"))

    def test_what_cannot_be_written_is_told_before_anything_runs(self):
        os.symlink("nowhere", self.path / "loose")
        (self.path / "folder").mkdir()
        for words in self.commands("new.db")[:2]:
            for target, why in [("no/where", "No such file or directory"), ("folder", "is a directory"),
                                ("loose", "leads nowhere"), ("x" * 300, "too long")]:
                with self.subTest(words=words, target=target):
                    self.assertIn(why, self.refused(words, target))
        for words in [["demo", "sync", "--mermaid", "x", "--html", "x"], ["demo", "sync", "--html", "-"],
                      ["measure", "visibility", "--html", "-"]]:
            self.usage(*words)
        for option in ["x.db", "x.db-wal"]:
            self.assertIn("the command works with", self.refused(
                ["demo", "sync", "--keep", "x.db", "--html"], option))
        self.assertEqual(sorted(os.listdir(self.path)), ["folder", "loose", "play.fresh"])

    def test_a_pipe_and_an_open_descriptor_are_written_to_as_they_are(self):
        words = ["demo", "sync", "--clock", "virtual", "--mermaid"]
        self.assertTrue(self.text(*words, "/dev/stdout").startswith("sequenceDiagram"))
        both = self.path / "both"
        with open(both, "wb") as stdout:
            self.run_program(*words, "/dev/stdout", stdout=stdout)
        self.assertTrue(both.read_text(encoding="utf-8").startswith("sequenceDiagram"))
        self.assertIn("\ngap: none", both.read_text(encoding="utf-8"))
        os.mkfifo(self.path / "pipe")
        with subprocess.Popen(["cat", "pipe"], cwd=self.path, stdout=subprocess.PIPE) as reader:
            self.text(*words, "pipe")
            self.assertTrue(reader.communicate(timeout=PATIENCE)[0].startswith(b"sequenceDiagram"))
        self.assertTrue(Path(self.path / "pipe").is_fifo())
        self.assertIn("descriptor", self.refused(words, "/dev/fd/99"))
        self.fails(1, "disk_full", *words, "/dev/full")


if __name__ == "__main__":
    main()
