"""What trials of several processes share: the seed, a shell that is fed commands, the ledger of what was
asked and answered, and the comparison of that ledger with the log.
"""

import json
import os
import random
import select
import subprocess
import threading
import time

from cli_test import FRESHET, PATIENCE, ProgramTest

SEED = int(os.environ.get("FRESHET_SEED", "1"))
WAY = ["place", "pay", "ship", "deliver"]  # What happens to an order, in this order.
EVENTS = dict(zip(WAY, ["OrderCreated", "OrderPaid", "OrderShipped", "OrderDelivered"]))


def rounds(short):
    """How many rounds a test plays: FRESHET_ROUNDS times as many as in the short form."""
    return max(1, round(short * float(os.environ.get("FRESHET_ROUNDS", "1"))))


class Died(Exception):
    """The process ended instead of answering."""


class Failed(Exception):
    """The command was answered with an error."""

    def __init__(self, error, seconds):
        super().__init__(f"after {seconds:.3f} s: {error}")
        self.error = error
        self.seconds = seconds


class Shell:
    """A `shell --json` process: one line in, one document out."""

    def __init__(self, path, env, *words):
        command = [FRESHET, "--json", "--log-level", "error", *words, "shell"]
        self.process = subprocess.Popen(
            command, cwd=path, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.rest = b""

    def ask(self, *words):
        began = time.monotonic()
        try:
            self.process.stdin.write((" ".join(words) + "\n").encode())
            self.process.stdin.flush()
            answer = json.loads(self.line(began + PATIENCE))
        except (BrokenPipeError, ValueError) as error:
            raise Died(str(error)) from error
        if "error" in answer:
            raise Failed(answer["error"], time.monotonic() - began)
        return answer

    def line(self, deadline):
        """The next line that was written to its end."""
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError("the shell does not answer")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise Died("end of output")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def kill(self):
        self.process.kill()
        return self.process.wait(PATIENCE)

    def close(self):
        """Ends it as a user does, with everything delivered; its exit code."""
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
        self.process.stdout.close()
        return self.process.returncode


class Command:
    """A command with its idempotency key, and its answer once that was read."""

    def __init__(self, verb, order, *options):
        self.verb, self.order = verb, order
        self.key = f"{verb}-{order}"
        self.answer = None
        self.words = ["order", verb, order, "--idempotency-key", self.key, *options]
        if verb == "place":
            self.words += ["--customer", "c9", "--item", "book:1:49.99"]


class Ledger:
    """Commands on orders of one writer, one after the other; any but the last one is answered."""

    def __init__(self, name, chance):
        self.name, self.chance = name, chance
        self.commands = []
        self.open_orders = []  # Order, place in its way.
        self.orders = 0

    def next(self):
        """A new command: on a new order, or the next one on an old order."""
        if not self.open_orders or self.chance.random() < 0.4:
            self.orders += 1
            self.open_orders.append([f"{self.name}-{self.orders}", 0])
        chosen = self.chance.choice(self.open_orders)
        order, place = chosen
        chosen[1] += 1
        if chosen[1] == len(WAY):
            self.open_orders.remove(chosen)
        options = ["--sync"] if self.chance.random() < 0.3 else []
        self.commands.append(Command(WAY[place], order, *options))
        return self.commands[-1]

    def unanswered(self):
        return [command for command in self.commands if command.answer is None]


class Companion(threading.Thread):
    """Goes on writing and reading through a shell, until it is told to stop and has done so once."""

    def __init__(self, shell, ledger):
        super().__init__(daemon=True)
        self.shell, self.ledger = shell, ledger
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            self.look()
            while not self.stopping.is_set():
                self.look()
        except Exception as failure:  # Reported by whoever stops it.
            self.failure = failure

    def look(self):
        """One command, and now and then a read of what it did."""
        command = self.ledger.next()
        command.answer = self.shell.ask(*command.words)
        if self.ledger.chance.random() < 0.2:
            self.shell.ask("order", "get", command.order, "--min-version", str(command.answer["version"]))

    def finish(self):
        self.stopping.set()
        self.join(PATIENCE)
        if self.is_alive():
            raise AssertionError("the second process is stuck")
        if self.failure:
            raise self.failure


class TrialTest(ProgramTest):
    """Random choices come from FRESHET_SEED and the name of the test."""

    def setUp(self):
        super().setUp()
        self.chance = random.Random(f"{SEED}/{self.id()}")
        self.shells = []
        self.addCleanup(self.end_shells)

    def end_shells(self):
        for shell in self.shells:
            if shell.process.poll() is None:
                shell.kill()
            for stream in (shell.process.stdin, shell.process.stdout):
                try:
                    stream.close()
                except BrokenPipeError:  # What was not read by the killed process.
                    pass

    def shell(self, *words):
        shell = Shell(self.path, self.env, *words)
        self.shells.append(shell)
        return shell

    def check_retries(self, ledger):
        """What was not answered is asked again: the log says whether it had been done, and so must the answer."""
        for command in ledger.unanswered():
            row = self.sql("SELECT first, version FROM commands WHERE id = ?", command.key)
            answer = self.ok(*command.words)
            self.assertEqual(answer["duplicate"], bool(row), (command.key, answer))
            if row:
                self.assertEqual((answer["position"], answer["version"]), row[0])
            command.answer = answer

    def check_log(self, ledgers, imported=()):
        """The log holds what the ledgers say, each event once and nothing else; all are answered by now.

        `imported` are pairs of an order and an event that came without a key.
        """
        rows = self.sql(
            "SELECT e.position, s.id, e.version, e.type FROM events e JOIN streams s ON s.number = e.stream "
            "ORDER BY e.position"
        )
        self.assertEqual([row[0] for row in rows], list(range(1, len(rows) + 1)))
        expected = list(imported)
        for ledger in ledgers:
            for command in ledger.commands:
                said = command.answer
                self.assertEqual(rows[said["position"] - 1][1:], (command.order, said["version"], said["event"]))
                expected.append((command.order, EVENTS[command.verb]))
        self.assertEqual(sorted((row[1], row[3]) for row in rows), sorted(expected))
        verified = self.ok("log", "verify")
        self.assertEqual((verified["problems"], verified["events"]), ([], len(rows)))

    def check_read_tables(self, ledgers, imported=()):
        """Everybody who asks for all of it sees the same orders in the same states."""
        last = {order: WAY[0] for order, _ in imported}
        verbs = {event: verb for verb, event in EVENTS.items()}
        for order, event in imported:
            last[order] = max(last[order], verbs[event], key=WAY.index)
        for ledger in ledgers:
            for command in ledger.commands:
                last[command.order] = command.verb
        names = dict(zip(WAY, ["created", "paid", "shipped", "delivered"]))
        expected = {}
        for verb in last.values():
            expected[names[verb]] = expected.get(names[verb], 0) + 1
        stats = self.ok("order", "stats", "--strong", "--require-fresh", "--timeout", f"{PATIENCE // 2}s")
        self.assertFalse(stats["freshness"]["stale"])
        self.assertEqual({name: count for name, count in stats["by_status"].items() if count}, expected)
