#!/usr/bin/env python3
"""The examples run and print what they should, and the README shows the first of them word for word."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = [os.environ["TASKS"], os.environ["TASKS_IN_C"]]
NOTES = os.environ["NOTES_IN_C"]
INVENTORY = os.environ["INVENTORY"]


def run_tasks(program, place):
    ran = subprocess.run([program, str(place / "tasks.db")], capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout


def a_task_is_added_once_and_the_read_sees_it():
    for program in PROGRAMS:
        with tempfile.TemporaryDirectory() as name:
            place = pathlib.Path(name)
            assert run_tasks(program, place) == (0, "1 open, fresh\n")
            assert run_tasks(program, place) == (3, "the task is there already\n")


def the_example_in_c_finds_the_task_that_the_one_in_cpp_has_added():
    with tempfile.TemporaryDirectory() as name:
        assert run_tasks(PROGRAMS[0], pathlib.Path(name)) == (0, "1 open, fresh\n")
        assert run_tasks(PROGRAMS[1], pathlib.Path(name)) == (3, "the task is there already\n")


def run_notes(file, *words):
    ran = subprocess.run([NOTES, str(file), *words], capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def a_note_is_seen_by_the_next_program_of_its_session():
    with tempfile.TemporaryDirectory() as name:
        file = pathlib.Path(name) / "notes.db"
        code, first, _ = run_notes(file, "write", "milk")
        assert code == 0
        code, second, _ = run_notes(file, "write", "bread")
        assert code == 0 and second != first
        assert run_notes(file, "list", second.strip()) == (0, "milk\nbread\n", "")
        assert run_notes(file, "list", "x" + second.strip())[2].startswith("invalid: ")
        code, other, _ = run_notes(pathlib.Path(name) / "other.db", "write", "salt")
        assert code == 0
        code, shown, why = run_notes(file, "list", other.strip())
        assert (code, shown) == (1, "") and why.startswith("foreign_session: ")
        assert run_notes(file, "dance")[0] == 2


def run_inventory(place, *words):
    command = [INVENTORY, str(place / "inventory.db"), *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout


def an_inventory_keeps_what_is_on_its_shelves():
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        assert run_inventory(place, "receive", "bolt", "10") == (0, "bolt: 10 on main\n")
        assert run_inventory(place, "take", "bolt", "3") == (0, "bolt: 7 on main\n")
        assert run_inventory(place, "take", "bolt", "8") == (3, "there are only 7 on the shelf main\n")
        assert run_inventory(place, "receive", "nut", "2", "B") == (0, "nut: 2 on B\n")
        assert run_inventory(place, "count", "bolt", "6") == (0, "bolt: 6 on main\n")
        assert run_inventory(place, "count", "bolt", "6") == (0, "as it was\n")
        assert run_inventory(place, "stock") == (0, "bolt: 6 on main\nnut: 2 on B\n")
        assert run_inventory(place, "item", "bolt") == (0, "bolt: 6 on main\n")
        assert run_inventory(place, "days") == (0, "12 came, 3 went, -1 by counting\n")
        assert run_inventory(place, "dance")[0] == 2


def the_readme_shows_the_example_as_it_is():
    example = (ROOT / "examples" / "tasks.cpp").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```cpp\n{example}```\n" in readme, "copy examples/tasks.cpp into README.md"


def without_blanks(text):
    return re.sub(r"\s+", "", text)


def what_the_pages_show_in_cpp_is_compiled_as_it_stands():
    """The README's first program, and docs/getting-started.md, are compiled elsewhere."""
    compiled = without_blanks((ROOT / "tests" / "documents.cpp").read_text(encoding="utf-8"))
    compiled += without_blanks((ROOT / "examples" / "tasks.cpp").read_text(encoding="utf-8"))
    pages = [page for page in (ROOT / "docs").glob("*.md") if page.name != "getting-started.md"]
    pieces = 0
    for page in [ROOT / "README.md", *pages]:
        for piece in re.findall(r"^```cpp\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            pieces += 1
            assert without_blanks(piece) in compiled, f"put what {page.name} shows into tests/documents.cpp:\n{piece}"
    assert pieces > 10, pieces


def main():
    failed = 0
    tests = [
        a_note_is_seen_by_the_next_program_of_its_session,
        a_task_is_added_once_and_the_read_sees_it,
        an_inventory_keeps_what_is_on_its_shelves,
        the_example_in_c_finds_the_task_that_the_one_in_cpp_has_added,
        the_readme_shows_the_example_as_it_is,
        what_the_pages_show_in_cpp_is_compiled_as_it_stands,
    ]
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
