#!/usr/bin/env python3
"""Adds up what the tests themselves counted, and prints it as 'N passed, N failed'.

    tools/test_counts.py BUILD/meson-logs/testlog.json...

Every test program says how many cases it ran: doctest in its own summary, the others in a last line
'N passed, N failed' (', N skipped' may follow). One that says nothing has died or left early, and one
that counted no failure but ended badly (a sanitizer's report, a timeout) hides one: each is a failure,
and so is one that ran nothing. Before the counts stands, under 'What failed:', how each such program
ended. Exits with 1 if anything failed or nothing ran.
"""

import json
import re
import sys
from typing import NamedTuple

# Cases that a suite's filter left out are not skipped tests, so the third number is not read.
DOCTEST = re.compile(r"^\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", re.M)
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
LINES_SHOWN = 40


class Counts(NamedTuple):
    passed: int
    failed: int
    skipped: int = 0


def counts_of(test):
    """The counts of one test program, and what is wrong with them (or None)."""
    output = test.get("stdout") or ""
    found = DOCTEST.findall(output) or PLAIN.findall(output.rstrip())
    if not found:
        return Counts(0, 1), f"{test['result']}, and it printed no counts"
    counts = Counts(*(int(number or 0) for number in found[-1]))
    if counts.failed == 0 and test["result"] not in ("OK", "SKIP"):
        return counts._replace(failed=1), f"{test['result']}, though it counted no failure"
    if counts == Counts(0, 0, 0):
        return Counts(0, 1), "it ran nothing"
    return counts, None


def end_of(test, problem):
    """How a program that failed ended: the last lines it printed, and what is wrong with its counts."""
    lines = ((test.get("stdout") or "") + (test.get("stderr") or "")).splitlines()[-LINES_SHOWN:]
    return "\n".join([f"{test['name']}: {problem or test['result']}"] + ["  " + line for line in lines])


def main():
    total = Counts(0, 0, 0)
    failed = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as log:
            for line in log:
                test = json.loads(line)
                counts, problem = counts_of(test)
                if counts.failed:
                    failed.append(end_of(test, problem))
                total = Counts(*(sum(pair) for pair in zip(total, counts)))
    if failed:
        print("\n".join(["What failed:"] + failed))
    print(f"{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""))
    return 0 if total.passed > 0 and total.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
