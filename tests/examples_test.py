#!/usr/bin/env python3
"""The examples run and print what they should, and the README shows the first of them word for word."""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TASKS = os.environ["TASKS"]


def run_tasks(place):
    ran = subprocess.run([TASKS, str(place / "tasks.db")], capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout


def a_task_is_added_once_and_the_read_sees_it():
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        assert run_tasks(place) == (0, "1 open, fresh\n")
        assert run_tasks(place) == (3, "the task is there already\n")


def the_readme_shows_the_example_as_it_is():
    example = (ROOT / "examples" / "tasks.cpp").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```cpp\n{example}```\n" in readme, "copy examples/tasks.cpp into README.md"


def main():
    failed = 0
    tests = [a_task_is_added_once_and_the_read_sees_it, the_readme_shows_the_example_as_it_is]
    for test in tests:
        try:
            test()
        except (AssertionError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"{test.__name__}: {type(error).__name__}: {error}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
