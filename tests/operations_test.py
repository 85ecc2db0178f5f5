#!/usr/bin/env python3
"""Tests of what an operator does with a file: export, import, backup, dead letters, verification.

    FRESHET=BUILD/src/cli/freshet tests/operations_test.py [TEST...]

Closes with the line 'N passed, N failed'.
"""

import fcntl
import gzip
import json
import os
import signal
import unittest
from pathlib import Path

from cli_test import PATIENCE, REAL_ORDERS, ProgramTest, main


class OperationsTest(ProgramTest):
    def fill(self, orders=3):
        for order in range(orders):
            self.place(str(order), "--idempotency-key", f"k{order}")
            self.ok("order", "pay", str(order))

    def other(self, *words, **options):
        return self.text("--db", str(self.path / "other.db"), *words, **options)

    def test_an_export_imported_and_exported_again_is_the_same(self):
        self.fill()
        for form in ("jsonl", "cloudevents"):
            first = self.text("log", "export", "--format", form)
            self.assertEqual(len(first.splitlines()), 6)
            self.other("log", "import", "-", input=first.encode())
            self.assertEqual(self.other("log", "export", "--format", form), first)
        again = json.loads(self.other("--json", "log", "import", "-", input=first.encode()))
        self.assertEqual((again["lines"], again["applied"], again["duplicates"]), (6, 0, 6))
        self.assertEqual(self.other("log", "verify", "--json"), self.text("log", "verify", "--json"))
        self.assertEqual(self.other("order", "list"), self.text("order", "list"))

    def test_an_imported_idempotency_key_answers_again(self):
        self.fill(1)
        self.other("log", "import", "-", input=self.text("log", "export").encode())
        answer = json.loads(self.other("--json", "order", "place", "0", "--customer", "c9", "--item", "book:1:49.99",
                                       "--idempotency-key", "k0"))
        self.assertEqual((answer["duplicate"], answer["version"]), (True, 1))

    def test_a_cloud_event_has_the_fields_of_the_standard(self):
        self.fill(1)
        event = self.lines("log", "export", "--format", "cloudevents", "--source", "urn:shop")[0]
        self.assertEqual((event["specversion"], event["id"], event["source"], event["type"], event["subject"]),
                         ("1.0", "1", "urn:shop", "OrderCreated", "order/0"))
        self.assertEqual(event["data"]["customer"], "c9")
        self.assertEqual(event["idempotencykey"], "k0")

    def test_an_export_to_a_file_is_whole_and_replaces_nothing_unasked(self):
        self.fill(1)
        out = str(self.path / "log.jsonl")
        answer = self.ok("log", "export", "--output", out)
        self.assertEqual((answer["events"], answer["file"]), (2, out))
        self.assertEqual(Path(out).read_text(), self.text("log", "export"))
        self.assertIn("--force", self.fails(1, "io_error", "log", "export", "--output", out)["message"])
        self.ok("log", "export", "--output", out, "--force")
        self.assertEqual(sorted(os.listdir(self.path)), ["freshet.db", "log.jsonl"])

    def test_a_bad_line_is_named_and_its_batch_is_undone(self):
        self.fill()
        lines = self.text("log", "export").splitlines(keepends=True)
        other = ["--db", str(self.path / "other.db")]
        error = self.fails(2, "usage", *other, "log", "import", "-", input="".join(lines[:2] + ["{\n"]).encode())
        self.assertEqual((error["line"], error["lines"]), (3, 0))
        self.assertIn("line 3: no valid JSON", error["message"])
        error = self.fails(3, "rejected", *other, "log", "import", "-", input="".join(lines[:2] + lines[3:]).encode())
        self.assertEqual(error["line"], 3)
        self.assertIn("position 4 does not follow position 2", error["message"])
        self.assertEqual(self.ok(*other, "log", "verify")["events"], 0)

    def test_an_event_that_contradicts_the_log_is_refused(self):
        self.fill()
        lines = self.text("log", "export").replace("OrderPaid", "OrderLost")
        error = self.fails(3, "rejected", "log", "import", "-", input=lines.encode())
        self.assertIn("line 2: the log holds another event at position 2: its type differs", error["message"])

    def test_an_import_that_was_interrupted_can_be_run_again(self):
        self.fill(2)
        lines = self.text("log", "export").encode()
        other = ["--db", str(self.path / "other.db")]
        process = self.start(*other, "--json", "log", "import", "-")
        process.stdin.write(lines.splitlines(keepends=True)[0])
        process.stdin.flush()
        self.wait_until(lambda: (self.path / "other.db").exists())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(json.loads(err.splitlines()[-1])["error"]["code"], "interrupted")
        self.other("log", "import", "-", input=lines)
        self.assertEqual(self.other("log", "export").encode(), lines)

    def test_a_backup_is_one_file_that_opens_and_verifies(self):
        self.fill()
        copy = str(self.path / "copy.db")
        answer = self.ok("log", "backup", copy)
        self.assertEqual((answer["file"], answer["events"]), (copy, 6))
        self.assertEqual(sorted(os.listdir(self.path)), ["copy.db", "freshet.db"])
        self.assertEqual(self.ok("--db", copy, "log", "verify")["problems"], [])
        self.assertEqual(self.text("--db", copy, "order", "list"), self.text("order", "list"))
        self.assertIn("--force", self.fails(1, "io_error", "log", "backup", copy)["message"])
        self.place("new")
        self.assertEqual(self.ok("log", "backup", copy, "--force")["events"], 7)

    def test_a_copy_never_takes_the_place_of_a_pipe_or_of_a_link(self):
        self.fill(1)
        os.mkfifo(self.path / "pipe")
        os.symlink("file", self.path / "link")
        for words in (["backup"], ["export", "--output"]):
            error = self.fails(1, "io_error", "log", *words, "pipe", "--force")
            self.assertIn("it is a device or a pipe: name another file", error["message"])
            (self.path / "file").write_text("old", encoding="utf-8")
            self.ok("log", *words, "link", "--force")
            self.assertTrue((self.path / "link").is_symlink())
            self.assertGreater((self.path / "file").stat().st_size, 3)
        self.assertTrue((self.path / "pipe").is_fifo())

    def test_a_backup_of_what_is_not_there_makes_nothing(self):
        error = self.fails(1, "file_missing", "log", "backup", str(self.path / "copy.db"))
        self.assertIn("name another one with --db, or begin one with 'order place'", error["message"])
        self.assertEqual(os.listdir(self.path), [])
        self.fill(1)
        self.fails(1, "io_error", "log", "backup", str(self.path / "no" / "copy.db"))
        self.fails(1, "io_error", "log", "backup", str(self.path))
        self.assertIn("FILE", self.usage("log", "backup"))

    def test_of_two_that_write_one_file_the_second_is_refused(self):
        self.fill(1)
        out = str(self.path / "copy")
        with open(out + ".unfinished-lease", "w", encoding="ascii") as lease:
            fcntl.flock(lease, fcntl.LOCK_EX)
            for words in (["backup"], ["export", "--output"]):
                self.assertIn("being written already", self.fails(8, "busy", "log", *words, out)["message"])
        self.ok("log", "backup", out)
        self.assertEqual(sorted(os.listdir(self.path)), ["copy", "freshet.db"])

    def test_verify_names_the_first_difference(self):
        self.fill()
        self.sql("UPDATE orders SET status = 5 WHERE rowid = 2")
        error = self.fails(7, "corrupt", "log", "verify")
        self.assertEqual((error["events"], error["streams"]), (6, 3))
        self.assertEqual(len(error["problems"]), 1)
        self.assertIn("status is '5', and the replay gives 'paid'", error["problems"][0])

    def spoil(self):
        """Lets the projection of orders fail on payments: order 1 has two dead letters."""
        self.place("1")
        self.place("2")
        self.sql("CREATE TRIGGER no BEFORE UPDATE ON orders BEGIN SELECT raise(ABORT, 'not now'); END")
        self.ok("order", "pay", "1")
        self.ok("order", "ship", "1")

    def test_dead_letters_are_listed_with_their_reason(self):
        self.spoil()
        letters = self.ok("projection", "dead-letters")["dead_letters"]
        first = letters[0]
        self.assertEqual([(letter["position"], letter["event"]) for letter in letters if
                          letter["projection"] == first["projection"]], [(3, "OrderPaid"), (4, "OrderShipped")])
        self.assertEqual((first["stream"], first["version"], first["attempts"]), ("order/1", 2, 3))
        self.assertIn("not now", first["reason"])
        self.assertIn("not now", self.text("projection", "dead-letters", "list"))
        self.assertEqual(self.ok("projection", "dead-letters", "--stream", "2")["dead_letters"], [])

    def test_dead_letters_are_retried(self):
        self.spoil()
        failed = self.ok("projection", "dead-letters", "retry")
        self.assertEqual((failed["applied"], failed["dead_letters"][0]["attempts"]), (0, 4))
        self.sql("DROP TRIGGER no")
        self.assertEqual(self.ok("projection", "dead-letters", "retry", "--stream", "1")["remaining"], 0)
        self.assertEqual(self.order("1")["status"], "shipped")
        self.assertEqual(self.ok("log", "verify")["problems"], [])
        self.assertEqual(self.ok("projection", "dead-letters", "retry")["applied"], 0)

    def test_dead_letters_are_discarded_only_where_it_is_said_which(self):
        self.spoil()
        letters = len(self.ok("projection", "dead-letters")["dead_letters"])
        self.assertIn("--all", self.usage("projection", "dead-letters", "discard"))
        self.fails(5, "not_found", "projection", "dead-letters", "discard", "--position", "1")
        self.fails(5, "not_found", "projection", "dead-letters", "retry", "--projection", "nobody")
        self.usage("projection", "dead-letters", "retry", "--all")
        self.usage("projection", "dead-letters", "burn")
        self.assertEqual(self.ok("projection", "dead-letters", "discard", "--all"), {"discarded": letters})
        self.sql("DROP TRIGGER no")
        self.assertEqual(self.ok("log", "verify")["problems"], [])
        self.ok("order", "deliver", "1")
        self.assertEqual(self.ok("projection", "dead-letters"), {"dead_letters": []})

    @unittest.skipUnless(REAL_ORDERS.exists(), "the real orders are not on this machine")
    def test_a_real_log_goes_there_and_back(self):
        with gzip.open(REAL_ORDERS) as orders:
            self.run_program("order", "import", "-", input=b"".join(orders.readlines()[:3000]))
        for form in ("jsonl", "cloudevents"):
            self.db = self.path / "freshet.db"
            first = self.text("log", "export", "--format", form)
            self.other("log", "import", "-", input=first.encode())
            self.assertEqual(self.other("log", "export", "--format", form), first)
        self.assertEqual(self.other("order", "stats"), self.text("order", "stats"))
        self.assertEqual(json.loads(self.other("--json", "log", "verify"))["problems"], [])

    def test_a_projection_is_removed_and_made_anew_by_the_next_command(self):
        self.fill()
        orders = self.ok("order", "list", "--strong")["orders"]
        self.assertEqual(self.ok("projection", "remove", "orders"),
                         {"projection": "orders", "tables": ["order_items", "orders"]})
        self.assertEqual([each["name"] for each in self.ok("projection", "list")["projections"]], ["revenue"])
        self.fails(5, "not_found", "projection", "remove", "orders")
        again = self.ok("order", "list", "--strong", "--require-fresh")
        self.assertEqual(again["orders"], orders)
        self.assertEqual(self.ok("log", "verify")["problems"], [])
        self.assertIn("orders is removed", self.text("projection", "remove", "orders"))

    def test_a_projection_is_renamed_and_has_its_tables(self):
        self.fill()
        self.ok("order", "list", "--strong")
        self.assertEqual(self.ok("projection", "rename", "orders", "purchases"),
                         {"projection": "purchases", "was": "orders"})
        # The table is that of a projection which the program does not have.
        error = self.fails(2, "usage", "order", "list", "--strong")
        self.assertIn("projection rename purchases orders", error["message"])
        self.fails(2, "usage", "projection", "rename", "purchases", "revenue")
        self.fails(5, "not_found", "projection", "rename", "orders", "anything")
        self.assertIn("purchases is orders from now on", self.text("projection", "rename", "purchases", "orders"))
        self.ok("order", "list", "--require-fresh")

    def test_removing_and_renaming_need_names_and_a_file(self):
        for words in (["remove"], ["rename", "orders"], ["remove", "orders", "revenue"], ["rename", "orders", ""]):
            self.fails(2, "usage", "projection", *words)
        self.fails(1, "file_missing", "projection", "remove", "orders")
        self.fails(1, "file_missing", "projection", "rename", "orders", "purchases")
        self.assertEqual(os.listdir(self.path), [])

    def test_in_a_shell_a_projection_that_was_removed_is_made_anew(self):
        self.fill(1)
        answers = self.lines("shell", input=b"order list --strong\nprojection remove orders\norder list --strong\n")
        self.assertEqual(answers[1]["projection"], "orders")
        self.assertEqual(answers[2]["orders"], answers[0]["orders"])


if __name__ == "__main__":
    main()
