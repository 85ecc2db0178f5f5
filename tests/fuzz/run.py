#!/usr/bin/env python3
"""Lets libFuzzer look for inputs that break a target's promises, for a while.

    tests/fuzz/run.py BUILD/tests/fuzz/TARGET_fuzz BYTES_MAX

It begins with the inputs in corpus/TARGET, and with those that earlier runs in this build directory have found
worth keeping. FUZZ_SECONDS says how long (10 if not set), FUZZ_SEED with which seed (a new one if not set). An
input that breaks a promise is kept in BUILD/fuzz/found, and the way to repeat it is printed. Closes with
'1 passed, 0 failed' or '0 passed, 1 failed'.
"""

import os
import pathlib
import re
import secrets
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# No input is so hard that this does not do, even where other programs have the machine.
INPUT_SECONDS_MAX = 20
MEMORY_MEGABYTES_MAX = 1024


def main():
    program, bytes_max = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    target = program.name.removesuffix("_fuzz")
    seconds = os.environ.get("FUZZ_SECONDS", "10")
    seed = os.environ.get("FUZZ_SEED") or str(secrets.randbelow(2**31 - 1) + 1)

    work = program.parents[2] / "fuzz"
    kept, found = work / "corpus" / target, work / "found"
    kept.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)

    command = [program, kept, HERE / "corpus" / target, f"-seed={seed}", f"-max_total_time={seconds}"]
    command += [f"-max_len={bytes_max}", f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MEGABYTES_MAX}"]
    command += [f"-artifact_prefix={found}/{target}-", "-print_final_stats=1", "-verbosity=1"]
    words = HERE / "dictionaries" / target
    if words.exists():
        command.append(f"-dict={words}")
    print(f"{target}: seed {seed}, {seconds} seconds", flush=True)
    ran = subprocess.run([str(word) for word in command], stderr=subprocess.PIPE, check=False)
    log = ran.stderr.decode("utf-8", "replace")

    tried = re.search(r"^tried (\d+) inputs of (\d+) bytes$", log, re.M)
    if ran.returncode == 0 and tried and int(tried[1]) > 0:
        covered = re.findall(r"\bcov: (\d+)", log)[-1]
        print(f"{target}: {tried[1]} inputs, {tried[2]} bytes, {covered} places of the program reached")
        print("1 passed, 0 failed")
        return 0
    print(log[-20_000:])
    for kept_input in re.findall(r"Test unit written to (.*)", log):
        print(f"{target}: repeat it with '{program} {kept_input}', mend it, and keep the input in corpus/{target}")
    print("0 passed, 1 failed")
    return 1


if __name__ == "__main__":
    sys.exit(main())
