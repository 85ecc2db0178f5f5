#!/usr/bin/env python3
"""The desktop example under a display of its own: runs its clicks, and closes with 'N passed, N failed'."""

import os
import re
import shutil
import subprocess
import sys

# The harness's own two, which are no tests.
HARNESS = {"initTestCase", "cleanupTestCase"}


def main():
    display = shutil.which("xvfb-run")
    if display is None:
        sys.exit("desktop_test: there is no xvfb-run; tools/setup desktop installs it")
    ran = subprocess.run([display, "--auto-servernum", os.environ["CLICKS"], *sys.argv[1:]], capture_output=True,
                         text=True, timeout=280, check=False)
    print(ran.stdout, ran.stderr)
    verdicts = re.findall(r"^(PASS|FAIL!|SKIP) +: Clicks::(\w+)\(", ran.stdout, re.M)
    counts = {verdict: len({name for found, name in verdicts if found == verdict} - HARNESS)
              for verdict in ("PASS", "FAIL!", "SKIP")}
    failed = counts["FAIL!"] or int(ran.returncode != 0)
    print(f"{counts['PASS']} passed, {failed} failed" + (f", {counts['SKIP']} skipped" if counts["SKIP"] else ""))
    sys.exit(0 if failed == 0 and counts["PASS"] > 0 else 1)


if __name__ == "__main__":
    main()
