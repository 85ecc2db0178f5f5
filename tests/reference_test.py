#!/usr/bin/env python3
"""Doxygen makes the reference documentation without a warning: every public declaration has its words.

Closes with the line 'N passed, N failed'; without Doxygen it is skipped.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 120  # Seconds until Doxygen counts as stuck.
SKIPPED = 77  # What Meson takes for it.


def run(*command, **options):
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)
    return ran.returncode, ran.stdout + ran.stderr


def every_declaration_has_its_words(place):
    code, said = run(ROOT / "tools" / "reference", place)
    assert code == 0, said
    page = (place / "html" / "classfreshet_1_1Store.html").read_text(encoding="utf-8")
    assert "Copies the store as it is at one moment" in page


def what_has_no_words_is_found(place):
    (place / "bare.hpp").write_text("// A header.\n#pragma once\n\nint bare();\n", encoding="utf-8")
    code, said = run("doxygen", "-", cwd=ROOT, input=f"@INCLUDE = docs/doxygen.conf\nINPUT = {place}/bare.hpp\n",
                     env={**os.environ, "REFERENCE_DIRECTORY": str(place), "FRESHET_VERSION": "0"})
    assert code != 0 and "bare.hpp:4" in said and "not documented" in said, said


def main():
    if shutil.which("doxygen") is None:
        print("skipped: Doxygen is not installed; tools/setup reference does that")
        return SKIPPED
    failed = 0
    tests = [every_declaration_has_its_words, what_has_no_words_is_found]
    with tempfile.TemporaryDirectory() as name:
        for test in tests:
            try:
                test(pathlib.Path(name))
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"{test.__name__}: {type(error).__name__}: {error}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
