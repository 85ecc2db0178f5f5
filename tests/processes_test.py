#!/usr/bin/env python3
"""Several processes on one file: all append and read, one projects, and whoever it is may be killed.

    FRESHET=BUILD/src/cli/freshet tests/processes_test.py [TEST...]

FRESHET_SEED (1) makes the same choices again; FRESHET_ROUNDS multiplies the number of rounds. How soon another
process takes over is measured and told; that it happens at all is what is tested. Closes with the line
'N passed, N failed'.
"""

import json
import os
import random
import threading
import time

from cli_test import PATIENCE, main
from trial import SEED, Companion, Died, Ledger, TrialTest, rounds

PROCESSES = 4
# Whoever is refused before this is up was refused too early; longer than a slow machine needs for its turn.
BUSY = ["--busy-timeout", f"{PATIENCE}s"]
ITEM = ["--customer", "c", "--item", "a:1:1"]
FIGURES = []


def figure(text):
    FIGURES.append(text)


def milliseconds(seconds):
    """The middle and the end of a list of times."""
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2] * 1e3:.1f} ms, max {ordered[-1] * 1e3:.1f} ms"


def in_parallel(tasks):
    """Runs them on a thread each; the first failure is raised when all have ended."""
    failures = []

    def guarded(task):
        try:
            task()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=[task], daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10 * PATIENCE)
    if failures:
        raise failures[0]


class ProcessesTest(TrialTest):
    def chance_of(self, name):
        """Choices of one thread, whatever the others do."""
        return random.Random(f"{SEED}/{self.id()}/{name}")

    def single(self, *words):
        """A command of its own process, which must succeed; how long it took."""
        began = time.monotonic()
        ran = self.run_program("--json", *BUSY, *words, timeout=2 * PATIENCE)
        self.assertEqual(ran.code, 0, (words, time.monotonic() - began, ran))
        return json.loads(ran.out.splitlines()[-1]) if ran.out else None


class LeaseTest(ProcessesTest):
    def holder(self):
        """The process that projects orders, as the file says."""
        return self.ok("projection", "list")["projections"][0]["projected_by"]

    def test_when_the_one_that_projects_is_killed_another_takes_over(self):
        self.place("0")
        delays = ["0ms", "1ms", "uniform(0ms,20ms)", "exponential(5ms)"]
        self.writers = []
        for number, delay in enumerate(delays):
            self.writers.append(self.start_writer(f"w{number}", delay))
        ledgers = [writer.ledger for writer in self.writers]
        self.reader = self.shell(*BUSY)
        taken, seen, reads = [], [], 0
        for number in range(rounds(10)):
            reads += self.read_strongly(ledgers)
            victim = self.kill_holder()
            began = time.monotonic()
            self.wait_until(lambda: self.holder() not in (None, victim.shell.process.pid))
            taken.append(time.monotonic() - began)
            reads += self.read_strongly(ledgers, 1)
            seen.append(time.monotonic() - began)
            self.writers.append(self.start_writer(f"r{number}", self.chance.choice(delays)))
            ledgers.append(self.writers[-1].ledger)
        for writer in self.writers:
            writer.finish()
        for ledger in ledgers:
            self.check_retries(ledger)
        self.check_log(ledgers, [("0", "OrderCreated")])
        self.check_read_tables(ledgers, [("0", "OrderCreated")])
        commands = sum(len(ledger.commands) for ledger in ledgers)
        figure(f"{len(taken)} holders of the lease killed, {commands} commands, {reads} strong reads")
        figure(f"another one had the lease after {milliseconds(taken)}")
        figure(f"a strong read was answered after {milliseconds(seen)}")

    def start_writer(self, name, delay):
        writer = Companion(self.shell(*BUSY, "--delay", delay), Ledger(name, self.chance_of(name)))
        writer.start()
        return writer

    def kill_holder(self):
        """Kills whichever writer projects; the reader, if it does, goes first."""
        pids = {writer.shell.process.pid: writer for writer in self.writers}
        self.wait_until(lambda: self.holder() is not None)
        if self.holder() == self.reader.process.pid:
            self.reader.kill()
            self.reader = self.shell(*BUSY)
        self.wait_until(lambda: self.holder() in pids)
        victim = pids[self.holder()]
        victim.shell.kill()
        victim.join(PATIENCE)
        self.assertIsInstance(victim.failure, Died)
        self.writers.remove(victim)
        return victim

    def read_strongly(self, ledgers, count=10):
        """Every answered command is in what is read now, whoever wrote it."""
        wanted = {}
        for ledger in ledgers:
            for command in list(ledger.commands):
                if command.answer:
                    wanted[command.order] = command.answer["version"]
        chosen = self.chance.sample(sorted(wanted), min(count, len(wanted)))
        for order in chosen:
            answer = self.reader.ask("order", "get", order, "--strong", "--require-fresh", "--timeout", f"{PATIENCE}s")
            self.assertFalse(answer["freshness"]["stale"])
            self.assertGreaterEqual(answer["version"], wanted[order])
        return len(chosen)


