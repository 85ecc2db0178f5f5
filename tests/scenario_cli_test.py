#!/usr/bin/env python3
"""Scripts and demonstrations through the program: `demo` and `run` as a user types them.

FRESHET names the program. Prints one line for each failure and closes with 'N passed, N failed'.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

FRESHET = os.environ["FRESHET"]

DEMOS = ["staleness", "read-your-writes", "min-version", "sync", "idempotency", "reorder", "tour"]

# How many windows each demonstration opens after its `begin`, and the delay of its bus.
WINDOWS = {
    "staleness": (1, 50),
    "read-your-writes": (1, 50),
    "min-version": (1, 300),
    "sync": (0, 50),
    "idempotency": (2, 20),
    "reorder": (2, 200),
    "tour": (2, 50),
}

ACTORS = {"client", "write_side", "bus", "listener", "read_model"}
PLACE = "order place 123 --customer c9 --item book:1:49.99\n"


class Directory:
    """A directory of its own for one test, and the program in it."""

    def __init__(self, path):
        self.path = Path(path)

    def run(self, *words, stdin=""):
        environment = {key: value for key, value in os.environ.items() if key not in ("FRESHET_DB", "NO_COLOR")}
        return subprocess.run([FRESHET, *words], input=stdin, capture_output=True, text=True, cwd=self.path,
                              env=environment, timeout=120, check=False)

    def json(self, *words, stdin=""):
        """The document of a success."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.returncode == 0, (done.returncode, done.stderr)
        assert done.stdout.count("\n") == 1, done.stdout
        return json.loads(done.stdout)

    def error(self, *words, stdin="", code):
        """The error object of a failure with this exit code; nothing else is written."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert done.stdout == "", done.stdout
        assert done.stderr.count("\n") == 1, done.stderr
        return json.loads(done.stderr)["error"]


def check_report(report, name, clock):
    assert report["demo"] == name and report["clock"] == clock and report["passed"] is True
    assert len(report["point"]) > 40
    timeline = report["timeline"]
    times = [entry["t_ms"] for entry in timeline]
    assert times == sorted(times) and times[0] >= 0, times
    assert {entry["actor"] for entry in timeline} <= ACTORS
    count, delay = WINDOWS[name]
    windows = report["windows"]
    assert len(windows) == count, windows
    for window in windows:
        assert window["gap_ms"] >= delay, window
        assert abs(window["closed_ms"] - window["opened_ms"] - window["gap_ms"]) < 0.002, window
        if clock == "virtual":
            assert window["gap_ms"] == delay, window
    for entry in timeline:
        assert set(entry) >= {"t_ms", "actor", "what", "order_id", "version"}, entry
        assert round(entry["t_ms"], 3) == entry["t_ms"], entry


def reads(report, **fields):
    return [entry for entry in report["timeline"]
            if entry["kind"] == "read" and all(entry[key] == value for key, value in fields.items())]


def each_demo_passes_on_the_real_clock(place):
    for name in DEMOS:
        check_report(place.json("demo", name), name, "real")


def each_demo_passes_on_the_virtual_clock_and_is_the_same_each_time(place):
    for name in DEMOS:
        check_report(place.json("demo", name, "--clock", "virtual", "--seed", "7"), name, "virtual")
        for form in ([], ["--json"]):
            words = ["demo", name, "--clock", "virtual", "--seed", "7", *form]
            assert place.run(*words).stdout == place.run(*words).stdout


def all_demos_are_one_document(place):
    document = place.json("demo", "all", "--clock", "virtual")
    assert document["passed"] is True
    assert [report["demo"] for report in document["demos"]] == DEMOS


def all_demos_pass_on_a_faster_clock(place):
    text = place.run("demo", "all", "--speed", "2")
    assert text.returncode == 0, text.stderr
    assert "passed: 7 demonstrations" in text.stdout


def a_picture_or_a_database_that_has_no_place_is_one_clear_error(place):
    for option in ["--mermaid", "--html"]:
        error = place.error("demo", "staleness", "--clock", "virtual", option, "-", code=2)
        assert "expected a file name; standard output has the run itself" in error["message"], error
    for keep, why in [("missing/x.db", "No such file or directory"), ("/proc/x.db", "")]:
        for words in [["demo", "staleness", "--clock", "virtual"], ["measure", "throughput", "--events", "1"]]:
            error = place.error(*words, "--keep", keep, code=1)
            assert error["code"] == "io_error" and "report" not in error, error
            assert error["message"].startswith(f"cannot keep the database in '{keep}': {why}"), error
    assert not list(place.path.iterdir())


def a_script_without_an_end_is_refused(place):
    error = place.error("run", "/dev/zero", code=2)
    assert error["message"] == "line 1: longer than 1048576 bytes", error


def staleness_shows_the_old_status_inside_the_window_and_the_new_one_after_it(place):
    report = place.json("demo", "staleness")
    first = report["timeline"][0]
    assert first["t_ms"] == 0 and first["actor"] == "write_side" and first["version"] == 3
    assert first["what"] == "OrderShipped appended to event store (order 123, version 3)"
    window = report["windows"][0]
    stale = reads(report, stale=True)
    assert [entry["what"] for entry in stale] == ["get 123 -> paid, version 2"]
    assert window["opened_ms"] < stale[0]["t_ms"] < window["closed_ms"]
    fresh = reads(report, stale=False)
    assert fresh[-1]["version"] == 3 and fresh[-1]["t_ms"] >= window["closed_ms"]


def read_your_writes_shows_what_both_reads_cost(place):
    costs = [entry["what"] for entry in reads(place.json("demo", "read-your-writes"))]
    assert len(costs) == 3 and all(what.endswith(" ms)") for what in costs), costs
    virtual = reads(place.json("demo", "read-your-writes", "--clock", "virtual"))
    assert not any("(" in entry["what"] for entry in virtual)


def min_version_shows_all_three_outcomes(place):
    met, late, waited = reads(place.json("demo", "min-version"))
    assert met["stale"] is False and met["version"] == 2
    assert late["stale"] is True and "stale: waited" in late["what"]
    assert waited["stale"] is False and waited["version"] == 3


def idempotency_shows_the_doubled_amount_against_the_right_one(place):
    report = place.json("demo", "idempotency")
    shown = [(entry["listener"], entry["what"]) for entry in reads(report) if entry["listener"]]
    assert len(shown) == 4
    assert all("99.98" in what for listener, what in shown if listener == "wrong"), shown
    assert all("49.99" in what for listener, what in shown if listener == "right"), shown
    assert {"crashed", "restarted", "skipped"} <= {entry["kind"] for entry in report["timeline"]}


def reorder_shows_the_unguarded_row_going_back(place):
    report = place.json("demo", "reorder")
    rows = [(entry["listener"], entry["version"]) for entry in report["timeline"] if entry["kind"] == "applied"]
    assert [version for name, version in rows if name == "unguarded"][:3] == [1, 2, 1], rows
    assert [version for name, version in rows if name == "guarded"] == [1, 2], rows


def tour_passes_through_all_participants(place):
    report = place.json("demo", "tour")
    assert {entry["actor"] for entry in report["timeline"]} == ACTORS
    assert {entry["client"] for entry in report["timeline"]} >= {"alice", "bob"}


def the_text_is_aligned_and_ends_with_the_gap_and_the_point(place):
    lines = place.run("demo", "staleness", "--clock", "virtual").stdout.split("\n")
    assert lines[0] == "t=   0.00 ms  write side   OrderShipped appended to event store (order 123, version 3)"
    assert lines[1] == "t=   0.00 ms  client       success: order 123, version 3"
    assert lines[2] == "t=   1.00 ms  client       get 123 -> paid, version 2   STALE"
    assert lines[3] == "t=  50.00 ms  bus          OrderShipped delivered to listener"
    assert lines[4] == "t=  50.00 ms  read model   order 123 updated to version 3"
    assert "gap: 0.00 ms -> 50.00 ms, the read model was stale for 50.00 ms" in lines
    assert lines[-2].startswith("The write was safe at once") and lines[-1] == ""


def stale_reads_are_coloured_where_colours_are_wanted(place):
    coloured = place.run("demo", "staleness", "--clock", "virtual", "--color", "always").stdout
    assert "\x1b[31mSTALE\x1b[0m" in coloured


def a_printed_script_runs_like_its_demo(place):
    for name in DEMOS:
        script = place.run("demo", name, "--print").stdout
        assert script.count("\n") <= 25
        demo = place.json("demo", name, "--clock", "virtual")
        run = place.json("run", "-", "--clock", "virtual", stdin=script)
        assert {**demo, "demo": ""} == {**run, "demo": ""}
        assert place.json("demo", name, "--print") == {"demo": name, "script": script}


def the_list_names_every_demo(place):
    assert [demo["name"] for demo in place.json("demo", "list")["demos"]] == DEMOS
    assert all(name in place.run("demo", "list").stdout for name in DEMOS)


def an_unknown_demo_or_script_is_not_found(place):
    assert "did you mean 'staleness'" in place.error("demo", "stalenes", code=5)["message"]
    assert "--print" in place.error("demo", "all", "--print", code=2)["message"]
    assert place.error("demo", "stalenes", "--print", code=5)["code"] == "not_found"
    assert place.error("run", "missing.fresh", code=5)["code"] == "not_found"
    place.error("run", ".", code=1)


def a_missed_expectation_names_line_field_wanted_and_found(place):
    error = place.error("run", "-", stdin=PLACE + "# why not\nexpect status=paid\n", code=1)
    assert error["message"] == "line 3: expected status=paid, found status=created"
    assert (error["line"], error["field"], error["wanted"], error["found"]) == (3, "status", "paid", "created")
    assert error["report"]["passed"] is False
    text = place.run("run", "-", stdin=PLACE + "expect status=paid\n")
    assert text.returncode == 1 and text.stdout == ""
    assert "OrderCreated appended" in text.stderr
    assert text.stderr.endswith("freshet: line 2: expected status=paid, found status=created\n")


def a_failed_command_that_nobody_expected_fails_the_script(place):
    error = place.error("run", "-", stdin=PLACE + "order ship 123\n", code=1)
    assert error["code"] == "script_failed" and error["message"].startswith("line 2: cannot ship"), error
    script = PLACE + "order ship 123\nexpect error.code=rejected\n"
    assert place.json("run", "-", stdin=script)["passed"] is True
    assert place.error("run", "-", stdin=PLACE + "expect error.code=rejected\n", code=1)["line"] == 2


def words_that_make_no_sense_are_refused_before_anything_runs(place):
    for script, expected in [
        (PLACE + "ordr get 123\n", "line 2: unknown word 'ordr': did you mean 'order'?"),
        (PLACE + "order gte 123\n", "line 2: unknown command 'gte'"),
        ("order get 123 --min-versoin 2\n", "line 1: unknown option '--min-versoin': did you mean '--min-version'?"),
        ("order get 123 --db x.db\n", "line 1: "),
        ("order get 123 --json\n", "line 1: "),
        ("demo staleness\n", "line 1: unknown word 'demo'"),
        ("run x\n", "line 1: unknown word 'run'"),
        ("log show --follow\n", "line 1: --follow never ends"),
        ("order import -\n", "line 1: a script cannot import from standard input"),
        ("bus --delay soon\n", "line 1: bad value 'soon' for --delay"),
        ("\n\nsleep 5\n", "line 3: bad duration '5'"),
        ("echo 'a\norder get 'x\n", "line 2: the quote ' is not closed"),
    ]:
        error = place.error("run", "-", "--db", "none.db", stdin=script, code=2)
        assert error["message"].startswith(expected), error
        assert f"line {error['line']}:" in error["message"]
        assert not (place.path / "none.db").exists()


def bad_options_are_usage_errors(place):
    for words in [("demo",), ("run",), ("demo", "staleness", "--clock", "sundial"),
                  ("demo", "staleness", "--speed", "0"), ("demo", "staleness", "--speed", "fast"),
                  ("demo", "staleness", "--clock", "virtual", "--speed", "2"),
                  ("demo", "all", "--mermaid", "x"), ("demo", "all", "--keep", "x")]:
        assert place.error(*words, code=2)["code"] == "usage"


def run_works_on_a_database_that_is_given(place):
    script = place.path / "script.fresh"
    script.write_text(PLACE + "order pay 123\n", encoding="utf-8")
    place.json("run", str(script), "--db", "kept.db")
    order = json.loads(place.run("order", "get", "123", "--db", "kept.db", "--json").stdout)
    assert order["status"] == "paid" and order["freshness"]["stale"] is False
    again = place.json("run", "-", "--db", "kept.db", stdin="order get 123\nexpect status=paid\n")
    assert again["passed"] is True and again["windows"] == []


def run_without_a_database_leaves_none_behind(place):
    place.json("run", "-", stdin=PLACE)
    place.json("demo", "sync", "--db", "untouched.db", "--clock", "virtual")
    assert list(place.path.iterdir()) == []
    error = place.error("run", "-", "--db", "missing.db", stdin="order list\n", code=1)
    assert error["message"].startswith("line 1: ") and list(place.path.iterdir()) == []


def a_demo_keeps_its_database_where_that_is_wanted(place):
    place.json("demo", "sync", "--clock", "virtual", "--keep", "kept.db")
    order = json.loads(place.run("order", "get", "123", "--db", "kept.db", "--json").stdout)
    assert order["status"] == "shipped"
    assert place.run("demo", "sync", "--keep", "kept.db").returncode != 0


def options_of_the_bus_hold_for_a_script_that_has_none_of_its_own(place):
    report = place.json("run", "-", "--clock", "virtual", "--delay", "30ms", stdin=PLACE)
    assert [window["gap_ms"] for window in report["windows"]] == [30]
    report = place.json("run", "-", "--clock", "virtual", "--delay", "30ms", stdin="bus --delay 10ms\n" + PLACE)
    assert [window["gap_ms"] for window in report["windows"]] == [10]


def options_of_the_bus_hold_for_a_demo_whatever_its_script_says(place):
    report = place.json("demo", "staleness", "--clock", "virtual", "--delay", "200ms")
    assert [window["gap_ms"] for window in report["windows"]] == [200]
    error = place.error("demo", "staleness", "--clock", "virtual", "--delay", "0ms", code=1)
    assert "expected status=paid, found status=shipped" in error["message"], error


def mermaid_draws_the_run(place):
    place.json("demo", "staleness", "--clock", "virtual", "--mermaid", "run.mmd")
    lines = (place.path / "run.mmd").read_text(encoding="utf-8").split("\n")
    assert lines[0] == "sequenceDiagram"
    participants = [line.split(" as ")[1] for line in lines if line.startswith("    participant ")]
    assert participants == ["Client", "Write side", "Event store", "Bus", "Listener", "Read model"]
    assert "    B->>L0: OrderShipped delivered to listener" in lines
    assert "    Note over S,M0: stale for 50.00 ms (0.00 ms to 50.00 ms)" in lines
    assert place.error("demo", "sync", "--mermaid", "no/where.mmd", code=1)["code"] == "io_error"


def html_shows_the_run_or_all_of_them(place):
    place.json("demo", "staleness", "--clock", "virtual", "--html", "one.html")
    assert "OrderShipped" in (place.path / "one.html").read_text(encoding="utf-8")
    place.json("demo", "all", "--clock", "virtual", "--html", "all.html")
    assert all(name in (place.path / "all.html").read_text(encoding="utf-8") for name in DEMOS)


def an_interrupted_script_says_so(place):
    (place.path / "long.fresh").write_text(PLACE + "sleep 1h\n", encoding="utf-8")
    process = subprocess.Popen([FRESHET, "run", "long.fresh", "--db", "long.db", "--json"], cwd=place.path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while place.run("order", "get", "123", "--db", "long.db").returncode != 0:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT and out == "", (process.returncode, out, err)
    assert json.loads(err)["error"]["code"] == "interrupted"


def each_help_has_an_example(place):
    for command in ("demo", "run"):
        assert "Example:\n  freshet " + command in place.run(command, "--help").stdout


TESTS = [
    each_demo_passes_on_the_real_clock,
    each_demo_passes_on_the_virtual_clock_and_is_the_same_each_time,
    all_demos_are_one_document,
    all_demos_pass_on_a_faster_clock,
    staleness_shows_the_old_status_inside_the_window_and_the_new_one_after_it,
    read_your_writes_shows_what_both_reads_cost,
    min_version_shows_all_three_outcomes,
    idempotency_shows_the_doubled_amount_against_the_right_one,
    reorder_shows_the_unguarded_row_going_back,
    tour_passes_through_all_participants,
    the_text_is_aligned_and_ends_with_the_gap_and_the_point,
    stale_reads_are_coloured_where_colours_are_wanted,
    a_printed_script_runs_like_its_demo,
    the_list_names_every_demo,
    an_unknown_demo_or_script_is_not_found,
    a_missed_expectation_names_line_field_wanted_and_found,
    a_failed_command_that_nobody_expected_fails_the_script,
    words_that_make_no_sense_are_refused_before_anything_runs,
    bad_options_are_usage_errors,
    run_works_on_a_database_that_is_given,
    run_without_a_database_leaves_none_behind,
    a_demo_keeps_its_database_where_that_is_wanted,
    a_picture_or_a_database_that_has_no_place_is_one_clear_error,
    a_script_without_an_end_is_refused,
    options_of_the_bus_hold_for_a_script_that_has_none_of_its_own,
    mermaid_draws_the_run,
    html_shows_the_run_or_all_of_them,
    an_interrupted_script_says_so,
    each_help_has_an_example,
]


def main():
    failed = 0
    for test in TESTS:
        with tempfile.TemporaryDirectory() as path:
            try:
                test(Directory(path))
            except Exception as problem:  # pylint: disable=broad-exception-caught
                failed += 1
                print(f"{test.__name__}: {type(problem).__name__}: {problem}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
