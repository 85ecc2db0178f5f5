#!/usr/bin/env python3
"""Runs the unit suites and commands of the program under Valgrind's memory checker.

    FRESHET=BUILD/src/cli/freshet UNIT_TESTS=BUILD/tests/unit_tests tests/valgrind.py [TEST...]

An error is a read or write outside of what was allocated, a decision on what was never set, or memory that
nothing leads to any more. Skipped where Valgrind is not installed. Closes with the line 'N passed, N failed'.
"""

import os
import re
import shutil
import subprocess
import unittest

from cli_test import FRESHET, ProgramTest, main

UNIT_TESTS = os.environ.get("UNIT_TESTS", "build/tests/unit_tests")
ERROR = 99
# A child that a test forks to be killed frees nothing.
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={ERROR}", "--leak-check=full", "--num-callers=25",
            "--child-silent-after-fork=yes"]
# Two do the same thousands of times, at a fiftieth of the speed; of the third a child, which frees nothing, is asked
# how it ended.
LEFT_OUT = {"load", "open_close", "read_only"}


def suites():
    listed = subprocess.run([UNIT_TESTS, "--list-test-suites"], stdout=subprocess.PIPE, check=True, timeout=60)
    return set(re.findall(r"^\w+$", listed.stdout.decode(), re.M)) - LEFT_OUT


@unittest.skipUnless(shutil.which("valgrind"), "Valgrind is not installed")
class ValgrindTest(ProgramTest):
    def checked(self, *command):
        streams = {"input": b"", "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        env = {**self.env, "FRESHET_SCRIPTS": "5"}
        ran = subprocess.run([*VALGRIND, *command], cwd=self.path, env=env, timeout=1800, **streams)
        output = ran.stdout.decode("utf-8", "replace")
        self.assertEqual(ran.returncode, 0, output)
        self.assertNotIn("== ", output)  # With --quiet Valgrind speaks of errors alone.
        return output

    def test_commands(self):
        orders = self.write_orders(20)
        for words in [
            ["order", "import", str(orders)],
            ["order", "place", "1", "--customer", "c9", "--item", "book:1:49.99", "--sync", "--idempotency-key", "k"],
            ["order", "get", "1", "--strong"],
            ["order", "list", "--limit", "3"],
            ["order", "stats"],
            ["order", "history", "1", "--json"],
            ["projection", "rebuild", "--all"],
            ["projection", "list", "--json"],
            ["log", "show", "--json"],
            ["log", "verify"],
            ["demo", "staleness", "--clock", "virtual"],
        ]:
            self.checked(FRESHET, *words)


def test_of(suite):
    def run(test):
        output = test.checked(os.path.abspath(UNIT_TESTS), f"--test-suite={suite}")
        test.assertRegex(output, r"test cases: +[1-9]")  # A misspelt suite runs nothing, and well.

    return run


for each in sorted(suites()):
    setattr(ValgrindTest, f"test_suite_{each}", test_of(each))


if __name__ == "__main__":
    main()