class LockedTest(ProcessesTest):
    """Moments at which SQLite itself does not wait, or may not."""

    def test_several_processes_make_a_new_file_at_once(self):
        for number in range(rounds(12)):
            self.db = self.path / f"new-{number}.db"

            def placing(name):
                return lambda: self.single("--db", str(self.db), "order", "place", name, *ITEM)

            in_parallel([placing(f"o{each}") for each in range(PROCESSES)])
            self.assertEqual(self.single("--db", str(self.db), "log", "verify")["problems"], [])
            self.assertEqual(self.head(), PROCESSES)

    def test_processes_open_the_file_while_the_last_one_closes_it(self):
        """No process stays, so that the write-ahead log is folded away and made again all the time."""
        self.place("0")
        count = rounds(12)

        def commands(name):
            chance = self.chance_of(name)

            def run():
                for number in range(count):
                    order = f"{name}-{number}"
                    self.single("order", "place", order, *ITEM, *chance.choice([[], ["--sync"], ["--no-drain"]]))
                    get = ["order", "get", order, "--read-your-writes"]
                    others = [["order", "history", order], ["projection", "list"], ["log", "verify"]]
                    self.single(*chance.choice([get, *others]))

            return run

        in_parallel([commands(f"w{each}") for each in range(PROCESSES)])
        self.assertEqual(self.single("log", "verify")["problems"], [])
        self.assertEqual(self.head(), PROCESSES * count + 1)
        figure(f"{2 * PROCESSES * count} processes came and went beside each other")

    def test_long_work_of_several_processes_makes_nobody_wait_in_vain(self):
        self.single("order", "import", str(self.write_orders(1500)))
        waits = []
        working = threading.Event()
        working.set()

        def repeat(*words):
            def run():
                for _ in range(rounds(3)):
                    self.single(*words)

            return run

        def imports():
            for number in range(rounds(3)):
                lines = self.write_orders(1000, f"{number}.jsonl").read_text().replace('"o', f'"i{number}-')
                (self.path / f"{number}.jsonl").write_text(lines.replace(f'"i{number}-rder"', '"order"'))
                self.single("order", "import", str(self.path / f"{number}.jsonl"))

        def feed():
            shell = self.shell(*BUSY, "--delay", "1ms")
            ledger = Ledger("s", self.chance_of("shell"))
            while working.is_set():
                began = time.monotonic()
                command = ledger.next()
                command.answer = shell.ask(*command.words)
                waits.append(time.monotonic() - began)
            self.assertEqual(shell.close(), 0)

        def work():
            try:
                rebuild = repeat("projection", "rebuild", "--all")
                in_parallel([rebuild, rebuild, repeat("log", "verify"), imports])
            finally:
                working.clear()

        in_parallel([work, feed])
        self.assertEqual(self.single("log", "verify")["problems"], [])
        figure(f"{len(waits)} commands beside imports, rebuilds and verifications waited {milliseconds(waits)}")


if __name__ == "__main__":
    print(f"seed {SEED}: repeat with FRESHET_SEED={SEED}", flush=True)
    try:
        main()
    finally:
        print("; ".join(FIGURES))
