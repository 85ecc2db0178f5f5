#!/usr/bin/env python3
"""Loads the pages of runs and measurements in a headless Chromium, and looks at what became of them.

    REPORT_PAGES=EXECUTABLE tests/report_browser_test.py

EXECUTABLE writes the pages into a folder. Closes with 'N passed, N failed, N skipped'; without a Chromium on
PATH everything is skipped, and the exit code is 77.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

SECONDS_MAX = 120
LOADS_MAX = 20
SKIPPED = 77

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--v=0",
]

# Said to a copy of a page: it goes to the first mark and two further by keyboard, and on to a third by pointer.
PROBE = """<script>
const say = (name, text) => document.body.setAttribute("data-" + name, text);
const detail = document.getElementById("detail");
say("focused", String(document.hasFocus()));
const first = document.querySelector("[data-mark][tabindex='0']");
first.focus();
say("first", detail.textContent);
for (const step of [1, 2])
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
say("third", detail.textContent);
document.activeElement.blur();
say("hidden", String(detail.hidden));
document.querySelector("[data-mark=delivered]").dispatchEvent(new PointerEvent("pointerenter"));
say("lit", String(document.querySelectorAll(".arrow.lit").length));
say("over", String(document.documentElement.scrollWidth > innerWidth));
</script>"""


class Counter(HTMLParser):
    """The elements of a page, as lists of their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def count(self, name, value=None):
        return sum(name in attrs and value in (None, attrs[name]) for _, attrs in self.elements)

    def tags(self, tag):
        return sum(found == tag for found, _ in self.elements)

    def body(self, name):
        return next(attrs for tag, attrs in self.elements if tag == "body").get("data-" + name)


class Browser:
    def __init__(self, executable, folder):
        self.executable = executable
        self.folder = folder

    def run(self, page, *flags):
        with tempfile.TemporaryDirectory(prefix="freshet-browser-") as profile:
            command = [self.executable, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=True)
        complaints = re.findall(r"^.*\bCONSOLE\b.*$", done.stderr, re.M)
        assert not complaints, f"{page.name}: {complaints}"
        return done.stdout

    def load(self, name, *flags):
        return Counter(self.run(self.folder / f"{name}.html", "--dump-dom", *flags))


def a_run_shows_its_windows_and_reads(browser):
    page = browser.load("staleness")
    assert page.count("data-window", "closed") == 1
    assert (page.count("data-read", "stale"), page.count("data-read", "fresh")) == (1, 1)
    assert page.count("data-arrow") == 4


def a_crash_shows_three_windows_and_two_redeliveries(browser):
    page = browser.load("crash")
    assert (page.count("data-window", "closed"), page.count("data-window", "open")) == (2, 1)
    assert page.count("data-read", "stale") == 3
    assert page.count("data-arrow", "redeliver") == 2


def hostile_names_stay_text(browser):
    page = browser.load("hostile")
    assert page.tags("b") == 0
    assert page.tags("script") == 1
    assert page.count("data-window") == 3
    assert page.count("data-run", "</script><b>\"'&") == 1


def several_runs_load_together(browser):
    page = browser.load("all")
    assert page.count("data-run") == 3
    assert page.count("data-window") == 4


def measurements_load(browser):
    assert browser.load("visibility").count("data-curve") == 2
    assert browser.load("outlier").count("data-percentile") == 4
    assert browser.load("throughput").count("data-mark", "bar") == 6


def keyboard_and_pointer_show_details(browser):
    page = browser.folder / "probe.html"
    text = (browser.folder / "staleness.html").read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    for _ in range(LOADS_MAX):  # The browser's window may get its focus only after the page was read.
        probed = browser.load("probe", "--window-size=1300,900")
        if probed.body("focused") == "true":
            break
    assert probed.body("first").startswith("t = 0.00 ms, write side\nOrderShipped appended"), probed.body("first")
    assert probed.body("third").endswith("get 123 -> paid, version 2\nstale"), probed.body("third")
    assert probed.body("hidden") == "true"
    assert probed.body("lit") == "4"
    assert probed.body("over") == "false"


def a_page_of_many_marks_loads_by_night(browser):
    page = browser.load("long", "--blink-settings=preferredColorScheme=0")
    assert page.count("data-lane") == 6


def pages_are_drawn(browser):
    picture = browser.folder / "crash.png"
    browser.run(browser.folder / "crash.html", f"--screenshot={picture}", "--window-size=1280,1000")
    assert picture.stat().st_size > 20_000, "the picture is nearly empty"


TESTS = [
    a_run_shows_its_windows_and_reads,
    a_crash_shows_three_windows_and_two_redeliveries,
    hostile_names_stay_text,
    several_runs_load_together,
    measurements_load,
    keyboard_and_pointer_show_details,
    a_page_of_many_marks_loads_by_night,
    pages_are_drawn,
]


def main():
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if not executable:
        print("skipped: there is no Chromium on PATH (Debian's package is 'chromium')")
        print(f"0 passed, 0 failed, {len(TESTS)} skipped")
        return SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory(prefix="freshet-pages-") as folder:
        subprocess.run([os.environ["REPORT_PAGES"], folder], check=True)
        for test in TESTS:
            try:
                test(Browser(executable, Path(folder)))
                print(f"ok: {test.__name__}")
            except (AssertionError, subprocess.SubprocessError) as failure:
                failed += 1
                print(f"FAILED: {test.__name__}: {failure!r}")
    print(f"{len(TESTS) - failed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
