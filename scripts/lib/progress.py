"""Progress of an operation: a bar on a terminal, lines in a pipe, nothing for `--json`.

It is written to standard error: standard output is for results.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from scripts.lib.google.operations import Operation

# In a pipe, print a line for each tenth that is done, and after a pause.
LINE_SHARE = 0.1
LINE_SECONDS = 5.0


class Progress(Protocol):
    """The messages of a script about its work."""

    def update(self, operation: Operation) -> None:
        """Show the newest counters."""

    def note(self, text: str) -> None:
        """Show one line that stays."""


class SilentProgress:
    """No progress, for `--json`."""

    def update(self, operation: Operation) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


class LineProgress:
    """A few plain lines, for pipes, logs and CI."""

    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._label = label
        self._shown: tuple[int, int, int] | None = None
        self._shown_at = 0.0

    def update(self, operation: Operation) -> None:
        """Print a line if enough has changed since the last one."""
        state = (operation.success, operation.failure, operation.pending)
        total = sum(state)
        if state == self._shown or total == 0:
            return
        quiet = time.monotonic() - self._shown_at >= LINE_SECONDS
        before = sum(self._shown[:2]) if self._shown else -total
        grown = sum(state[:2]) - before >= LINE_SHARE * total
        if operation.done or quiet or grown:
            self._shown, self._shown_at = state, time.monotonic()
            failed = f", {operation.failure} failed" if operation.failure else ""
            done = operation.success + operation.failure
            self.note(f"{self._label}: {done} of {total}{failed}")

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class _RateColumn(ProgressColumn):
    """Files per second, as soon as it is known."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "", style="cyan")


class LiveProgress:
    """A progress bar, for terminals."""

    def __init__(self, bars: RichProgress, label: str) -> None:
        self._bars = bars
        self._task = bars.add_task(label, total=None, failed="")

    def update(self, operation: Operation) -> None:
        """Update the bar."""
        done = operation.success + operation.failure
        self._bars.update(
            self._task,
            completed=done,
            total=(done + operation.pending) or None,
            failed=f"[red]{operation.failure} failed" if operation.failure else "",
        )

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _bars(console: Console) -> RichProgress:
    return RichProgress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        _RateColumn(),
        TextColumn("{task.fields[failed]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


@contextmanager
def show_progress(label: str, *, silent: bool, console: Console) -> Iterator[Progress]:
    """Choose how progress is shown and show it while the block runs.

    Args:
        label: the action, as a gerund ("Importing")
        silent: show nothing, for `--json`
        console: where to show it: a bar on a terminal, otherwise lines
    """
    if silent:
        yield SilentProgress()
    elif console.is_terminal:
        with _bars(console) as bars:
            yield LiveProgress(bars, label)
    else:
        yield LineProgress(console, label)
