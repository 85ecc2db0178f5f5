#!/usr/bin/env python3
"""Makes Freshet's `//` comments into Doxygen's, on standard output. A comment holds down to the next empty line.

    doxygen_filter.py HEADER
"""

import re
import sys

WHOLE_LINE = re.compile(r"^(\s*)//( |$)")
BEHIND_CODE = re.compile(r"^(\s*\S.*?\S)  +// (.*)$")
END_OF_DECLARATION = re.compile(r"[;}]$")
END_OF_SCOPE = re.compile(r"^\s*}.*$")
# Copying, moving and destroying are as everywhere.
WITHOUT_WORDS = re.compile(
    r"= (delete|default);$|^  (\w+& operator=|\w+)\(\w+&&( other)?\) noexcept;$|^  (virtual )?~\w+\(\);$")
# What Doxygen takes for a comment where there is nothing to add to the one above.
AS_ABOVE = "  ///< &nbsp;"


def translated(lines):
    is_covered = is_target = False  # By the comment above; and the first declaration under it.
    for line in lines:
        if WHOLE_LINE.match(line):
            is_covered = is_target = True
            yield WHOLE_LINE.sub(r"\1///\2", line)
            continue
        is_covered &= line != ""
        has_words = is_target or BEHIND_CODE.match(line)
        if WITHOUT_WORDS.search(line) and not has_words:
            yield ""
        elif END_OF_DECLARATION.search(line) and is_covered and not has_words and not END_OF_SCOPE.match(line):
            yield line + AS_ABOVE
        else:
            yield BEHIND_CODE.sub(r"\1  ///< \2", line)
        is_target &= not re.search(r"[;{}:]$", line)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    lines.remove("#pragma once")  # For the line that comes instead, so that warnings name the right lines.
    print("/// @file")
    for line in translated(lines):
        print(line)


if __name__ == "__main__":
    main()
