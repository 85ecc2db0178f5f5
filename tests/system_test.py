#!/usr/bin/env python3
"""Tests of what the system gives and takes: users, permissions, locks, signals, processes that are stopped.

    FRESHET=BUILD/src/cli/freshet tests/system_test.py [TEST...]

Those with two users need root and are skipped without it. Closes with the line 'N passed, N failed'.
"""

import json
import os
import pty
import resource
import shutil
import signal
import stat
import subprocess
import time
import unittest

from cli_test import FRESHET, PATIENCE, ProgramTest, Ran, main

NOBODY = 65534
AS_ROOT = unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "another user is needed")


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class SystemTest(ProgramTest):
    def pay_slowly(self, *before):
        """A process that projects the payment of order 1, and has an hour's time for it."""
        words = ["--db", str(self.db), "order", "pay", "1", "--delay", "1h", "--json"]
        process = subprocess.Popen([*before, FRESHET, *words], cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        process.stdout.readline()
        self.wait_until(lambda: self.projecting() is not None)
        return process

    def projecting(self):
        return self.ok("projection", "list")["projections"][0]["projected_by"]

    def wait_until(self, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, "what was waited for did not come")
            time.sleep(0.01)


class HolderTest(SystemTest):
    def test_who_projects_is_named_while_it_does(self):
        self.place("1")
        self.assertIsNone(self.projecting())
        process = self.pay_slowly()
        self.assertEqual(self.projecting(), process.pid)
        process.send_signal(signal.SIGSTOP)
        for words in (["order", "list", "--strong", "--timeout", "1ms"], ["order", "list"], ["order", "get", "1"]):
            ran = self.run_program(*words)
            self.assertEqual(ran.code, 0, ran)
            self.assertIn(f"process {process.pid} projects 'orders'", ran.err)
        self.assertIn(f" {process.pid}", self.text("projection", "list"))
        process.kill()
        process.wait(PATIENCE)
        self.assertIsNone(self.projecting())
        self.assertNotIn("process", self.run_program("order", "list").err)
        self.assertFalse(self.ok("order", "list", "--strong", "--timeout", f"{PATIENCE}s")["freshness"]["stale"])
        self.assertEqual(sorted(path.name for path in self.path.iterdir()), ["freshet.db"])


class UsersTest(SystemTest):
    def as_nobody(self, *words):
        words = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", FRESHET, "--json", *words]
        pipe = subprocess.PIPE
        options = {"cwd": self.path, "env": self.env, "stdin": subprocess.DEVNULL, "timeout": PATIENCE}
        return Ran(subprocess.run(words, stdout=pipe, stderr=pipe, **options))

    def hand_over(self):
        os.chown(self.path, NOBODY, NOBODY)
        placed = self.as_nobody("order", "place", "1", "--customer", "c", "--item", "a:1:1")
        self.assertEqual((placed.code, placed.err), (0, ""))

    def succeeds_as_nobody(self, *words):
        ran = self.as_nobody(*words)
        self.assertEqual((ran.code, ran.err), (0, ""), ran)

    @AS_ROOT
    def test_what_root_left_when_it_was_killed_is_in_nobodys_way(self):
        self.hand_over()
        process = self.pay_slowly()
        process.kill()
        process.wait(PATIENCE)
        self.assertTrue(list(self.path.glob("*-lease-*")))
        self.succeeds_as_nobody("order", "place", "2", "--customer", "c", "--item", "a:1:1")
        self.succeeds_as_nobody("order", "list", "--strong", "--require-fresh", "--timeout", f"{PATIENCE}s")
        self.assertFalse(list(self.path.glob("*-lease-*")))

    @AS_ROOT
    def test_events_are_left_to_another_user_who_projects(self):
        self.hand_over()
        process = self.pay_slowly()
        self.succeeds_as_nobody("order", "place", "2", "--customer", "c", "--item", "a:1:1")
        self.assertEqual(self.projecting(), process.pid)

    @AS_ROOT
    def test_two_users_share_the_store_of_a_group(self):
        os.chown(self.path, 0, NOBODY)
        os.chmod(self.path, 0o2775)
        self.place("1")
        os.chmod(self.db, 0o664)
        process = self.pay_slowly()
        for path in self.path.glob("*-lease-*"):
            self.assertEqual((os.stat(path).st_gid, mode_of(path)), (NOBODY, 0o664))
        self.succeeds_as_nobody("order", "place", "2", "--customer", "c", "--item", "a:1:1")
        process.kill()
        process.wait(PATIENCE)
        self.succeeds_as_nobody("order", "place", "3", "--customer", "c", "--item", "a:1:1")
        self.succeeds_as_nobody("projection", "rebuild", "--all")
        self.assertEqual(len(self.ok("order", "list", "--strong", "--timeout", f"{PATIENCE}s")["orders"]), 3)

    def test_copies_have_the_permissions_of_the_store(self):
        self.place("1")
        for mode in (0o600, 0o640, 0o664):
            os.chmod(self.db, mode)
            for words in (["log", "backup"], ["log", "export", "--output"]):
                copy = self.path / f"{words[1]}-{mode}"
                self.ok(*words, str(copy))
                self.assertEqual(mode_of(copy), mode, words)

    def test_the_history_is_for_its_user_alone(self):
        self.env["XDG_STATE_HOME"] = str(self.path)
        history = self.path / "freshet" / "history"
        history.parent.mkdir(mode=0o755)
        history.write_text("order list\n")
        os.chmod(history, 0o644)
        terminal, of_program = pty.openpty()
        process = subprocess.Popen([FRESHET, "--db", str(self.db), "shell"], cwd=self.path,
                                   env={**self.env, "TERM": "xterm"}, stdin=of_program, stdout=of_program,
                                   stderr=subprocess.DEVNULL)
        os.close(of_program)
        os.write(terminal, b"exit\r")
        self.assertEqual(process.wait(PATIENCE), 0)
        os.close(terminal)
        self.assertEqual(mode_of(history), 0o600)


class SignalsTest(SystemTest):
    def demo(self, **options):
        """A demonstration that would go on for an hour; its temporary store is there."""
        self.env["TMPDIR"] = str(self.path)
        words = [FRESHET, "demo", "staleness", "--delay", "1h"]
        process = subprocess.Popen(words, cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.wait_until(lambda: list(self.path.glob("freshet-*/*-wal")))
        return process

    def test_whatever_signal_ends_it_a_temporary_store_is_removed(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGXCPU, signal.SIGALRM):
            process = self.demo()
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 128 + number)
            self.assertEqual(list(self.path.iterdir()), [])

    def test_what_was_ignored_at_the_beginning_stays_ignored(self):
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        process = self.demo(preexec_fn=ignore)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGTERM)
        self.assertEqual(list(self.path.iterdir()), [])

    def test_the_largest_size_of_a_file_is_an_error(self):
        self.place("1")
        limit = os.stat(self.db).st_size // 2

        def lower():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        words = ["order", "import", "-", "--json"]
        lines = "".join(f'{{"command": "place", "order": "o{number}", "at": "2020-01-01T00:00:00Z", "customer": "c", '
                        f'"currency": "EUR", "items": [{{"sku": "a", "quantity": 1, "unit_price_minor": 1}}]}}\n'
                        for number in range(2000))
        ran = self.run_program(*words, preexec_fn=lower, input=lines.encode())
        self.assertEqual(ran.code, 1, ran)
        self.assertEqual(self.ok("log", "verify")["problems"], [])


class MemoryTest(SystemTest):
    def with_memory(self, size, *words):
        def lower():
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        return self.run_program(*words, preexec_fn=lower)

    def test_too_little_memory_is_one_error(self):
        self.place("1")
        step = 64 * 1024
        words = ["projection", "rebuild", "--all", "--json"]
        if self.with_memory(1 << 30, *words).code != 0:
            self.skipTest("a sanitizer takes all addresses")
        told = 0
        for size in range(4 << 20, 1 << 30, step):
            ran = self.with_memory(size, *words)
            self.assertNotIn("bad_alloc", ran.err, f"with {size} bytes")
            if ran.code == 0:
                break
            # Below this the system cannot load the program, or C++ has no room for its first exception.
            if ran.code not in (127, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGKILL):
                code = json.loads(ran.err)["error"]["code"]
                self.assertEqual((ran.code, code), (1, "io_error"), f"with {size} bytes: {ran}")
                told += 1
        self.assertGreater(told, 0)


if __name__ == "__main__":
    main()
