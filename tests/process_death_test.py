#!/usr/bin/env python3
"""Kills the program with SIGKILL at random moments, while a second process is at work on the same file,
and checks that nothing is lost and nothing happens twice.

    FRESHET=BUILD/src/cli/freshet tests/process_death_test.py [TEST...]

FRESHET_SEED (1) makes the same choices again; FRESHET_ROUNDS multiplies the number of rounds. The moment of a
kill is chosen by progress: when the process has moved so many bytes, at random between a first page and as
many as the last undisturbed run moved. A kill that hits is one of a living process that had begun to move
pages; only those count as rounds, and a test fails where few do. Closes with the line 'N passed, N failed'.
"""

import json
import random
import subprocess
import time

from cli_test import FRESHET, PATIENCE, main
from trial import EVENTS, SEED, Companion, Died, Ledger, TrialTest, rounds

PAGE_BYTES = 4096
LINES_ORDERS = 150  # Of one import.
BATCHES_ORDERS = 600  # Enough events for a rebuild in several batches.
DEAD_ORDERS = 200  # Orders with a dead letter each; a retry takes each in a transaction of its own.
HITS_MIN = 0.4  # The share of kills that must hit; the rest came too late.
KILLS = {}  # Test -> (kills, hits)


def bytes_moved(pid, direction):
    """What the process has `rchar` read or `wchar` written so far; None when it is gone."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(direction))
    except (OSError, StopIteration):
        return None


class Victim:
    """A process to be killed, and when."""

    def __init__(self, process, direction):
        self.process, self.direction = process, direction
        self.moved = 0

    def watch(self, bytes_until, patience=0.0):
        """Returns when it has moved as many bytes and `patience` is over, or has ended."""
        until = None
        while self.process.poll() is None:
            moved = bytes_moved(self.process.pid, self.direction)
            self.moved = max(self.moved, moved or 0)
            if self.moved >= bytes_until:
                until = until or time.monotonic() + patience
                if time.monotonic() >= until:
                    return
            time.sleep(0.0001)  # The machine may have few processors, and the victim needs one.

    def kill(self):
        """True: it was alive, and had begun to move pages."""
        self.process.kill()
        return self.process.wait(PATIENCE) == -9 and self.moved >= PAGE_BYTES


class Reader(Companion):
    """Asks for everything, again and again."""

    def __init__(self, shell):
        super().__init__(shell, None)
        self.answers = 0

    def look(self):
        self.shell.ask("order", "stats", "--strong", "--require-fresh", "--timeout", f"{PATIENCE // 2}s")
        self.answers += 1


class DeathTest(TrialTest):
    def setUp(self):
        super().setUp()
        self.hits = self.rounds = 0
        self.imported = []
        self.victim_ledger = Ledger("v", self.chance)
        self.companion_ledger = Ledger("c", random.Random(f"{SEED}/companion/{self.id()}"))
        self.companion_shell = None
        self.totals = {}  # What an undisturbed run of a kind moves, as far as it was seen.

    def start_afresh(self):
        """A new file, and nothing expected in it."""
        if self.companion_shell:
            self.companion_shell.kill()
            self.companion_shell = None
        for leftover in self.path.glob("freshet.db*"):
            leftover.unlink()
        self.imported = []
        self.victim_ledger = Ledger("v", self.chance)
        self.companion_ledger = Ledger("c", self.companion_ledger.chance)

    def orders_file(self, name, orders):
        """A file to import that has not been seen yet; what it holds is expected from now on."""
        lines = []
        for number in range(orders):
            order = {"at": "2020-01-01T00:00:00Z", "order": f"{name}-{number}"}
            items = [{"sku": "a", "quantity": 1, "unit_price_minor": 250}]
            lines.append({**order, "command": "place", "customer": "c", "currency": "EUR", "items": items})
            lines.append({**order, "command": "pay"})
            self.imported += [(order["order"], EVENTS["place"]), (order["order"], EVENTS["pay"])]
        return self.write_lines(lines, f"{name}.jsonl")

    def bus_words(self):
        """Settings of a bus: mostly late, often twice."""
        delay = self.chance.choice(["0ms", "1ms", "20ms", "uniform(0ms,30ms)", "exponential(5ms)"])
        return ["--delay", delay, "--duplicate", self.chance.choice(["0", "0.5"])]

    def play(self, kind, count, orders=0, rounds_of_file=20, prepare=lambda number: None):
        """Until `count` kills of one kind have hit, on files that `orders` were imported into before.

        `prepare(number)` has a new file for itself. `kind(number)` starts the victim, and returns it and what has
        to be done after its death.
        """
        while self.hits < count and self.rounds * HITS_MIN <= count:
            number = self.rounds
            if number % rounds_of_file == 0:
                self.start_afresh()
                if orders:
                    self.ok("order", "import", str(self.orders_file(f"f{number}", orders)))
                prepare(number)
            companion = None
            victim_is_first = self.chance.random() < 0.4
            if not victim_is_first:
                companion = self.start_companion()
            victim, afterwards = kind(number)
            companion = companion or self.start_companion()
            total = self.totals.get(kind.__name__, 64 * PAGE_BYTES)
            patience = self.chance.choice([0.0, 0.0, self.chance.uniform(0, 0.003)])
            victim.watch(self.chance.uniform(PAGE_BYTES, total), patience)
            hit = victim.kill()
            if not hit:
                self.totals[kind.__name__] = max(victim.moved, PAGE_BYTES)
            self.rounds += 1
            self.hits += hit
            companion.finish()
            afterwards()
            self.check_retries(self.victim_ledger)
            ledgers = [self.victim_ledger, self.companion_ledger]
            self.check_log(ledgers, self.imported)
            self.check_read_tables(ledgers, self.imported)
            if self.chance.random() < 0.3:
                self.assertEqual(self.companion_shell.close(), 0)
        KILLS[self.id().rsplit(".", 1)[-1]] = (self.rounds, self.hits)
        self.assertGreaterEqual(self.hits, count, "too few kills hit a process at work")

    def start_companion(self):
        if self.companion_shell is None or self.companion_shell.process.poll() is not None:
            self.companion_shell = self.shell(*self.bus_words())
        companion = Companion(self.companion_shell, self.companion_ledger)
        companion.start()
        return companion

    def start_victim(self, *words, direction="wchar"):
        command = [FRESHET, "--json", "--log-level", "error", *words]
        with open(self.path / "victim.out", "wb") as out:
            process = subprocess.Popen(
                command, cwd=self.path, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.addCleanup(self.stop, process)
        return Victim(process, direction)

    def said(self):
        """The victim's words, where it finished its line."""
        text = (self.path / "victim.out").read_text(encoding="utf-8")
        return text if text.endswith("\n") else ""

    def start_command(self, *words):
        """A victim with one command of its ledger, and the reading of its answer, if there is one."""
        command = self.victim_ledger.next()

        def note_answer():
            said = self.said()
            command.answer = json.loads(said.splitlines()[0]) if said else None

        return self.start_victim(*words, *command.words), note_answer


