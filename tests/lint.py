#!/usr/bin/env python3
"""Reads the repository and holds it to rules that no compiler checks.

    tests/lint.py ROOT

Prints each place that breaks a rule, and closes with 'N passed, N failed', one for each rule.
"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])

COLUMNS_MAX = 120
SOURCE_LINES_MAX = 500
PUBLIC_HEADER_LINES_MAX = 200

FOLDERS = ["include", "src", "tests", "tools", "subprojects", "docs", ".ci"]
NOT_TEXT = {"__pycache__", "corpus"}  # A fuzzer's inputs are any bytes.
TEXT = {".cpp", ".hpp", ".h", ".c", ".in", ".sql", ".py", ".build", ".wrap", ".txt", ".md", ".yml", ""}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])', re.M)
STANDARD = re.compile(r"<[a-z_]+>")

# What a file may include from where: of the standard library and POSIX anything, of the public headers
# and its own folder too, and besides what stands here. The order is that of the data flow.
POSIX = (
    *("<sys/", "<fcntl.h>", "<langinfo.h>", "<locale.h>"),
    *("<poll.h>", "<pthread.h>", "<signal.h>", "<termios.h>", "<unistd.h>"),
)
EDGE = ('"base/', '"bus/delay.hpp"', "<nlohmann/", "<fmt/")  # Where text is read and written.
REACH = {
    "base": (),
    "sqlite": ('"base/', "<sqlite3.h>", "<SQLiteCpp/"),
    "log": ('"base/', '"sqlite/', "<xxhash.h>"),
    "bus": ('"base/', "<concurrentqueue", "<xxhash.h>"),
    "projection": ('"base/', '"sqlite/', '"log/'),
    "query": ('"base/', '"sqlite/', '"log/', '"projection/'),
    "subscription": ('"base/', '"sqlite/', '"log/', '"projection/'),
    "store": ('"base/', '"sqlite/', '"log/', '"bus/', '"projection/', '"query/', '"subscription/', "<xxhash.h>"),
    "testing": (),
    "c": ('"base/', '"bus/delay.hpp"'),
    "orders": ('"base/', "<rapidjson/", "<xxhash.h>"),
    "exchange": ('"base/', "<nlohmann/"),
    "scenario": (*EDGE, '"orders/'),
    "measure": (*EDGE, '"orders/'),
    "report": (*EDGE, '"scenario/', '"measure/'),
    "cli": (*EDGE, '"orders/', '"exchange/', '"scenario/', '"measure/', '"report/', "<spdlog/", "<CLI/",
            "<histedit.h>"),
}


def files_below(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and not NOT_TEXT.intersection(path.parts):
                yield path


def kept_files():
    """The repository's text files; of subprojects/ only what is not downloaded."""
    for path in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("meson*")), *files_below(*FOLDERS)]:
        inside = path.relative_to(ROOT).parts
        if inside[0] != "subprojects" or len(inside) == 2 or inside[1] == "packagefiles":
            yield path


def sources(*folders):
    return [path for path in files_below(*folders) if path.suffix in {".cpp", ".hpp"}]


def text_of(path):
    return path.read_text(encoding="utf-8")


def lines_of(path):
    return enumerate(text_of(path).split("\n"), start=1)


def foreign_includes(path):
    """What a file includes that is not of the standard library; with the delimiters, as written."""
    return [name for name in INCLUDE.findall(text_of(path)) if not STANDARD.fullmatch(name)]


def line_length():
    for path in kept_files():
        if path.suffix == ".md":
            continue  # A paragraph of prose is one line.
        for number, line in lines_of(path):
            if len(line) > COLUMNS_MAX:
                yield path, number, f"{len(line)} columns; at most {COLUMNS_MAX}"


def white_space():
    for path in kept_files():
        for number, line in lines_of(path):
            if "\t" in line:
                yield path, number, "a tab; use spaces"
            if line != line.rstrip():
                yield path, number, "white space at the end of the line"
        if not text_of(path).endswith("\n"):
            yield path, None, "no line break at the end of the file"


