import io

import pytest
from rich.console import Console

from scripts.lib import progress
from scripts.lib.google.operations import Operation


def _looks(total: int, *, done: bool = True) -> list[Operation]:
    looks = [Operation("o", done=False, success=n, pending=total - n) for n in range(total + 1)]
    return [*looks, Operation("o", done=True, success=total)] if done else looks


def test_a_pipe_gets_about_ten_plain_lines() -> None:
    text = io.StringIO()
    console = Console(file=text, width=100)
    with progress.show_progress("Importing", silent=False, console=console) as shown:
        for look in _looks(405):
            shown.update(look)
    lines = text.getvalue().splitlines()
    assert 10 <= len(lines) <= 12
    assert lines[-1] == "Importing: 405 of 405"
    assert "\x1b" not in text.getvalue()


def test_failures_are_in_the_line() -> None:
    text = io.StringIO()
    with progress.show_progress("Importing", silent=False, console=Console(file=text)) as shown:
        shown.update(Operation("o", done=True, success=3, failure=2))
    assert text.getvalue() == "Importing: 5 of 5, 2 failed\n"


def test_a_quiet_pipe_still_hears_something(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with progress.show_progress("Importing", silent=False, console=Console(file=text)) as shown:
        for n in range(4):
            now[0] += progress.LINE_SECONDS
            shown.update(Operation("o", done=False, success=n, pending=10_000 - n))
    assert len(text.getvalue().splitlines()) == 4


def test_a_terminal_gets_a_bar() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120)
    with progress.show_progress("Importing", silent=False, console=console) as shown:
        shown.update(Operation("o", done=False, success=100, failure=2, pending=303))
        shown.note("a line that stays")
    assert "102/405" in text.getvalue()
    assert "2 failed" in text.getvalue()
    assert "a line that stays" in text.getvalue()


def test_json_shows_nothing() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True)
    with progress.show_progress("Importing", silent=True, console=console) as shown:
        shown.update(Operation("o", done=True, success=1))
        shown.note("x")
    assert text.getvalue() == ""
