"""The same rows for another checkout of the project, such as an earlier commit, in turns."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from benchmarks import comparison
from benchmarks.clones import ROOT, BenchmarkError

# What `python -m benchmarks` reports of a row: "... WORK: OURS to PEER UNIT, GOAL".
_ROW = re.compile(r"^\.\.\. (?P<work>.+): (?P<ours>[\d.]+) to [\d.]+ (?P<unit>\S+), (?:at|under) ")
TOLERANCE = 0.9
"""The least part of the other checkout's speed that counts as no slower: runs differ by that."""


@dataclass(frozen=True)
class Compared:
    """The figures of two checkouts for the same work.

    Attributes:
        work: what was measured
        unit: of both figures; seconds are better if they are fewer
        this: the figure of this checkout
        other: the figure of the other one
    """

    work: str
    unit: str
    this: float
    other: float

    @property
    def speed(self) -> float:
        """The speed of this checkout, relative to the other's."""
        return self.other / self.this if self.unit in {"s", "MB"} else self.this / self.other


def compare(path: Path, names: Sequence[str], report: Callable[[str], None]) -> Iterator[Compared]:
    """Measure each row in the other checkout, then in this one.

    Args:
        path: the other checkout, after `make setup`
        names: rows, as for `--only`; both checkouts must know them
        report: called with each step

    Raises:
        BenchmarkError: The other checkout has no environment, or a measurement failed.
    """
    python = path / ".venv" / "bin" / "python"
    if not python.exists():
        raise BenchmarkError(f"{path} has no .venv: run `make setup` there")
    for name in names:
        report(f"{name} in {path}")
        other = _measure(str(python), path, name)
        report(f"{name} here")
        this = _measure(sys.executable, ROOT, name)
        for work, (figure, unit) in this.items():
            if work in other:
                yield Compared(work, unit, figure, other[work][0])


def table(rows: Sequence[Compared], path: Path) -> Table:
    """Return a table with both figures and whether this checkout is no slower."""
    title = f"This checkout beside {path} (no slower: at least {TOLERANCE:g} of its speed)"
    drawn = Table("work", "here", "there", "unit", "speed", "", title=title)
    for row in rows:
        figures = (comparison.figure(row.this), comparison.figure(row.other), row.unit)
        verdict = "no slower" if row.speed >= TOLERANCE else "slower"
        drawn.add_row(row.work, *figures, f"{row.speed:.2f}", verdict)
    return drawn


def rows_of(report: str) -> dict[str, tuple[float, str]]:
    """Return the figure and the unit of each work that a run of the benchmarks reported."""
    matches = (_ROW.match(line) for line in report.splitlines())
    return {row["work"]: (float(row["ours"]), row["unit"]) for row in matches if row}


def _measure(python: str, folder: Path, name: str) -> dict[str, tuple[float, str]]:
    command = [python, "-m", "benchmarks", "--only", name]
    # A terminal of any width must not break the lines that are read.
    environment = {**os.environ, "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{name} failed in {folder}: {done.stderr[-2000:]}")
    return rows_of(done.stderr)