def unfinished_work():
    for path in kept_files():
        for number, line in lines_of(path):
            if re.search(r"\bFIXM[E]\b", line):
                yield path, number, "unfinished: finish it, or write an issue"
            if re.search(r"\bTOD[O]\b(?!\([a-z]+\): )", line):
                yield path, number, "a to-do without its kind, as in 'TOD" + "O(perf): ...'"


def machine_paths():
    place = re.compile(r"(?<![\w.}])/(?:home|root|Users|work|farm|tmp|mnt)/\w")
    for path in kept_files():
        for number, line in lines_of(path):
            if place.search(line):
                yield path, number, "a path of one machine"


def file_sizes():
    for path in sources("include", "src", "tests"):
        lines_max = PUBLIC_HEADER_LINES_MAX if path.is_relative_to(ROOT / "include") else SOURCE_LINES_MAX
        lines = text_of(path).count("\n")
        if lines > lines_max:
            yield path, None, f"{lines} lines; at most {lines_max}: split it"


def opening_comments():
    for path in sources("include", "src", "tests"):
        if not text_of(path).startswith("// "):
            yield path, 1, "say first what this file is responsible for"


def public_includes():
    for path in sources("include"):
        for name in foreign_includes(path):
            if not name.startswith('"freshet/'):
                yield path, None, f"a public header includes {name}"


def exported_names():
    for path in sources("include"):
        if path.stem != "freshet" and 'namespace [[gnu::visibility("default")]] freshet {' not in text_of(path):
            yield path, None, "the shared library exports nothing of it: open the namespace as other headers do"


def folder_includes():
    for path in sources("src"):
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder not in REACH:
            yield path, None, f"src/{folder} has no place in the data flow; give it one in {Path(__file__).name}"
            continue
        known = ('"freshet/', f'"{folder}/', *POSIX, *REACH[folder])
        for name in foreign_includes(path):
            if not name.startswith(known):
                yield path, None, f"src/{folder} may not include {name}"


def listed_headers():
    build = text_of(ROOT / "tests/headers/meson.build")
    for path in sources("include"):
        if f"'{path.stem}'" not in build:
            yield path, None, "not in public_headers of tests/headers/meson.build, so it is not compiled alone"


def test_suites():
    build = text_of(ROOT / "tests/meson.build")
    for path in sorted((ROOT / "tests").glob("*_test.py")):
        if f"'{path.stem.removesuffix('_test')}'" not in build:
            yield path, None, "not in tests/meson.build, so it does not run"
    for path in sorted((ROOT / "tests").glob("*_test.cpp")):
        unit = path.stem.removesuffix("_test")
        text = text_of(path)
        suites = re.findall(r'TEST_SUITE(?:_BEGIN)?\("([^"]*)"\)', text)
        if set(suites) != {unit}:
            yield path, None, f'its suites are {suites}; Meson runs "{unit}" alone'
        if f"'{unit}'" not in build:
            yield path, None, "not in units of tests/meson.build, so it does not run"
        for name in re.findall(r'TEST_CASE\(\s*"([^"]*)', text):
            if not re.match(r"[\w ()]+: \w", name):
                yield path, None, f"'{name}': name what is tested, a colon, and a sentence"


RULES = [
    line_length,
    white_space,
    unfinished_work,
    machine_paths,
    file_sizes,
    opening_comments,
    public_includes,
    exported_names,
    folder_includes,
    listed_headers,
    test_suites,
]


def main():
    failed = 0
    for rule in RULES:
        problems = list(rule())
        failed += bool(problems)
        for path, number, sentence in problems:
            place = f"{path.relative_to(ROOT)}:{number}" if number else path.relative_to(ROOT)
            print(f"{place}: {sentence} [{rule.__name__}]")
    print(f"{len(RULES) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
