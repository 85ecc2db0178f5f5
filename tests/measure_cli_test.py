#!/usr/bin/env python3
"""Tests of the measurements through the program: what is said, in text and in JSON, and how it ends early.

    FRESHET=BUILD/src/cli/freshet tests/measure_cli_test.py [TEST...]

Closes with the line 'N passed, N failed'.
"""

import json
import signal

from cli_test import PATIENCE, ProgramTest, main


class MeasureTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.temporary = self.path / "temporary"
        self.temporary.mkdir()
        self.env["TMPDIR"] = str(self.temporary)

    def is_clean(self):
        return not self.db.exists() and not any(self.temporary.iterdir())


class VisibilityTest(MeasureTest):
    def measure(self, *words):
        return self.ok("measure", "visibility", *words)

    def test_percentiles_and_the_curve(self):
        measured = self.measure("--writes", "20", "--delay", "20ms")
        self.assertEqual((measured["writes"], measured["delay"]), (20, "fixed(20ms)"))
        times = [measured[name] for name in ["p50_ms", "p90_ms", "p99_ms", "max_ms"]]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 10)
        self.assertEqual(measured["delay_p99_ms"], 20)
        curve = measured["curve"]
        for name in ["t_ms", "p_fresh", "p_delivered"]:
            values = [point[name] for point in curve]
            self.assertEqual(values, sorted(values))
        self.assertEqual((curve[0]["t_ms"], curve[-1]["p_fresh"]), (0, 1))
        self.assertLess(curve[0]["p_fresh"], 0.5)

    def test_the_curve_of_the_delay_stands_beside_it(self):
        curve = self.measure("--writes", "10", "--delay", "uniform(10ms,30ms)")["curve"]
        for point in curve:
            expected = min(1, max(0, (point["t_ms"] - 10) / 20))
            self.assertAlmostEqual(point["p_delivered"], expected, places=3)

    def test_the_text_has_a_chart(self):
        for locale, mark in [("C", "#"), ("C.UTF-8", "█")]:
            self.env["LC_ALL"] = locale
            text = self.text("measure", "visibility", "--writes", "10", "--delay", "5ms")
            self.assertIn("p99", text)
            self.assertIn("P(fresh)", text)
            self.assertIn(mark, text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_the_database_is_a_temporary_one(self):
        self.measure("--writes", "1", "--db", str(self.db))
        self.assertTrue(self.is_clean())

    def test_keep_keeps_it(self):
        kept = self.path / "kept.db"
        self.measure("--writes", "3", "--keep", str(kept))
        self.assertEqual(self.ok("log", "verify", "--db", str(kept))["events"], 3)
        self.assertIn("exists already", self.usage("measure", "visibility", "--keep", str(kept)))

    def test_html_is_a_page(self):
        page = self.path / "page.html"
        self.measure("--writes", "3", "--html", str(page))
        self.assertTrue(page.read_text().lower().startswith("<!doctype html"))
        self.fails(1, "io_error", "measure", "visibility", "--writes", "1", "--html", "missing/page.html")

    def test_a_signal_ends_it_without_half_a_report(self):
        process = self.start("--json", "measure", "visibility", "--writes", "1000000")
        self.wait_until(lambda: any(self.temporary.glob("*/freshet.db")))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)
        self.assertEqual(process.stdout.read(), b"")
        self.assertEqual(json.loads(process.stderr.read())["error"]["code"], "interrupted")
        self.assertTrue(self.is_clean())

    def test_bad_options(self):
        self.assertIn("--writes", self.usage("measure", "visibility", "--writes", "0"))
        self.assertIn("--delay", self.usage("measure", "visibility", "--delay", "soon"))


class ThroughputTest(MeasureTest):
    def measure(self, *words):
        return self.ok("measure", "throughput", "--events", "64", *words)

    def test_a_row_for_each_number_of_writers_and_durability(self):
        measured = self.measure()
        rows = [(row["durability"], row["writers"]) for row in measured["rows"]]
        self.assertEqual(rows, [(durability, count) for durability in ["full", "normal"] for count in [1, 8, 64]])
        for row in measured["rows"]:
            self.assertEqual(row["events"], 64)
            self.assertGreater(row["events_per_second"], 0)
            self.assertLessEqual(row["p50_ms"], row["p99_ms"])
        self.assertGreater(measured["reference"]["writes_per_second"], 0)
        self.assertTrue(self.is_clean())

    def test_writers_and_durability_narrow_it(self):
        rows = self.measure("--writers", "2", "--durability", "normal")["rows"]
        self.assertEqual([(row["durability"], row["writers"]) for row in rows], [("normal", 2)])

    def test_the_text_is_a_table(self):
        text = self.text("measure", "throughput", "--events", "10", "--writers", "1")
        self.assertIn("EVENTS/S", text)
        self.assertIn("fdatasync", text)

    def test_a_signal_ends_it_without_half_a_report(self):
        process = self.start("measure", "throughput", "--events", "10000000")
        self.wait_until(lambda: any(self.temporary.glob("*/freshet.db")))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)
        self.assertEqual(process.stdout.read(), b"")
        self.assertTrue(self.is_clean())

    def test_bad_options(self):
        self.assertIn("--writers", self.usage("measure", "throughput", "--writers", "2000"))
        self.assertIn("--events", self.usage("measure", "throughput", "--events", "none"))


if __name__ == "__main__":
    main()