class KilledWritersTest(DeathTest):
    def test_single_commands(self):
        def command(_):
            return self.start_command(*self.bus_words())

        self.play(command, rounds(10), orders=10)

    def test_a_new_file(self):
        """The first command of all dies while it makes the file; the second process comes at the same moment."""

        def creation(_):
            return self.start_command()

        self.play(creation, rounds(8), rounds_of_file=1)

    def test_a_shell_that_is_fed_commands(self):
        def shell(_):
            shell = self.shell(*self.bus_words())
            writer = Companion(shell, self.victim_ledger)
            writer.start()

            def join():
                writer.join(PATIENCE)
                self.assertIsInstance(writer.failure, Died)

            return Victim(shell.process, "wchar"), join

        self.totals["shell"] = 256 * PAGE_BYTES  # Some dozens of commands.
        self.play(shell, rounds(8), orders=10)

    def test_an_import(self):
        def importing(number):
            file = str(self.orders_file(f"i{number}", LINES_ORDERS))
            victim = self.start_victim(*self.bus_words(), "order", "import", file)

            def again():
                done = "SELECT count(*) FROM streams s JOIN events e ON e.stream = s.number WHERE s.id LIKE ?"
                there = self.sql(done, f"i{number}-%")[0][0]
                counts = self.ok("order", "import", file)
                told = [counts[name] for name in ["lines", "applied", "duplicates", "rejected", "invalid"]]
                self.assertEqual(told, [2 * LINES_ORDERS, 2 * LINES_ORDERS - there, there, 0, 0])

            return victim, again

        self.totals["importing"] = 100 * PAGE_BYTES
        self.play(importing, rounds(7))


