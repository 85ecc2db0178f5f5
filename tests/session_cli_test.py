#!/usr/bin/env python3
"""Tests of sessions on the command line: --session and FRESHET_SESSION.

    FRESHET=BUILD/src/cli/freshet tests/session_cli_test.py [TEST...]

Events stay on their way for an hour here, so whatever an answer shows beyond that was waited for.
Closes with the line 'N passed, N failed'.
"""

import json

from cli_test import ProgramTest, main

PLACE = ("--customer", "ada", "--item", "book:1:49.99")
LATE = ("--delay", "1h", "--no-drain")


class SessionTest(ProgramTest):
    def place_late(self, session="new", order="1"):
        """Places an order that the read tables do not show; the session that has written it."""
        return self.ok("--session", session, "order", "place", order, *PLACE, *LATE)["session"]

    def test_without_a_session_no_answer_carries_a_token(self):
        self.assertNotIn("session", self.place())
        self.assertNotIn("session", self.order())
        ran = self.run_program("order", "get", "1")
        self.assertEqual((ran.code, ran.err), (0, ""), ran)

    def test_every_answer_about_orders_carries_the_token(self):
        token = self.ok("--session", "new", "order", "place", "1", *PLACE)["session"]
        for words in (["get", "1"], ["list"], ["stats"], ["history", "1"], ["pay", "1"]):
            self.assertIn("session", self.ok("--session", token, "order", *words), words)
        imported = self.ok("--session", token, "order", "import", str(self.write_orders(2)))
        self.assertTrue(imported["session"].split("-")[2] == "6", imported)

    def test_other_commands_take_no_notice_of_a_session(self):
        token = self.place_late()
        for words in (["log", "show"], ["log", "verify"], ["projection", "list"], ["demo", "list"]):
            for document in self.lines("--session", token, *words):
                self.assertNotIn("session", document)

    def test_in_text_the_token_stands_on_standard_error(self):
        ran = self.run_program("--session", "new", "order", "place", "1", *PLACE)
        self.assertEqual(ran.code, 0, ran)
        self.assertRegex(ran.err, r"^session: [0-9a-f]{10}-[0-9a-f]{10}-1-[0-9a-f]{6}\n$")
        self.assertNotIn("session", ran.out)

    def test_a_read_shows_what_the_session_has_written(self):
        token = self.place_late()
        shown = self.ok("--session", token, "--delay", "50ms", "order", "get", "1", "--timeout", "60s")
        self.assertEqual((shown["version"], shown["freshness"]["stale"]), (1, False))
        token = self.place_late(shown["session"], "2")
        page = self.ok("--session", token, "--delay", "50ms", "order", "list", "--timeout", "60s")
        self.assertEqual(len(page["orders"]), 2)

    def test_a_read_that_waits_in_vain_is_stale_and_says_what_for(self):
        token = self.place_late()
        page = self.ok("--session", token, "--delay", "1h", "order", "list", "--timeout", "10ms")
        self.assertTrue(page["freshness"]["stale"])
        self.assertIn("position 1, which was seen before", page["warnings"][0])
        words = ("--session", token, "--delay", "1h", "order", "list", "--timeout", "10ms", "--require-fresh")
        self.fails(6, "stale", *words)

    def test_without_the_token_the_same_read_shows_the_past(self):
        self.place_late()
        self.assertEqual(self.ok("order", "list")["orders"], [])

    def test_a_replay_counts_as_seen(self):
        self.place_late()
        token = self.ok("--session", "new", "order", "get", "1", "--read-your-writes")["session"]
        page = self.ok("--session", token, "--delay", "50ms", "order", "list", "--timeout", "60s")
        self.assertEqual(len(page["orders"]), 1)

    def test_the_environment_gives_the_session_and_the_command_line_overrides_it(self):
        self.env["FRESHET_SESSION"] = self.place_late()
        self.assertTrue(self.ok("--delay", "1h", "order", "list", "--timeout", "10ms")["freshness"]["stale"])
        page = self.ok("--session", "new", "order", "list")
        self.assertEqual(page["freshness"]["waited_ms"], 0.0)

    def test_a_mistyped_token_is_a_usage_error(self):
        token = self.place_late()
        for wrong in ("", "abc", token[:-1], token[:-1] + ("0" if token[-1] != "0" else "1"), token.upper() + "x"):
            message = self.usage("--session", wrong, "order", "list")
            self.assertIn("--session", message)
            self.assertIn("copied to the letter", message)

    def test_a_token_of_another_store_is_refused(self):
        self.place()
        token = self.ok("--db", "other.db", "--session", "new", "order", "place", "1", *PLACE)["session"]
        error = self.fails(2, "foreign_session", "--session", token, "order", "list")
        self.assertIn("another store", error["message"])
        self.fails(2, "foreign_session", "--session", token, "order", "place", "9", *PLACE)
        self.assertEqual(self.head(), 1)

    def test_a_token_from_before_a_restore_is_refused(self):
        token = self.place_late()
        self.sql("UPDATE store SET epoch = 'fedcba9876543210'")
        error = self.fails(2, "foreign_session", "--session", token, "order", "get", "1")
        self.assertIn("before a backup was restored", error["message"])

    def test_a_token_of_a_file_that_is_not_there_makes_none(self):
        token = self.place_late()
        self.fails(1, "file_missing", "--db", "gone.db", "--session", token, "order", "place", "2", *PLACE)
        self.assertFalse((self.path / "gone.db").exists())

    def test_a_position_that_the_log_does_not_hold_yet_is_waited_for(self):
        behind = self.path / "behind.db"
        self.place()
        behind.write_bytes(self.db.read_bytes())
        token = self.ok("--session", "new", "order", "pay", "1")["session"]
        page = self.ok("--db", str(behind), "--session", token, "order", "list", "--timeout", "10ms")
        self.assertIn("the log itself holds no position 2 yet", page["warnings"][0])

    def test_a_shell_is_one_session(self):
        lines = [f"order place 1 {' '.join(PLACE)}", "order list --timeout 60s", "bus --delay 1ms", "order stats"]
        out = self.text("--json", "--session", "new", "--delay", "50ms", "shell", input="\n".join(lines).encode())
        placed, page, _, stats = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(page["orders"]), 1)
        self.assertEqual(placed["session"], page["session"])
        self.assertEqual(stats["session"], page["session"])


if __name__ == "__main__":
    main()
