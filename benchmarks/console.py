"""The console in a browser: until its page is loaded, and until its tables are there."""

import os
import shutil
from collections.abc import Iterator
from statistics import median

from playwright.sync_api import Error, sync_playwright

from benchmarks import comparison
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.sides import Sides
from emulator.core.settings import PROJECT

LOADED_GOAL_SECONDS, SHOWN_GOAL_SECONDS = 0.1, 0.3
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SANDBOX = () if os.getuid() else ("--no-sandbox",)
"""Root has no sandbox."""
SHOWN = "main:not([aria-busy]) #stores td"
LOADED_AND_SHOWN = """() => [
  performance.getEntriesByType('navigation')[0].loadEventEnd,
  performance.getEntriesByName('shown')[0].startTime,
]"""
"""Milliseconds since the page was asked for."""


def measure_console(sides: Sides) -> Iterator[Row]:
    """Measure in Chromium, which this machine has or `playwright install chromium` fetches."""
    sides.local.new_store()
    url = f"{sides.local.running.url}/_console/?project={PROJECT}"
    sides.report("the console in a browser")
    command = next(filter(None, map(shutil.which, COMMANDS)), None)
    turns = list[list[float]]()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=command, args=SANDBOX)
            page = browser.new_page()
            for _ in range(comparison.ROUNDS + 1):
                page.goto(url)
                page.locator(SHOWN).first.wait_for()
                turns.append(page.evaluate(LOADED_AND_SHOWN))
            browser.close()
    except Error as error:
        raise BenchmarkError(f"the console in a browser: {error.message}") from error
    loaded, shown = (median(times) / 1000 for times in zip(*turns[1:], strict=True))
    for what, seconds, goal in (
        ("its page is loaded", loaded, LOADED_GOAL_SECONDS),
        ("its tables are there", shown, SHOWN_GOAL_SECONDS),
    ):
        yield comparison.ceiling(f"console in a browser until {what}", seconds, goal, "s")
