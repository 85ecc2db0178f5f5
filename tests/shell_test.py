#!/usr/bin/env python3
"""Tests of the shell: through a pseudo-terminal as a person uses it, and with piped input.

    FRESHET=BUILD/src/cli/freshet tests/shell_test.py [TEST...]

What is typed is answered before the next is typed; nothing here sleeps and hopes. Closes with the line
'N passed, N failed'.
"""

import json
import os
import pty
import re
import select
import signal
import struct
import fcntl
import termios
import time

from cli_test import FRESHET, PATIENCE, ProgramTest, main

PROMPT = "freshet> "
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"
PLACE = "order place {} --customer c9 --item book:1:49.99"

# What a terminal obeys instead of showing it.
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x07|\x0f")


class Terminal:
    """The program on a pseudo-terminal of its own."""

    def __init__(self, words, path, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(path)
            os.execve(FRESHET, [FRESHET, *words], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self.raw = b""
        self.seen = 0  # What comes before was expected already.
        self.status = None

    def text(self):
        return CONTROLS.sub("", self.raw.decode("utf-8", "replace")).replace("\r", "")

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, timeout):
        """More of the output; False at its end."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            more = os.read(self.fd, 65536)
        except OSError:  # The other end is closed.
            more = b""
        self.raw += more
        return bool(more)

    def expect(self, pattern):
        """Waits until `pattern` stands behind what was expected before; returns what lies in between."""
        end = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            found = re.compile(pattern).search(text, self.seen)
            if found:
                before = text[self.seen : found.end()]
                self.seen = found.end()
                return before
            if time.monotonic() > end or not self.read(0.2):
                raise AssertionError(f"waited in vain for {pattern!r} in {text[self.seen:]!r}")

    def run(self, line):
        """Types a line and returns what is said until the next prompt."""
        self.type(line + "\r")
        return self.expect(re.escape(line) + "\n(?s:.*?)" + PROMPT)

    def leave(self, how="exit\r"):
        """Ends the shell and returns its exit code."""
        self.type(how)
        while self.read(PATIENCE):
            pass
        return self.wait()

    def wait(self):
        if self.status is None:
            self.status = os.waitpid(self.pid, 0)[1]
            os.close(self.fd)
        return os.waitstatus_to_exitcode(self.status)

    def stop(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


class ShellTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.env.update(HOME=str(self.path), TERM="xterm", LC_ALL="C.UTF-8", NO_COLOR="1")
        self.env.pop("XDG_STATE_HOME", None)

    def shell(self, *words):
        terminal = Terminal(["shell", *words], self.path, self.env)
        self.addCleanup(terminal.stop)
        terminal.expect(PROMPT)
        return terminal


class TypedTest(ShellTest):
    def test_a_command_is_answered_and_the_prompt_comes_back(self):
        shell = self.shell()
        self.assertIn("order 1 is created", shell.run(PLACE.format(1)))
        self.assertIn("order 1 is paid", shell.run("order pay 1"))
        self.assertEqual(shell.leave(), 0)
        self.assertEqual(self.order("1", "--strong")["status"], "paid")

    def test_a_failure_does_not_end_the_shell(self):
        shell = self.shell()
        shell.run(PLACE.format(1))
        self.assertIn("freshet: ", shell.run("order ship 1"))
        self.assertIn("unknown command 'ordr'", shell.run("ordr get 1"))
        self.assertIn("is not closed", shell.run("order get '1"))
        self.assertIn("order 1 is paid", shell.run("order pay 1"))
        self.assertEqual(shell.leave(), 0)

    def test_a_read_on_a_missing_file_creates_nothing(self):
        shell = self.shell()
        self.assertIn("freshet: ", shell.run("order get 1"))
        self.assertEqual(shell.leave(), 0)
        self.assertFalse(self.db.exists())

    def test_a_stale_read_inside_the_window_and_a_fresh_one_after_it(self):
        shell = self.shell("--delay", "500ms")
        shell.run(PLACE.format(1))
        self.assertIn("fresh, from the read tables, waited", shell.run("order get 1 --strong --timeout 20s"))
        # Pasted, so that the read does not wait for a person.
        shell.type("order pay 1\rorder get 1\r")
        shell.expect("order 1 is paid")
        shell.expect("STALE: shows version 1 of 2")
        shell.expect(PROMPT)
        fresh = shell.run("order get 1 --min-version 2 --timeout 20s")
        self.assertRegex(fresh, r"status\s+paid")
        self.assertIn("fresh, from the read tables", fresh)

    def test_pasted_lines_run_one_after_the_other(self):
        shell = self.shell()
        shell.type(PLACE.format(1) + "\rorder pay 1\rfreshet order ship 1 \\\r  --carrier dhl\r")
        shell.expect("order 1 is created")
        shell.expect("order 1 is paid")
        shell.expect("order 1 is shipped")
        shell.expect(PROMPT)
        shell.leave()
        self.assertEqual(len(self.lines("order", "history", "1")), 3)

    def test_letters_outside_ascii(self):
        shell = self.shell()
        self.assertIn("order bücher-7 is created", shell.run(PLACE.format("bücher-7")))

    def test_help(self):
        shell = self.shell()
        overview = shell.run("help")
        for word in ["order", "projection", "bus", "exit", "Tab completes"]:
            self.assertIn(word, overview)
        self.assertIn("--min-version", shell.run("help order get"))
        self.assertIn("did you mean 'order'", shell.run("help ordr"))
        self.assertIn("no help for 'nothing'", shell.run("help nothing"))

    def test_the_bus_is_changed_from_here_on(self):
        shell = self.shell()
        self.assertIn("delay fixed(0", shell.run("bus"))
        shell.run(PLACE.format(1))
        shell.run("order get 1 --strong --timeout 20s")
        self.assertIn("delay fixed(1h)", shell.run("bus --delay 1h"))
        shell.run("order pay 1 --no-drain")
        self.assertIn("STALE", shell.run("order get 1"))
        self.assertIn("delay fixed(1h), duplicate 0.5", shell.run("bus --duplicate 0.5"))

    def test_what_holds_for_the_session_is_refused_in_a_line(self):
        shell = self.shell()
        self.assertIn("--db holds for the whole session", shell.run("order get 1 --db other.db"))
        self.assertIn("'bus --delay 50ms'", shell.run("order get 1 --delay 1s"))
        self.assertIn("unknown command 'shell'", shell.run("shell"))

    def test_one_line_can_be_answered_in_json(self):
        shell = self.shell()
        self.assertIn('"status":"created"', shell.run(PLACE.format(1) + " --json"))
        self.assertIn("order 1 is paid", shell.run("order pay 1"))


class KeysTest(ShellTest):
    def test_history_goes_from_one_session_to_the_next(self):
        first = self.shell()
        first.run(PLACE.format(1))
        first.run("order history 1")
        first.leave()
        self.assertTrue((self.path / ".local/state/freshet/history").exists())
        second = self.shell()
        second.type(UP)
        second.expect("exit")
        second.type(UP + "\r")
        second.expect("order history 1\n(?s:.*)OrderCreated(?s:.*)" + PROMPT)

    def test_history_has_its_place_in_the_state_directory(self):
        self.env["XDG_STATE_HOME"] = str(self.path / "state")
        shell = self.shell()
        shell.run("help")
        shell.leave()
        self.assertEqual((self.path / "state/freshet/history").read_text(), "help\nexit\n")

    def test_tab_completes_a_command(self):
        shell = self.shell()
        shell.type("ord" + TAB)
        shell.expect("order ")
        shell.type("hi" + TAB)
        shell.expect("story ")

    def test_tab_completes_an_option_and_its_value(self):
        shell = self.shell()
        shell.type("order get 1 --min-v" + TAB)
        shell.expect("ersion ")
        shell.type(CTRL_C)
        shell.expect(PROMPT)
        shell.type("log show --str" + TAB)
        shell.expect("eam ")

    def test_tab_completes_the_id_of_an_order(self):
        self.place("alpha-17")
        self.order("alpha-17", "--strong")
        shell = self.shell()
        shell.type("order get al" + TAB)
        shell.expect("pha-17 ")
        shell.type("\r")
        shell.expect(r"order\s+alpha-17")
        shell.expect(PROMPT)
        shell.type("log show --stream a" + TAB)
        shell.expect("lpha-17 ")

    def test_tab_shows_what_there_is_to_choose_from(self):
        for order in ["beta-1", "beta-2"]:
            self.place(order)
            self.order(order, "--strong")
        shell = self.shell()
        shell.type("order get b" + TAB)
        shell.expect("eta-")
        shell.type(TAB)
        shell.expect("beta-1  beta-2")

    def test_tab_on_a_missing_file_creates_nothing(self):
        shell = self.shell()
        shell.type("order get al" + TAB + "\r")
        shell.expect("freshet: ")
        self.assertFalse(self.db.exists())

    def test_ctrl_c_gives_up_the_line(self):
        shell = self.shell()
        shell.run(PLACE.format(1))
        shell.type("order pay 1")
        shell.expect("order pay 1")
        shell.type(CTRL_C)
        shell.expect(r"\^C\n" + PROMPT)
        self.assertIn("order 1 is cancelled", shell.run("order cancel 1"))

    def test_ctrl_c_ends_a_wait_and_the_engine_lives_on(self):
        shell = self.shell()
        shell.run(PLACE.format(1))
        shell.type("order get 1 --min-version 2 --timeout 1h\r")
        shell.expect("--timeout 1h\n")
        shell.type(CTRL_C)
        shell.expect("interrupted")
        shell.expect(PROMPT)
        shell.run("order pay 1")
        self.assertRegex(shell.run("order get 1 --min-version 2 --timeout 20s"), r"status\s+paid")
        self.assertEqual(shell.leave(), 0)

    def test_ctrl_c_ends_a_followed_log(self):
        shell = self.shell()
        shell.run(PLACE.format(1))
        shell.type("log show --follow\r")
        shell.expect("OrderCreated")
        shell.type(CTRL_C)
        shell.expect(PROMPT)
        self.assertEqual(shell.leave(), 0)

    def test_ctrl_d_leaves(self):
        self.assertEqual(self.shell().leave(CTRL_D), 0)

    def test_leaving_finishes_what_is_on_its_way(self):
        shell = self.shell("--delay", "300ms")
        shell.run(PLACE.format(1))
        self.assertEqual(shell.leave(), 0)
        self.assertEqual(self.order("1")["status"], "created")

    def test_ctrl_c_leaves_what_is_on_its_way_to_the_next_command(self):
        shell = self.shell("--delay", "1h")
        shell.run(PLACE.format(1))
        shell.type(CTRL_D)
        shell.expect("finishing what is on its way")
        self.assertEqual(shell.leave(CTRL_C), 0)
        self.assertEqual(self.order("1", "--strong", "--timeout", "20s")["version"], 1)

    def test_sigterm_ends_the_shell(self):
        shell = self.shell()
        os.kill(shell.pid, signal.SIGTERM)
        while shell.read(PATIENCE):
            pass
        self.assertEqual(shell.wait(), 128 + signal.SIGTERM)


class PipedTest(ShellTest):
    def pipe(self, lines, *words):
        return self.run_program(*words, "shell", input="".join(line + "\n" for line in lines).encode())

    def test_lines_run_without_a_prompt(self):
        ran = self.pipe(["# set up", PLACE.format(1), "", "order pay 1"])
        self.assertEqual(ran.code, 0, ran)
        self.assertEqual(ran.err, "")
        self.assertEqual(re.findall("order 1 is [a-z]+", ran.out), ["order 1 is created", "order 1 is paid"])
        self.assertEqual(self.order("1")["status"], "paid")

    def test_after_a_failure_the_next_lines_run_and_the_first_failure_is_the_exit_code(self):
        ran = self.pipe([PLACE.format(1), "order ship 1", "order get nobody", "order pay 1"])
        self.assertEqual(ran.code, 3, ran)
        self.assertIn("order 1 is paid", ran.out)
        self.assertIn("freshet: line 2: ", ran.err)
        self.assertIn("freshet: line 3: ", ran.err)

    def test_json_is_a_document_a_line_for_answers_and_for_failures(self):
        ran = self.pipe([PLACE.format(1), "order ship 1", "order history 1", "nonsense"], "--json")
        self.assertEqual(ran.code, 3, ran)
        placed, event = [json.loads(line) for line in ran.out.splitlines()]
        self.assertEqual((placed["status"], event["event"]), ("created", "OrderCreated"))
        errors = [json.loads(line)["error"] for line in ran.err.splitlines()]
        self.assertEqual([(error["code"], error["line"]) for error in errors], [("rejected", 2), ("usage", 4)])

    def test_an_answer_is_written_before_the_next_line_is_read(self):
        process = self.start("shell", "--json")
        for line, status in [(PLACE.format(1), "created"), ("order pay 1", "paid")]:
            process.stdin.write((line + "\n").encode())
            process.stdin.flush()
            self.assertEqual(json.loads(process.stdout.readline())["status"], status)
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_last_line_without_its_end_runs(self):
        ran = self.run_program("shell", input=(PLACE.format(1) + "\norder pay 1").encode())
        self.assertEqual(ran.code, 0, ran)
        self.assertIn("order 1 is paid", ran.out)

    def test_exit_ends_it(self):
        ran = self.pipe([PLACE.format(1), "exit", "order pay 1"])
        self.assertEqual(ran.code, 0, ran)
        self.assertIn("line 1: 'exit' stands alone on its line", self.pipe(["exit 3", "order get 1"]).err)
        self.assertEqual(self.order("1", "--strong")["status"], "created")

    def test_the_database_comes_from_the_shells_own_words(self):
        self.env["FRESHET_DB"] = "elsewhere.db"
        ran = self.pipe([PLACE.format(1), "order get 1 --strong"], "--db", str(self.db))
        self.assertEqual(ran.code, 0, ran)
        self.assertFalse((self.path / "elsewhere.db").exists())

    def test_standard_input_cannot_be_imported(self):
        ran = self.pipe(["order import -"])
        self.assertEqual(ran.code, 2, ran)
        self.assertIn("belongs to the shell", ran.err)

    def test_a_line_that_no_person_writes_is_refused_and_the_next_one_runs(self):
        for line in ["order get " + "x" * (1 << 20), "order get 1 \\\n" * 100_000]:
            ran = self.pipe([line, PLACE.format(1)])
            self.assertEqual(ran.code, 2, ran.err[:500])
            self.assertRegex(ran.err, r"^freshet: line (1|100001): longer than 1048576 bytes\n$")
            self.assertIn("order 1 ", ran.out)
            self.db.unlink()

    def test_input_without_an_end_of_a_line_ends_it(self):
        with open("/dev/zero", "rb") as zeros:
            ran = self.run_program("shell", stdin=zeros)
        self.assertEqual((ran.code, ran.err), (2, "freshet: line 1: longer than 1048576 bytes\n"))

    def test_a_demonstration_is_played_and_a_script_is_for_outside(self):
        ran = self.pipe(["demo staleness --clock virtual", "demo sync --print", PLACE.format(1)])
        self.assertEqual(ran.code, 0, ran)
        self.assertIn("gap: 0.00 ms -> 50.00 ms", ran.out)
        self.assertIn("order 1 is created", ran.out)
        ran = self.pipe(["run script.fresh"])
        self.assertEqual(ran.code, 2, ran)
        self.assertIn("play it with 'freshet run'", ran.err)

    def test_a_signal_ends_it(self):
        process = self.start("shell", "--json")
        process.stdin.write((PLACE.format(1) + "\norder get 1 --min-version 2 --timeout 1h\n").encode())
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)

    def test_a_reader_that_has_gone_ends_it(self):
        process = self.start("shell", "--json")
        process.stdin.write((PLACE.format(1) + "\n").encode())
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"order history 1\norder pay 1\n")
        process.stdin.flush()
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(len(self.lines("order", "history", "1")), 1)

    def test_nobody_uses_a_shell_inside_a_shell(self):
        self.assertEqual(self.pipe(["shell"]).code, 2)


if __name__ == "__main__":
    main()
