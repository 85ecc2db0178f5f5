#!/usr/bin/env python3
"""The command line on a store of another application: what only looks changes nothing in it.

    FRESHET=BUILD/src/cli/freshet INVENTORY=BUILD/tests/inventory tests/foreign_store_test.py [TEST...]

Closes with the line 'N passed, N failed'.
"""

import os
import subprocess

from cli_test import PATIENCE, ProgramTest, main

INVENTORY = os.environ["INVENTORY"]


class ForeignStoreTest(ProgramTest):
    def setUp(self):
        super().setUp()
        for words in (["receive", "bolt", "10"], ["take", "bolt", "3"]):
            subprocess.run([INVENTORY, self.db, *words], check=True, capture_output=True, timeout=PATIENCE)

    def contents(self):
        """The schema, who projects what, and which files there are."""
        return (self.sql("SELECT type, name, sql FROM sqlite_master ORDER BY type, name"),
                self.sql("SELECT * FROM projections"), sorted(file.name for file in self.path.iterdir()))

    def looks(self, *words, code=0):
        """The command's answers; it must have changed nothing."""
        before = self.contents()
        ran = self.run_program("--json", *words)
        self.assertEqual(ran.code, code, ran)
        self.assertEqual(self.contents(), before, words)
        return ran

    def test_the_log_can_be_shown_verified_exported_and_backed_up(self):
        self.assertIn("PiecesTaken", self.looks("log", "show").out)
        self.assertIn("PiecesTaken", self.looks("log", "show", "--stream", "item/bolt").out)
        self.assertIn("PiecesTaken", self.looks("log", "show", "--follow", "--limit", "2").out)
        self.assertIn('"problems":[]', self.looks("log", "verify").out.replace(" ", ""))
        self.assertIn("PiecesTaken", self.looks("log", "export").out)
        before = self.contents()
        self.ok("log", "backup", "copy.db")
        (self.path / "copy.db").unlink()
        self.assertEqual(self.contents(), before)

    def test_its_projections_are_none_of_the_command_lines(self):
        self.assertIn('"projections":[]', self.looks("projection", "list").out.replace(" ", ""))
        self.assertIn('"dead_letters":[]', self.looks("projection", "dead-letters").out.replace(" ", ""))
        self.looks("projection", "dead-letters", "list")

    def test_there_are_no_orders_in_it(self):
        for words in (["get", "1"], ["list"], ["stats"], ["get", "1", "--min-version", "1"], ["list", "--strong"],
                      ["stats", "--max-staleness", "1s"]):
            self.assertIn("no read tables of orders", self.looks("order", *words, code=5).err)
        for words in (["get", "1", "--read-your-writes"], ["get", "1", "--as-of", "1"], ["history", "1"]):
            self.assertIn("no such order", self.looks("order", *words, code=5).err)
        self.looks("--session", "new", "order", "list", code=5)

    def test_a_shell_that_only_looks_changes_nothing(self):
        before = self.contents()
        lines = ["log show", "order list", "order list --strong", "order history 1", "projection list",
                 "bus --delay 5ms", "log verify"]
        ran = self.run_program("shell", input="\n".join(lines).encode())
        self.assertIn("PiecesTaken", ran.out)
        self.assertIn("sound", ran.out)
        self.assertEqual(ran.err.count("no read tables of orders"), 2)
        self.assertEqual(self.contents(), before)
        ran = self.run_program("shell", input=b"log show\norder place 1 --customer c --item a:1:1\n"
                                              b"order list --strong\n")
        self.assertEqual((ran.code, ran.err), (0, ""))
        self.assertEqual(len(self.ok("order", "list")["orders"]), 1)

    def test_a_command_on_an_order_makes_the_read_tables(self):
        self.place("1")
        self.assertEqual(len(self.ok("order", "list")["orders"]), 1)
        self.assertEqual(self.ok("log", "verify")["problems"], [])


if __name__ == "__main__":
    main()