class KilledMaintenanceTest(DeathTest):
    """One test a command that works on the whole file: what was killed is done again."""

    def maintain(self, count, *words, direction="wchar"):
        def work(_):
            return self.start_victim(*words, direction=direction), lambda: self.ok(*words)

        self.play(work, count, orders=BATCHES_ORDERS)

    def test_a_rebuild(self):
        self.maintain(rounds(8), "projection", "rebuild", "--all")

    def test_a_verification(self):
        self.maintain(rounds(4), "log", "verify", direction="rchar")

    def test_a_retry_of_dead_letters(self):
        """What was retried is no letter any more, and what was not still is one."""

        def spoil(number):
            self.sql("CREATE TRIGGER no BEFORE UPDATE ON orders BEGIN SELECT raise(ABORT, 'not now'); END")
            self.ok("order", "import", str(self.orders_file(f"dead{number}", DEAD_ORDERS)))
            self.sql("DROP TRIGGER no")
            self.assertEqual(self.sql("SELECT count(*) FROM dead_letters")[0][0], DEAD_ORDERS)

        def retrying(_):
            def again():
                letters = self.sql("SELECT count(*) FROM dead_letters")[0][0]
                self.left.append(letters)
                told = self.ok("projection", "dead-letters", "retry")
                self.assertEqual((told["applied"], told["remaining"]), (letters, 0))

            return self.start_victim("projection", "dead-letters", "retry"), again

        self.left = []
        self.totals["retrying"] = 3 * DEAD_ORDERS * PAGE_BYTES
        self.play(retrying, rounds(6), orders=10, rounds_of_file=1, prepare=spoil)
        self.assertTrue(any(0 < letters < DEAD_ORDERS for letters in self.left), "no retry was cut short half-way")


class KilledCopyTest(DeathTest):
    """What is killed makes another file: that is whole under its name, or not there."""

    def copy(self, count, check, name, *words):
        """`check(file, events)`: the file is whole, and holds at least so many events."""

        def work(number):
            file = self.path / f"{number}-{name}"
            events = self.sql("SELECT count(*) FROM events")[0][0]
            victim = self.start_victim("log", *words, str(file))

            def check_and_copy_again():
                if file.exists():
                    check(file, events)
                self.ok("log", *words, str(file), "--force")
                check(file, events)
                self.assertEqual(list(self.path.glob(f"{file.name}.*")), [])

            return victim, check_and_copy_again

        self.play(work, count, orders=BATCHES_ORDERS)

    def test_a_backup(self):
        def is_whole(file, events):
            verified = self.ok("--db", str(file), "log", "verify")
            self.assertEqual(verified["problems"], [])
            self.assertGreaterEqual(verified["events"], events)

        self.copy(rounds(6), is_whole, "backup.db", "backup")

    def test_an_export(self):
        def is_whole(file, events):
            lines = file.read_text(encoding="utf-8").splitlines()
            self.assertGreaterEqual(len(lines), events)
            self.assertEqual([json.loads(line)["position"] for line in lines], list(range(1, len(lines) + 1)))

        self.copy(rounds(5), is_whole, "export.jsonl", "export", "--output")

    def test_an_import_of_an_export(self):
        """The victim fills a copy, which a second process reads and projects."""

        def importing(number):
            source, copy = self.path / f"{number}.jsonl", str(self.path / f"{number}-copy.db")
            events = self.ok("log", "export", "--output", str(source))["events"]
            first = b"".join(source.read_bytes().splitlines(keepends=True)[:10])
            self.text("--db", copy, "log", "import", "-", input=first)
            reader = Reader(self.shell("--db", copy))
            reader.start()
            victim = self.start_victim("--db", copy, "log", "import", str(source))

            def again():
                reader.finish()
                self.assertGreater(reader.answers, 0)
                self.assertEqual(reader.shell.close(), 0)
                counts = self.ok("--db", copy, "log", "import", str(source))
                self.assertEqual(counts["applied"] + counts["duplicates"], events)
                self.assertEqual(self.text("--db", copy, "log", "export"), source.read_text(encoding="utf-8"))
                self.assertEqual(self.ok("--db", copy, "log", "verify")["problems"], [])

            return victim, again

        self.play(importing, rounds(5), orders=BATCHES_ORDERS)


if __name__ == "__main__":
    print(f"seed {SEED}: repeat with FRESHET_SEED={SEED}", flush=True)
    try:
        main()
    finally:
        print("kills that hit: " + ", ".join(f"{name[5:]} {hits}/{all}" for name, (all, hits) in KILLS.items()))
